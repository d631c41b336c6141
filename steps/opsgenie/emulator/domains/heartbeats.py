"""Heartbeats: pinged, overdue, and the alert that tells so.

The service takes a ping of any name and answers before it looks whether there is such a heartbeat; it may be sent with GET, POST, PUT
or PATCH. A team's key makes heartbeats of its team, whatever it asks for.

Unconfirmed, and chosen here: a heartbeat never pinged does not expire; one that is switched on or changed has its whole interval; a
disabled one keeps the time of its pings and is never expired; a ping closes the alert of its expiry, which nothing else does; while that
stands no second one is opened; any key sees all heartbeats; the alert's source and entity, and every error's wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from steps.fields import answer
from steps.operation import Idempotency, Operation
from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.domains import alerts
from steps.opsgenie.emulator.moments import read, written
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.store import Entity, Heartbeat, Store
from steps.opsgenie.operations import OPERATIONS

_PING = OPERATIONS["opsgenie.heartbeat.ping"]
_row = partial(
    Operation,
    vendor=None,
    summary=_PING.summary,
    keys=_PING.keys,
    configuration=_PING.configuration,
    rate_limit_domain=_PING.rate_limit_domain,
    idempotency=Idempotency.REPEATABLE,
    data=answer(),
)
ROWS: tuple[Operation, ...] = tuple(
    _row(name=f"{_PING.name}_{method.lower()}", request=f"{method} {_PING.path_template}") for method in ("PATCH", "POST", "PUT")
)
"""The other ways to ping."""

_CHANGEABLE = ("description", "interval", "intervalUnit", "enabled", "alertMessage", "alertTags", "alertPriority")


def add_heartbeat(store: Store, given: Mapping[str, object], now: datetime, team: str | None = None) -> Heartbeat:
    """The new heartbeat, counting from now. Raises ApiError (409) when the name is taken."""
    name = str(given["name"])
    if store.heartbeat(name):
        raise ApiError(409, "There is already one Heartbeat with same name")
    usual: Entity = {"description": "", "alertMessage": f"{name} is expired", "alertTags": [], "alertPriority": "P3"}
    changes = {field: given[field] for field in _CHANGEABLE if field in given}
    heartbeat = Heartbeat({"name": name, **usual, **changes, "expired": False}, written(now))
    owner = {"name": team} if team else given.get("ownerTeam")
    _own(store, heartbeat, owner)
    store.heartbeats[name] = heartbeat
    return heartbeat


def _own(store: Store, heartbeat: Heartbeat, owner: object) -> None:
    if isinstance(owner, Mapping):
        team = store.resolve("team", owner)
        heartbeat.fields["ownerTeam"] = {"id": team["id"], "name": team["name"]}


def overdue(store: Store) -> tuple[datetime, Heartbeat] | None:
    """The heartbeat that expires first, and when."""
    waiting = [(due, one) for one in store.heartbeats.values() if (due := _due(one))]
    return min(waiting, key=lambda pair: pair[0], default=None)


def _due(heartbeat: Heartbeat) -> datetime | None:
    """When it expires unless it is pinged before; None while nothing is expected of it."""
    fields = heartbeat.fields
    if not fields["enabled"] or fields["expired"] or "lastPingTime" not in fields:
        return None
    return max(read(heartbeat.since), read(fields["lastPingTime"])) + timedelta(**{fields["intervalUnit"]: fields["interval"]})


def expire(store: Store, heartbeat: Heartbeat, now: datetime) -> None:
    """Opens the alert that says so."""
    fields = heartbeat.fields
    fields["expired"] = True
    if heartbeat.alert in store.alerts and store.alerts[heartbeat.alert].open:
        return
    body: Entity = {"message": fields["alertMessage"], "priority": fields["alertPriority"], "tags": fields["alertTags"]}
    body |= {"source": "heartbeat", "entity": fields["name"]}
    body["responders"] = [{"type": "team", **fields["ownerTeam"]}] if "ownerTeam" in fields else []
    heartbeat.alert = alerts.open_alert(Call(store, now, OPERATIONS["opsgenie.alert.create"], body=body)).fields["id"]


def _ping(call: Call) -> Answer:
    heartbeat = call.store.heartbeat(call.ids[0])
    if heartbeat:
        heartbeat.fields.update(lastPingTime=written(call.now), expired=False)
        _all_is_well(call, heartbeat)
    return Answer({"result": "PONG - Heartbeat received"}, 202)


def _all_is_well(call: Call, heartbeat: Heartbeat) -> None:
    if heartbeat.alert in call.store.alerts:
        alerts.close_alert(Call(call.store, call.now, OPERATIONS["opsgenie.alert.close"], (heartbeat.alert,), person="heartbeat"))
    heartbeat.alert = ""


def _wanted(call: Call) -> Heartbeat:
    heartbeat = call.store.heartbeat(call.ids[0])
    if heartbeat is None:
        raise missing("Heartbeat", call.ids[0])
    return heartbeat


def _state(heartbeat: Heartbeat) -> Answer:
    return Answer({"data": {name: heartbeat.fields[name] for name in ("name", "enabled", "expired")}})


def _create(call: Call) -> Answer:
    team = call.key.team if call.key else None
    return Answer({"data": add_heartbeat(call.store, call.body, call.now, team).fields}, 201)


def _get(call: Call) -> Answer:
    return Answer({"data": _wanted(call).fields})


def _list_heartbeats(call: Call) -> Answer:
    return Answer({"data": {"heartbeats": [one.fields for one in call.store.heartbeats.values()]}})


def _update(call: Call) -> Answer:
    heartbeat = _wanted(call)
    switched = _switch(call, heartbeat, enabled=call.body.get("enabled", heartbeat.fields["enabled"]))
    heartbeat.since = written(call.now)
    heartbeat.fields.update({name: call.body[name] for name in _CHANGEABLE if name in call.body})
    _own(call.store, heartbeat, call.body.get("ownerTeam"))
    return switched


def _switch(call: Call, heartbeat: Heartbeat, *, enabled: bool) -> Answer:
    if enabled != heartbeat.fields["enabled"]:
        heartbeat.since = written(call.now)
        heartbeat.fields.update(enabled=enabled, expired=False)
    return _state(heartbeat)


def _delete(call: Call) -> Answer:
    del call.store.heartbeats[_wanted(call).fields["name"]]
    return Answer({"result": "Deleted"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/heartbeats/{}": _delete,
    "GET /v2/heartbeats": _list_heartbeats,
    "GET /v2/heartbeats/{}": _get,
    "GET /v2/heartbeats/{}/ping": _ping,
    "PATCH /v2/heartbeats/{}": _update,
    "PATCH /v2/heartbeats/{}/ping": _ping,
    "POST /v2/heartbeats": _create,
    "POST /v2/heartbeats/{}/disable": lambda call: _switch(call, _wanted(call), enabled=False),
    "POST /v2/heartbeats/{}/enable": lambda call: _switch(call, _wanted(call), enabled=True),
    "POST /v2/heartbeats/{}/ping": _ping,
    "PUT /v2/heartbeats/{}/ping": _ping,
}
