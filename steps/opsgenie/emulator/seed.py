"""From a state file to an account with something in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.contracts import FromFile
from engine.errors import Finding, Invalid, UsageError
from engine.model import Path
from steps.operation import Operation
from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.domains import alerts, heartbeats, incidents, overrides, roles, schedules, teams, users
from steps.opsgenie.emulator.durations import duration
from steps.opsgenie.emulator.faults import fault_from
from steps.opsgenie.emulator.forms import check, is_moment, parted, place, wording
from steps.opsgenie.emulator.keys import EmulatorKey, default_keys, made_key
from steps.opsgenie.emulator.limits import RateLimit
from steps.opsgenie.emulator.moments import read, written
from steps.opsgenie.emulator.people import user_named
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.routes import route_named
from steps.opsgenie.emulator.store import Entity, Store

FINDING = "emulator-state"
"""Id of a finding in a state."""

Wrong = tuple[Path, str]
"""Where something is wrong, and what."""


def check_state(state: Mapping[str, Any]) -> None:
    """Raises Invalid with one finding for each thing that is wrong in the state, each naming its path and no value."""
    from jsonschema import Draft7Validator, FormatChecker

    from steps.opsgenie.emulator.state_schema import STATE_SCHEMA

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(is_moment)
    wrong = [_explained(error) for error in Draft7Validator(STATE_SCHEMA, format_checker=formats).iter_errors(dict(state))]
    _refuse(state, wrong or [*_wrong_faults(state), *_wrong_deeds(state)])


def _refuse(state: Mapping[str, Any], wrong: Sequence[Wrong]) -> None:
    if wrong:
        raise Invalid([_finding(state, path, told) for path, told in wrong])


def _finding(state: Mapping[str, Any], path: Path, told: str) -> Finding:
    """Where it stands in the file, if the state came out of one."""
    message = f"emulator state, {place(path) or 'at the top'}: {told}"
    return state.finding(FINDING, message, path) if isinstance(state, FromFile) else Finding(FINDING, "error", message)


def _explained(error: Any) -> Wrong:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        extra = next(name for name in error.instance if name not in error.schema["properties"])
        return (*path, extra), f"is not known here; known are {', '.join(error.schema['properties'])}"
    if error.validator == "required":
        return path, error.message
    if path[-1:] == ("do",):
        return path, "is no operation; `opsbook steps list` names them all"
    return path, wording(error) or "has none of the forms it may have"


def _wrong_faults(state: Mapping[str, Any]) -> Iterator[Wrong]:
    for number, entry in enumerate(state.get("faults", ())):
        try:
            fault_from(entry)
        except UsageError as error:
            yield ("faults", number, "answer"), f"{error.message} {error.hint}"


def _wrong_deeds(state: Mapping[str, Any]) -> Iterator[Wrong]:
    for number, entry in enumerate(state.get("during", ())):
        row, given = _row(entry["do"]), entry.get("with", {})
        where = ("during", number, "with")
        unknown = sorted(set(given) - {*row.path_names, *row.query, *row.body})
        if unknown:
            yield where, f"{row.name} has no field {', '.join(unknown)}"
        try:
            check(row, *parted(row, given))
        except ApiError as problem:
            yield from (((*where, field), told) for field, told in (problem.errors or {}).items())


def seeded(state: Mapping[str, Any], now: datetime) -> Store:
    """The account that a checked state describes, as it is at the start. Raises Invalid for names that clash or are not there."""
    store = Store()
    store.account |= state.get("account", {})
    for name, seed in _SEEDS.items():
        for number, entry in enumerate(state.get(name, ())):
            try:
                seed(store, entry, now)
            except ApiError as problem:
                told = ", ".join((problem.errors or {}).values()) or problem.message
                _refuse(state, [((name, number), told)])
    return store


def keys_of(state: Mapping[str, Any]) -> tuple[EmulatorKey, ...]:
    """The keys of a state: those it lists, else one of each kind; a team key belongs to the first team unless it says which."""
    first = next((team["name"] for team in state.get("teams", ())), None)
    if "keys" not in state:
        return default_keys(first)
    keys: list[EmulatorKey] = []
    for entry in state["keys"]:
        number = sum(1 for key in keys if key.kind == entry["kind"])
        team = entry.get("team", first) if entry["kind"] == "team" else None
        rights = {"rights": entry["rights"]} if "rights" in entry else {}
        keys.append(made_key(entry["kind"], number, team=team, **rights))
    return tuple(keys)


def limits_of(state: Mapping[str, Any]) -> dict[str, tuple[RateLimit, ...]]:
    """The rate limits of a state."""
    given: Mapping[str, Any] = state.get("limits", {})
    return {domain: tuple(RateLimit(one["limit"], one["periodInSeconds"]) for one in limits) for domain, limits in given.items()}


def _row(name: str) -> Operation:
    route = route_named(name)
    assert route is not None
    return route.row


def _moment(entry: Mapping[str, Any], now: datetime, name: str = "createdAt") -> datetime:
    given = entry.get(name)
    if given is None:
        return now
    if isinstance(given, str):
        return read(given)
    return now - duration(given["ago"]) if "ago" in given else now + duration(given["in"])


def _user(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    given = {"fullName": entry["username"].partition("@")[0], **entry, "role": {"name": entry.get("role", "User")}}
    users.add_user(store, given, now)


def _team(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    members = [{"user": {"username": one["username"]}, "role": one.get("role", "user")} for one in entry.get("members", ())]
    for one in members:
        _known_user(store, one["user"]["username"], now)
    teams.add_team(store, {**entry, "members": members}, now)


def _known_user(store: Store, username: str, now: datetime) -> Entity:
    """The user of that name, who comes into being when the state does not describe them."""
    if not store.known("user", {"username": username}):
        _user(store, {"username": username}, now)
    return user_named(store, {"username": username})


def _named(kind: str) -> Callable[[Store, Mapping[str, Any], datetime], None]:
    def seed(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
        made = entry.get("id") or store.new_id()
        users = [_known_user(store, name, now)["id"] for name in entry.get("users", ())]
        getattr(store, kind)[made] = {"id": made, **entry, "users": users}

    return seed


def _schedule(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    """With `users` for a rotation of weekly turns. Turns begin with the week unless told."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    given: Entity = {name: value for name, value in entry.items() if name not in ("users", "overrides", "rotations")}
    if isinstance(entry.get("ownerTeam"), str):
        given["ownerTeam"] = {"name": entry["ownerTeam"]}
    turns = [{"name": "Rota", "participants": entry["users"]}] if entry.get("users") else []
    usual = {"type": "weekly", "startDate": written(monday)}
    given["rotations"] = [_dated(store, usual | one, now) for one in (*turns, *entry.get("rotations", ()))]
    schedule = schedules.add_schedule(store, given)
    for one in entry.get("overrides", ()):
        overrides.add_override(store, schedule, _dated(store, one, now))


