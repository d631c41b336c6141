"""`opsgenie.request`: any request of the API, for what has no step of its own yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Reply, Schema, StepContext
from engine.errors import StepError
from steps.fields import answer, anything, flag, integer, map_of, one_of, record, text
from steps.operation import Idempotency, KeyKind, Operation, Right
from steps.opsgenie.parts import Parts
from steps.opsgenie.shapes import CREDENTIALS
from steps.step import BaseStep

_FOLLOWED = {
    "/v1/incidents": "/v1/incidents/requests/{requestId}",
    "/v2/alerts": "/v2/alerts/requests/{requestId}",
    "/v2/deployments": "/v2/deployments/requests/{requestId}",
}
"""Where the outcome of a write that is answered with 202 is told, by the beginning of the write's path."""

_IDEMPOTENCY = {
    "DELETE": Idempotency.DELETE,
    "GET": Idempotency.SAFE,
    "PATCH": Idempotency.ONCE,
    "POST": Idempotency.ONCE,
    "PUT": Idempotency.REPEATABLE,
}
_RIGHTS: dict[str, Right] = {"DELETE": "delete", "GET": "read"}
_PING = re.compile(r"/v2/heartbeats/[^/]+/ping/?")
_ALERTS_OR_HEARTBEATS = re.compile(r"/v2/(?:alerts|heartbeats)(?:/|\Z)")
"""What an integration's key may do without the right to configure."""
_ALERTS_OR_INCIDENTS = re.compile(r"/v\d/(?:alerts|incidents)(?:/|\Z)")
"""What holds no key of the service's: fields there are named by whoever raised them."""
_LEADS_ELSEWHERE = re.compile(r"//|\.\.|/\.(?:[/;]|\Z)|%2e", re.IGNORECASE)
"""What clients and servers that tidy paths up would ask for something else by."""
_ALLOWED = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


class RequestStep(BaseStep):
    """The raw step. A key in an answer (`apiKey` of an integration) is `***` in the outputs, and is masked wherever it would be told."""

    name = "opsgenie.request"
    summary = "Sends one request of your own to the API, with the connection's key and all its care."
    effect: Effect = "write"
    idempotency = Idempotency.ONCE.value
    rate_limit_domain = "request"
    inputs = record(
        required=("method", "path"),
        method=one_of(*sorted(_IDEMPOTENCY)),
        path=text(min_length=2, max_length=2000, example="/v2/teams"),
        query=map_of(anything()),
        body=anything(),
        follow=flag() | {"default": True},
        key=one_of("account", "heartbeat", "integration", "team"),
    )

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """The answer, whatever it holds, and the outcome of a followed request as `data`."""
        del written
        return answer(status=integer(), data=anything(), result=text(), requestId=text(), body=anything())

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Sends it and returns the answer. Raises StepError."""
        path, method = str(given["path"]), str(given["method"])
        if not context.planning:
            _check(path)
        operation = _operation(method, path, _kinds(given), follow=given.get("follow", True))
        query = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in given.get("query", {}).items()}
        parts = Parts(method, path, path, query=query, body=given.get("body") if method != "GET" else None)
        done: Mapping[str, Any] | None = context.connection().carry_out(operation, parts, {}, context, _outputs)
        found: Mapping[str, Any] = context.unknown(self.outputs(given)) if done is None else done
        return found


def _operation(method: str, path: str, kinds: tuple[KeyKind, ...], *, follow: bool) -> Operation:
    """What is known of a request by its method and path. A ping needs a key that may read, and does something whatever its method."""
    ping = bool(_PING.fullmatch(path))
    return Operation(
        name=RequestStep.name,
        request=f"{method} /",
        vendor=None,
        summary=RequestStep.summary,
        keys=kinds,
        rate_limit_domain=RequestStep.rate_limit_domain,
        idempotency=Idempotency.REPEATABLE if ping else _IDEMPOTENCY[method],
        follow=_followed(path) if follow else None,
        data={},
        right="read" if ping else _RIGHTS.get(method, "create_and_update"),
        secrets=None if _ALERTS_OR_INCIDENTS.match(path) else CREDENTIALS,
        configuration=False if _ALERTS_OR_HEARTBEATS.match(path) else "integration",
    )


def _kinds(given: Mapping[str, Any]) -> tuple[KeyKind, ...]:
    """The kind asked for; none: the least privileged key there is."""
    kind = given.get("key")
    return () if kind is None else (kind,)


def _check(path: str) -> None:
    """Keeps the key on its host. Raises StepError when the path could lead elsewhere."""
    if not _ALLOWED.fullmatch(path) or _LEADS_ELSEWHERE.search(path):
        raise StepError(
            "path is not an absolute path on the service's host, or could lead elsewhere; nothing was sent",
            code="invalid_input",
            again="never",
            hint="Begin with one slash, use no `.` or `..`, percent-encode what is no plain character; give query fields under `query`.",
        )


def _followed(path: str) -> str | None:
    return next((follow for start, follow in _FOLLOWED.items() if path.startswith(start)), None)


def _outputs(operation: Operation, reply: Reply, status: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The answer in parts and whole."""
    del operation
    body = reply.value if isinstance(reply.value, Mapping) else {}
    found = {"status": reply.status, "body": reply.value, "data": body.get("data") if status is None else status}
    return found | {name: body[name] for name in ("result", "requestId") if name in body}


REQUEST = RequestStep()
