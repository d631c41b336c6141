"""Rotations of a schedule. Two may have the same name; the last of a schedule may be taken out (unconfirmed)."""

from __future__ import annotations

from collections.abc import Mapping

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.problems import missing
from steps.opsgenie.emulator.rosters import made_rotation, meta, wanted_schedule
from steps.opsgenie.emulator.store import Entity


def _wanted(call: Call) -> Entity:
    found: Entity | None = next((one for one in wanted_schedule(call)["rotations"] if one["id"] == call.ids[1]), None)
    if found is None:
        raise missing("Schedule rotation", call.ids[1])
    return found


def _written(result: str, rotation: Entity, status: int = 200) -> Answer:
    return Answer({"result": result, "data": {"id": rotation["id"], "name": rotation["name"]}}, status)


def _create(call: Call) -> Answer:
    rotation = made_rotation(call.store, call.body)
    wanted_schedule(call)["rotations"].append(rotation)
    return _written("Created", rotation, 201)


def _get(call: Call) -> Answer:
    return Answer({"data": {"_parent": meta(wanted_schedule(call)), **_wanted(call)}})


def _list_rotations(call: Call) -> Answer:
    return Answer({"data": wanted_schedule(call)["rotations"]})


def _update(call: Call) -> Answer:
    rotation = _wanted(call)
    rotation.update(made_rotation(call.store, call.body, rotation))
    return _written("Updated", rotation)


def _delete(call: Call) -> Answer:
    wanted_schedule(call)["rotations"].remove(_wanted(call))
    return Answer({"result": "Deleted"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/schedules/{}/rotations/{}": _delete,
    "GET /v2/schedules/{}/rotations": _list_rotations,
    "GET /v2/schedules/{}/rotations/{}": _get,
    "PATCH /v2/schedules/{}/rotations/{}": _update,
    "POST /v2/schedules/{}/rotations": _create,
}
