"""Overrides of a schedule. An alias that is taken is a clash (409), and a rotation that is not there a 404; both unconfirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.rosters import check_order, made_recipient, meta, moment_of, wanted_schedule
from steps.opsgenie.emulator.store import Entity, Store, find


def add_override(store: Store, schedule: Entity, given: Mapping[str, Any]) -> Entity:
    """The new override, which holds against those made before. Raises ApiError."""
    there = store.overrides.setdefault(schedule["id"], {})
    alias = given.get("alias") or store.new_id()
    if alias in there:
        raise ApiError(409, "There is already one Override with same alias")
    there[alias] = {"alias": alias, **_described(store, schedule, given)}
    return there[alias]


def _described(store: Store, schedule: Entity, given: Mapping[str, Any]) -> Entity:
    times = {name: written(moment_of(given, name)) for name in ("startDate", "endDate")}
    check_order(times)
    rotations = [_rotation(schedule, one) for one in given.get("rotations", ())]
    return {"user": made_recipient(store, given["user"]), **times, "rotations": rotations}


def _rotation(schedule: Entity, given: Mapping[str, Any]) -> Entity:
    found = find({one["id"]: one for one in schedule["rotations"]}, given, "name")
    if found is None:
        raise missing("Schedule rotation", str(given.get("name") or given.get("id")))
    return {"id": found["id"], "name": found["name"]}


def _wanted(call: Call) -> Entity:
    override = call.store.overrides.get(wanted_schedule(call)["id"], {}).get(call.ids[1])
    if override is None:
        raise missing("Schedule override", call.ids[1])
    return override


def _create(call: Call) -> Answer:
    return Answer({"data": {"alias": add_override(call.store, wanted_schedule(call), call.body)["alias"]}}, 201)


def _get(call: Call) -> Answer:
    return Answer({"data": {"_parent": meta(wanted_schedule(call)), **_wanted(call)}})


def _list_overrides(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    there = call.store.overrides.get(schedule["id"], {}).values()
    return Answer({"data": [{"_parent": meta(schedule), **one} for one in there]})


def _update(call: Call) -> Answer:
    override = _wanted(call)
    override.update(_described(call.store, wanted_schedule(call), call.body))
    return Answer({"data": {"alias": override["alias"]}})


def _delete(call: Call) -> Answer:
    del call.store.overrides[wanted_schedule(call)["id"]][_wanted(call)["alias"]]
    return Answer({"result": "Deleted"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/schedules/{}/overrides/{}": _delete,
    "GET /v2/schedules/{}/overrides": _list_overrides,
    "GET /v2/schedules/{}/overrides/{}": _get,
    "POST /v2/schedules/{}/overrides": _create,
    "PUT /v2/schedules/{}/overrides/{}": _update,
}
