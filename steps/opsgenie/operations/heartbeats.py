"""Heartbeats: the service opens an alert by itself when one is not pinged in time. They have no id and are known by their name."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, flag, integer, list_of, moment, one_of, text
from steps.operation import Idempotency, KeyKind, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, PRIORITY, TEAM_META, WRITTEN, jsm, some_of

_KEYS: tuple[KeyKind, ...] = ("heartbeat", *ANY_KEY)
_UNIT = one_of("minutes", "hours", "days")
_MEASURE: Fields = {"description": text(max_length=10000), "interval": integer(1), "intervalUnit": _UNIT, "enabled": flag()}
_ALERT: Fields = {
    "ownerTeam": some_of(id=text(), name=text()),
    "alertMessage": text(max_length=130),
    "alertTags": list_of(text(max_length=50), max_items=20),
    "alertPriority": PRIORITY,
}
_HEARTBEAT = answer(
    name=text(),
    description=text(),
    interval=integer(),
    intervalUnit=_UNIT,
    enabled=flag(),
    expired=flag(),
    lastPingTime=moment(),
    ownerTeam=TEAM_META,
    alertMessage=text(),
    alertTags=list_of(text()),
    alertPriority=PRIORITY,
)
"""`lastPingTime` is missing until the first ping."""
_STATE = answer(name=text(), enabled=flag(), expired=flag())

_row = partial(Operation, keys=_KEYS, configuration=True, rate_limit_domain="heartbeat")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.heartbeat.create",
        request="POST /v2/heartbeats",
        vendor="createHeartbeat",
        summary="Makes a heartbeat; the key of a team makes it one of that team.",
        body={"name": text(min_length=1, max_length=200)} | _MEASURE | _ALERT,
        required=("name", "interval", "intervalUnit", "enabled"),
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=_HEARTBEAT,
        lookup="opsgenie.heartbeat.get",
        jsm=jsm("POST /teams/{teamId}/heartbeats"),
    ),
    _row(
        name="opsgenie.heartbeat.delete",
        request="DELETE /v2/heartbeats/{name}",
        vendor="deleteHeartbeat",
        summary="Removes a heartbeat.",
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /teams/{teamId}/heartbeats?name="),
    ),
    _row(
        name="opsgenie.heartbeat.disable",
        request="POST /v2/heartbeats/{name}/disable",
        vendor="disableHeartbeat",
        summary="Lets a heartbeat be silent without an alert.",
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=_STATE,
    ),
    _row(
        name="opsgenie.heartbeat.enable",
        request="POST /v2/heartbeats/{name}/enable",
        vendor="enableHeartbeat",
        summary="Watches over a heartbeat from now on.",
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=_STATE,
    ),
    _row(
        name="opsgenie.heartbeat.get",
        request="GET /v2/heartbeats/{name}",
        vendor="getHeartbeat",
        summary="Reads one heartbeat: whether it has expired, and when it was pinged last.",
        idempotency=Idempotency.SAFE,
        data=_HEARTBEAT,
    ),
    _row(
        name="opsgenie.heartbeat.list",
        request="GET /v2/heartbeats",
        vendor="listHeartBeats",
        summary="Lists every heartbeat.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole", items="heartbeats"),
        data=_HEARTBEAT,
        jsm=jsm("GET /teams/{teamId}/heartbeats"),
    ),
    _row(
        name="opsgenie.heartbeat.ping",  # answered with 202, and no request status tells what became of it
        request="GET /v2/heartbeats/{name}/ping",
        vendor="ping",
        summary="Says that something is alive; the service takes any name, and does not tell whether it knows it.",
        configuration="account",
        idempotency=Idempotency.REPEATABLE,
        data=answer(result=text(), requestId=text()),
        jsm=jsm("POST /teams/{teamId}/heartbeats/ping?name="),
    ),
    _row(
        name="opsgenie.heartbeat.update",
        request="PATCH /v2/heartbeats/{name}",
        vendor="updateHeartbeat",
        summary="Changes the given fields of a heartbeat.",
        body=_MEASURE | _ALERT,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=_STATE,
        jsm=jsm("PATCH /teams/{teamId}/heartbeats?name="),
    ),
)
