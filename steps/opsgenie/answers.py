"""What an answer of the service means: strict JSON, and the fate of a call by its status.

Statuses, header names and the shape of errors are the vendor's; see the examples under the vendor's API documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.contracts import Effect, Reply
from engine.errors import AnswerLost, KeyRefused, Refused, StepError, Throttled, Unreachable
from engine.secret import Secret
from steps.exchange import Response
from steps.operation import Operation, Paging
from steps.parsing import strict_json

KEPT_HEADERS = ("retry-after", "x-opsgenie-errortype", "x-request-id")
LONGEST_WORDS = 500
"""Characters of the service's own words that a message repeats."""
NOT_PROCESSED = "RequestNotProcessed"
"""X-Opsgenie-Errortype of a request that waits to be processed."""
_TELLING = (404, 409)
_NAMES = ("alias", "id", "name", "tinyId", "username")
"""Fields by which an answer says whom it is about."""


def reply_of(response: Response, effect: Effect, frame: tuple[str, str] | None = None) -> Reply:
    """The answer as plain values; a good one that must be a text in such a frame, as the `content` of its data.

    Raises AnswerLost (a write) or Unreachable (a read) when the answer says nothing of what happened: it is not the service's JSON, a
    redirect, or a server error on a write. Something between may answer in the service's place: a proxy, a sign-in page.
    """
    status = response.status
    if effect == "write" and (status >= 500 or status == 408):
        raise AnswerLost(f"the service answered {status}", status=status)
    try:
        value = _text(response, *frame) if frame and status == 200 else _decoded(response)
    except (ValueError, RecursionError):
        value = None
    if status < 200 or 300 <= status < 400 or not _own(status, value):
        raise garbage(status, effect)
    kept = {name: text for name, text in response.headers.items() if name in KEPT_HEADERS or name.startswith("x-ratelimit-")}
    return Reply(value, status, kept, names=_names(value))


def _names(value: Mapping[str, Any] | None) -> dict[str, str]:
    """What the alert is called that an answer is about, if it is about one; an alert alone has both a short id and an alias."""
    data = (value or {}).get("data")
    if not isinstance(data, Mapping):
        return {}
    own = data.get("id") if {"tinyId", "alias"} <= data.keys() else None
    found = {"alertId": data.get("alertId") or own, "alias": data.get("alias"), "tinyId": data.get("tinyId")}
    return {name: told for name, told in found.items() if isinstance(told, str) and told} if found["alertId"] else {}


def _own(status: int, value: Mapping[str, Any] | None) -> bool:
    """Whether the service itself speaks: every good answer of it holds one of these fields.

    404 and 409 are what a settled doubt reads as done or not done, so they, too, must be its own; any other refusal means the same
    whoever speaks.
    """
    if status in _TELLING:
        return value is not None and isinstance(value.get("message"), str)
    return status >= 400 or (value is not None and any(value.get(name) is not None for name in ("data", "requestId", "result")))


def garbage(status: int, effect: Effect) -> StepError:
    """The error that stands for an answer of somebody else."""
    what = f"an answer of status {status} that is " + ("a redirect" if 300 <= status < 400 else "not the service's JSON")
    return AnswerLost(what, status=status) if effect == "write" else Unreachable(what, status=status)


def _decoded(response: Response) -> dict[str, Any]:
    """The body. Raises ValueError when it is no strict JSON."""
    value: Any = strict_json(response.body.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as every other answer that is not the service's JSON
    return value


def _text(response: Response, begins: str, ends: str) -> dict[str, Any]:
    """The body in the envelope all other answers have. Raises ValueError when it is another text, or not all of it."""
    content = response.body.decode("utf-8")
    if not (content.startswith(begins) and content.rstrip().endswith(ends)):
        raise ValueError("another text")
    return {"data": {"content": content}}


def sealed(reply: Reply, names: re.Pattern[str] | None, origin: str) -> Reply:
    """The reply with the values of fields of these names masked, and given beside it as secrets that came from `origin`."""
    found: list[Secret] = []
    if names is None:
        return reply
    return replace(reply, value=_sealed(reply.value, names, origin, found), secrets=tuple(found))


def _sealed(value: Any, names: re.Pattern[str], origin: str, found: list[Secret]) -> Any:
    if isinstance(value, list):
        return [_sealed(item, names, origin, found) for item in value]
    if not isinstance(value, Mapping):
        return value
    sealed: dict[str, Any] = {}
    for name, part in value.items():
        if names.search(name) and isinstance(part, str) and part:
            found.append(Secret(part, origin))
            sealed[name] = str(found[-1])
        else:
            sealed[name] = _sealed(part, names, origin, found)
    return sealed


def failure(reply: Reply) -> StepError | None:
    """The error an answer stands for, or None when it is good."""
    status = reply.status or 0
    if status < 400:
        return None
    words = said(reply)
    if status == 429:
        return Throttled(f"too many requests: {words}", status=status, retry_after=period(reply))
    if status >= 500 or status == 408:
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
    return float(min(int(text[:9]), 3600)) if text and text.isascii() and text.isdigit() else None


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


def items_of(reply: Reply, paging: Paging) -> list[Any] | None:
    """The items of one page; None when the answer holds no such list."""
    data = data_of(reply)
    if paging.items and isinstance(data, Mapping):
        data = data.get(paging.items, [])
    return data if isinstance(data, list) and all(isinstance(item, Mapping) for item in data) else None


def is_anothers(operation: Operation, ids: Mapping[str, Any], reply: Reply) -> bool:
    """Whether a good answer is plainly no answer to this request.

    An asynchronous write that is not said to be accepted; a read of another form, or one about something else than the path ends with.
    """
    if (reply.status or 0) >= 400:
        return False
    if operation.effect == "write":
        return operation.asynchronous and reply.status != 202
    if not fits(operation, reply):
        return True
    if operation.listing or not operation.path_template.endswith("}") or "id" not in operation.data.get("properties", {}):
        return False
    data = data_of(reply)
    names = {str(data[name]).strip().casefold() for name in _NAMES if name in data}
    return str(ids[operation.path_names[-1]]).strip().casefold() not in names


def fits(operation: Operation, reply: Reply) -> bool:
    """Whether a read's answer holds what the operation reads: a list of objects, or an object, with its id where it has one."""
    if operation.listing:
        return items_of(reply, operation.listing) is not None
    fields, data = operation.data.get("properties", {}), data_of(reply)
    return not fields or (isinstance(data, Mapping) and ("id" not in fields or isinstance(data.get("id"), str)))
