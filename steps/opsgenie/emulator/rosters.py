"""Schedules as calls name them, as they are asked for, and as they are told; for the domains that share them.

Unconfirmed, and chosen here: a team stands for all its members and an escalation for all its users; a switched-off schedule has nobody
on call; whoever is named and not there is answered with 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.moments import read, written
from steps.opsgenie.emulator.people import user_named
from steps.opsgenie.emulator.problems import ApiError, bad_fields, missing
from steps.opsgenie.emulator.rota import HALF_HOUR, Rota
from steps.opsgenie.emulator.store import Entity, Store, find

YEARS = range(1971, 2200)
"""Years in which turns are reckoned."""
MOST_LENGTH = 10_000


def wanted_schedule(call: Call) -> Entity:
    """The schedule that the path names. Raises ApiError: 404, or 403 when it is another team's than the key's."""
    kind = call.query.get("identifierType") or call.query.get("scheduleIdentifierType") or "id"
    schedule = find(call.store.schedules, {kind: call.ids[0]}, "name")
    if schedule is None:
        raise missing("Schedule", call.ids[0])
    owner = schedule.get("ownerTeam", {}).get("name")
    if call.key and call.key.kind == "team" and owner not in (None, call.key.team):
        raise ApiError(403, "You are not authorized to access this schedule.", code=40301)
    return schedule


def meta(schedule: Entity) -> Entity:
    """What lists and parents tell of a schedule."""
    return {name: schedule[name] for name in ("id", "name", "enabled")}


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ApiError (422)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise bad_fields({"timezone": "is not a known time zone"}) from None


def rotas(store: Store, schedule: Entity) -> list[Rota]:
    """Its rotations, each under the overrides that concern it; none while it is switched off."""
    zone, overrides = ZoneInfo(schedule["timezone"]), store.overrides.get(schedule["id"], {}).values()
    return [Rota(zone, one, _concerning(one, overrides)) for one in schedule["rotations"] if schedule["enabled"]]


def _concerning(rotation: Entity, overrides: Iterable[Entity]) -> list[Entity]:
    return [one for one in overrides if not one["rotations"] or rotation["id"] in [part["id"] for part in one["rotations"]]]


def takers(schedule: Entity) -> set[str]:
    """Ids of those who take turns in person."""
    return {one["id"] for rotation in schedule["rotations"] for one in rotation["participants"] if one["type"] == "user"}


def made_rotation(store: Store, given: Mapping[str, Any], before: Entity | None = None) -> Entity:
    """The rotation that is asked for; fields not given are as before. Raises ApiError."""
    rotation: Entity = before or {"id": store.new_id(), "name": "", "length": 1}
    rotation = rotation | {name: given[name] for name in ("name", "type", "length", "timeRestriction") if name in given}
    rotation |= {name: written(_half_hour(moment_of(given, name))) for name in ("startDate", "endDate") if name in given}
    if "participants" in given:
        rotation["participants"] = [made_recipient(store, one) for one in given["participants"]]
    if rotation["length"] > MOST_LENGTH:
        raise bad_fields({"length": f"should be at most {MOST_LENGTH}"})
    check_order(rotation)
    return rotation


def moment_of(given: Mapping[str, Any], name: str) -> datetime:
    """The time a field tells. Raises ApiError (422) when it lies too far away."""
    moment = read(given[name])
    if moment.year not in YEARS:
        raise bad_fields({name: f"should lie between the years {YEARS.start} and {YEARS.stop}"})
    return moment


def check_order(given: Mapping[str, Any]) -> None:
    """Raises ApiError (422) unless the start comes before the end."""
    if "endDate" in given and read(given["startDate"]) >= read(given["endDate"]):
        raise bad_fields({"endDate": "should be later than startDate"})


def _half_hour(moment: datetime) -> datetime:
    """The nearest full or half hour; the service moves starts and ends there."""
    beyond = timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
    return moment - beyond + (HALF_HOUR if beyond * 2 >= HALF_HOUR else timedelta())


def made_recipient(store: Store, given: Mapping[str, Any]) -> Entity:
    """Whom a rotation or override names, as it is told. Raises ApiError (404)."""
    kind = given["type"]
    if kind == "none":
        return {"type": "none"}
    if kind == "user":
        user = user_named(store, given)
        return {"type": kind, "id": user["id"], "username": user["username"]}
    found = store.known(kind, given)
    if found is None:
        raise missing(kind.capitalize(), str(given.get("name") or given.get("id")))
    return {"type": kind, "id": found["id"], "name": found["name"]}


def shown(who: Entity) -> Entity:
    """Whoever is on call: `{id, name, type}`."""
    return {"id": who["id"], "name": who.get("username") or who["name"], "type": who["type"]}


def participant(store: Store, who: Entity) -> Entity:
    """Whoever is on call, with those they stand for."""
    if who["type"] == "user":
        return shown(who)
    extra = {"escalationTime": 0, "notifyType": "default"} if who["type"] == "escalation" else {}
    return shown(who) | {"onCallParticipants": [shown(one) | extra for one in _within(store, who)]}


def usernames(store: Store, whom: Sequence[Entity]) -> list[str]:
    """The users, each once, that these stand for."""
    users = (one for who in whom for one in ([who] if who["type"] == "user" else _within(store, who)))
    return list(dict.fromkeys(one["username"] for one in users))


def _within(store: Store, who: Entity) -> list[Entity]:
    if who["type"] == "team" and who["id"] in store.teams:
        return [{"type": "user", **one["user"]} for one in store.teams[who["id"]]["members"]]
    users = store.escalations.get(who["id"], {}).get("users", ()) if who["type"] == "escalation" else ()
    return [{"type": "user", "id": one, "username": store.users[one]["username"]} for one in users if one in store.users]
