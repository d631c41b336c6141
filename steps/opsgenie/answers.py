"""What an answer of the service means: strict JSON, and the fate of a call by its status.

Statuses, header names and the shape of errors are the vendor's; see the examples under the vendor's API documentation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Reply
from engine.errors import AnswerLost, KeyRefused, Refused, StepError, Throttled, Unreachable
from steps.exchange import Response

KEPT_HEADERS = ("retry-after", "x-opsgenie-errortype", "x-request-id")
LONGEST_WORDS = 500
"""Characters of the service's own words that a message repeats."""
NOT_PROCESSED = "RequestNotProcessed"
"""X-Opsgenie-Errortype of a request that waits to be processed."""


def reply_of(response: Response, effect: Effect) -> Reply:
    """The answer as plain values.

    Raises AnswerLost (a write) or Unreachable (a read) when the answer says nothing of what happened: it is no JSON, a redirect, or a
    server error on a write.
    """
    status = response.status
    if status >= 500 and effect == "write":
        raise AnswerLost(f"the service answered {status}", status=status)
    try:
        value = _decoded(response)
    except (ValueError, RecursionError):
        if status < 400:
            raise _garbage(status, effect) from None
        value = None
    if status < 200 or 300 <= status < 400:
        raise _garbage(status, effect)
    kept = {name: text for name, text in response.headers.items() if name in KEPT_HEADERS or name.startswith("x-ratelimit-")}
    return Reply(value, status, kept)


def _garbage(status: int, effect: Effect) -> StepError:
    what = f"an answer of status {status} that is " + ("a redirect" if 300 <= status < 400 else "not the service's JSON")
    return AnswerLost(what, status=status) if effect == "write" else Unreachable(what, status=status)


def _decoded(response: Response) -> Any:
    """The body. Raises ValueError when it is no strict JSON."""
    if response.status == 204 and not response.body:
        return None
    value = json.loads(response.body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as every other answer that is not the service's JSON
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def failure(reply: Reply, effect: Effect) -> StepError | None:
    """The error an answer stands for, or None when it is good."""
    status = reply.status or 0
    if status < 400:
        return None
    words = said(reply)
    if status == 429:
        return Throttled(f"too many requests: {words}", status=status, retry_after=period(reply))
    if status >= 500 and effect == "read":
        return Unreachable(words, status=status, retry_after=_seconds(reply.headers.get("retry-after")))
    if status in (401, 403) or (status == 422 and "key format" in words.lower()):
        return KeyRefused(words, status=status)
    return Refused(words, status=status)


def period(reply: Reply) -> float:
    """Seconds a 429 asks to wait: `X-RateLimit-Period-In-Sec`, else `Retry-After`, else one."""
    told = _seconds(reply.headers.get("x-ratelimit-period-in-sec")) or _seconds(reply.headers.get("retry-after"))
    return told or 1.0


def _seconds(text: str | None) -> float | None:
    """A header's whole seconds, at most an hour; None when it says something else."""
    return float(min(int(text), 3600)) if text and text.isascii() and text.isdigit() else None


def said(reply: Reply) -> str:
    """The service's words, with every field it found wrong."""
    value = reply.value if isinstance(reply.value, Mapping) else {}
    message = value.get("message")
    words = message if isinstance(message, str) and message else f"the service answered {reply.status}"
    errors = value.get("errors")
    wrong = "; ".join(f"{name}: {reason}" for name, reason in errors.items()) if isinstance(errors, Mapping) else ""
    return ". ".join(filter(None, (words.rstrip("."), wrong)))[:LONGEST_WORDS]


def not_processed(reply: Reply) -> bool:
    """Whether a request status says: not yet."""
    return reply.status == 404 and reply.headers.get("x-opsgenie-errortype") == NOT_PROCESSED


def data_of(reply: Reply) -> Any:
    """The answer's `data`; all of it when it has no envelope."""
    return reply.value.get("data", {}) if isinstance(reply.value, Mapping) else reply.value
