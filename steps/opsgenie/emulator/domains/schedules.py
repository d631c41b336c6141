"""Schedules, their timelines and their files.

The answer to a name that a team has speaks of a team, as the service does.

Unconfirmed, and chosen here: the time zone is UTC unless given; a month of a timeline has thirty days; what is past is told like what is
to come; nobody forwards; a list holds every schedule for a team's key, too, which may read those of no team and of its own; a schedule
that a team's key makes is that team's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.domains.teams import check_free
from steps.opsgenie.emulator.icalendar import calendar
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.problems import bad_fields
from steps.opsgenie.emulator.rosters import made_rotation, meta, moment_of, rotas, shown, wanted_schedule, zone_named
from steps.opsgenie.emulator.rota import Period, Rota
from steps.opsgenie.emulator.store import Entity, Store

_UNITS = {"days": 1, "weeks": 7, "months": 30}
"""Days."""
MOST_DAYS = 400
EXPORTED = timedelta(days=91)
Telling = Callable[[Rota, datetime, datetime], Sequence[Period]]
"""What a timeline holds of a rotation between two moments."""


def add_schedule(store: Store, given: Mapping[str, Any], team: str | None = None) -> Entity:
    """The new schedule. Raises ApiError: 409 when a team or schedule has the name, 422 and 404 for what does not fit."""
    check_free(store, "Schedule", given["name"])
    owner = {"ownerTeam": {"name": team}} if team else {}
    schedule = _changed(store, {"id": "", "description": "", "timezone": "UTC", "enabled": True, "rotations": []}, {**given, **owner})
    schedule["id"] = store.new_id()
    store.schedules[schedule["id"]] = schedule
    return schedule


def _changed(store: Store, schedule: Entity, given: Mapping[str, Any]) -> Entity:
    zone_named(given.get("timezone", "UTC"))
    changed = schedule | {name: given[name] for name in ("name", "description", "timezone", "enabled") if name in given}
    if "ownerTeam" in given:
        team = store.resolve("team", given["ownerTeam"])
        changed["ownerTeam"] = {"id": team["id"], "name": team["name"]}
    if "rotations" in given:
        changed["rotations"] = [made_rotation(store, one) for one in given["rotations"]]
    return changed


def _create(call: Call) -> Answer:
    return Answer({"data": meta(add_schedule(call.store, call.body, call.key.team if call.key else None))}, 201)


def _get(call: Call) -> Answer:
    return Answer({"data": wanted_schedule(call)})


def _list_schedules(call: Call) -> Answer:
    hidden = set() if "rotation" in call.query.get("expand", ()) else {"rotations"}
    listed = [{name: value for name, value in one.items() if name not in hidden} for one in call.store.schedules.values()]
    return Answer({"data": listed, "expandable": ["rotation"]})


def _update(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    if call.body.get("name", schedule["name"]).casefold() != schedule["name"].casefold():
        check_free(call.store, "Schedule", call.body["name"])
    schedule.update(_changed(call.store, schedule, call.body))
    return Answer({"data": meta(schedule)})


def _delete(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    del call.store.schedules[schedule["id"]]
    call.store.overrides.pop(schedule["id"], None)
    return Answer({"result": "Deleted"})


def _get_timeline(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    start = moment_of(call.query, "date") if "date" in call.query else call.now
    days = call.query.get("interval", 1) * _UNITS[call.query.get("intervalUnit", "weeks")]
    if days > MOST_DAYS:
        raise bad_fields({"interval": f"should be at most {MOST_DAYS} days in all"})
    end = start + timedelta(days=days)
    expanded = call.query.get("expand", ())
    found = rotas(call.store, schedule)
    timelines = {f"{name}Timeline": _timeline(found, start, end, told) for name, told in _TIMELINES.items() if name in ("final", *expanded)}
    whole = {"_parent": meta(schedule), "startDate": written(start), "endDate": written(end), **timelines}
    return Answer({"data": whole, "expandable": ["base", "forwarding", "override"]})


_TIMELINES: Mapping[str, Telling] = {
    "final": lambda rota, start, end: rota.periods(start, end),
    "base": lambda rota, start, end: rota.periods(start, end, overridden=False),
    "override": lambda rota, start, end: [one for one in rota.periods(start, end) if one.kind == "override"],
    "forwarding": lambda _rota, _start, _end: [],
}


def _timeline(found: Sequence[Rota], start: datetime, end: datetime, telling: Telling) -> Entity:
    rotations = [
        {"id": rota.rotation["id"], "name": rota.rotation["name"], "order": float(order), "periods": periods}
        for order, rota in enumerate(found, 1)
        for periods in ([_period(one) for one in telling(rota, start, end)],)
    ]
    return {"rotations": rotations}


def _period(period: Period) -> Entity:
    return {"startDate": written(period.start), "endDate": written(period.end), "type": period.kind, "recipient": shown(period.who)}


def _export(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    periods = [one for rota in rotas(call.store, schedule) for one in rota.periods(call.now, call.now + EXPORTED)]
    events = [(shown(one.who)["name"], one) for one in sorted(periods, key=lambda one: one.start)]
    return Answer({}, calendar=calendar(schedule["name"], events, call.now))


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/schedules/{}": _delete,
    "GET /v2/schedules": _list_schedules,
    "GET /v2/schedules/{}": _get,
    "GET /v2/schedules/{}.ics": _export,
    "GET /v2/schedules/{}/timeline": _get_timeline,
    "PATCH /v2/schedules/{}": _update,
    "POST /v2/schedules": _create,
}
