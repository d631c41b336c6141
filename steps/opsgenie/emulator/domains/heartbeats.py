"""Heartbeat pings, which have no step of their own: any name is taken, nothing is kept, and there is nothing to follow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from steps.fields import answer
from steps.operation import Idempotency, Operation
from steps.opsgenie.emulator.call import Answer, Answering, Call

_row = partial(
    Operation,
    vendor="ping",
    summary="Says that something is alive.",
    keys=("heartbeat", "integration", "team", "account"),
    configuration="account",
    rate_limit_domain="heartbeat",
    idempotency=Idempotency.REPEATABLE,
    data=answer(),
)

ROWS: tuple[Operation, ...] = tuple(
    _row(name=f"opsgenie.heartbeat.ping_{method.lower()}", request=f"{method} /v2/heartbeats/{{name}}/ping")
    for method in ("GET", "PATCH", "POST", "PUT")
)


def _ping(_call: Call) -> Answer:
    return Answer({"result": "PONG - Heartbeat received"}, 202)


ANSWERS: Mapping[str, Answering] = {
    "GET /v2/heartbeats/{}/ping": _ping,
    "PATCH /v2/heartbeats/{}/ping": _ping,
    "POST /v2/heartbeats/{}/ping": _ping,
    "PUT /v2/heartbeats/{}/ping": _ping,
}