def _dated(store: Store, entry: Mapping[str, Any], now: datetime) -> Entity:
    """A rotation or override with its times as the service writes them, and its people as recipients."""
    times = {name: written(_moment(entry, now, name)) for name in ("startDate", "endDate") if name in entry}
    people = {"participants": [_recipient(store, one, now) for one in entry["participants"]]} if "participants" in entry else {}
    user = {"user": _recipient(store, entry["user"], now)} if "user" in entry else {}
    return {**entry, **times, **people, **user}


def _recipient(store: Store, given: str | Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    if not isinstance(given, str):
        return given
    _known_user(store, given, now)
    return {"type": "user", "username": given}


def _alert(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    given = {name: value for name, value in entry.items() if name not in ("teams", "createdAt", "status", "acknowledged", "owner", "count")}
    named = [{"name": one} if isinstance(one, str) else one for one in entry.get("teams", ())]
    given["responders"] = [*given.get("responders", ()), *({"type": "team", **one} for one in named)]
    call = Call(store, _moment(entry, now), _row("opsgenie.alert.create"), body=given)
    alert = alerts.open_alert(call)
    alert.fields |= {name: entry[name] for name in ("status", "acknowledged", "owner", "count") if name in entry}


def _incident(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    given = {name: value for name, value in entry.items() if name not in ("service", "status", "createdAt")}
    given.setdefault("serviceId", store.resolve("service", {"name": entry.get("service", "")})["id"])
    call = Call(store, _moment(entry, now), _row("opsgenie.incident.create"), body=given)
    incident = incidents.open_incident(call)
    incident.fields["status"] = entry.get("status", "open")


def _heartbeat(store: Store, entry: Mapping[str, Any], now: datetime) -> None:
    since = _moment(entry, now, "lastPingTime")
    heartbeat = heartbeats.add_heartbeat(store, {"enabled": True, **entry}, since)
    if "lastPingTime" in entry:
        heartbeat.fields["lastPingTime"] = written(since)


def _role(store: Store, entry: Mapping[str, Any], _now: datetime) -> None:
    roles.add_role(store, entry)


_SEEDS: Mapping[str, Callable[[Store, Mapping[str, Any], datetime], None]] = {
    "roles": _role,
    "users": _user,
    "teams": _team,
    "escalations": _named("escalations"),
    "schedules": _schedule,
    "services": _named("services"),
    "alerts": _alert,
    "incidents": _incident,
    "heartbeats": _heartbeat,
}
"""In this order: what comes later names what came before."""
