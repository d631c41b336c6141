"""Answers as bytes, and what faults make of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import Any

from steps.exchange import Response
from steps.opsgenie.emulator.call import Answer
from steps.opsgenie.emulator.faults import Fault
from steps.opsgenie.emulator.problems import ApiError

TOOK = 0.012
"""Seconds an answer says it took; always the same, so that answers can be compared."""

HUGE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the service sends, and the fault that befalls it on the way; no response when it never sends one."""

    response: Response | None
    fault: Fault | None = None

    @property
    def breaks(self) -> str | None:
        """How the connection breaks, if it does."""
        return self.fault.answer if self.fault and self.fault.answer in BREAKS else None

    @property
    def late(self) -> float:
        """Seconds until the response comes."""
        return self.fault.seconds if self.fault and self.fault.answer == "slow" else 0.0


BREAKS = frozenset({"closed", "closed_before", "headers_only", "lost", "refused", "reset_before", "truncated"})
"""Faults of the connection; the others change the response."""


def json_response(status: int, body: Mapping[str, Any], request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The service's usual answer: a JSON object with `took` and `requestId`."""
    whole = {**body, "took": TOOK, "requestId": request_id}
    usual = {"content-type": "application/json; charset=utf-8", "x-ratelimit-state": "OK", "x-request-id": request_id}
    return Response(status, {**usual, **(headers or {})}, json.dumps(whole).encode())


def answered(answer: Answer, request_id: str) -> Response:
    """What a synchronous call is answered."""
    if answer.calendar is None:
        return json_response(answer.status, answer.body, request_id)
    headers = {"content-type": "text/calendar; charset=utf-8", "x-ratelimit-state": "OK", "x-request-id": request_id}
    return Response(answer.status, headers, answer.calendar.encode())


def problem_response(problem: ApiError, request_id: str) -> Response:
    """The answer that says no."""
    body: dict[str, Any] = {} if problem.code is None else {"code": problem.code}
    body["message"] = problem.message
    if problem.errors:
        body["errors"] = dict(problem.errors)
    return json_response(problem.status, body, request_id, problem.headers)


def throttled(reason_period: int) -> ApiError:
    """The 429, for a limit over so many seconds."""
    headers = {
        "x-ratelimit-state": "THROTTLED",
        "x-ratelimit-reason": "ACCOUNT",
        "x-ratelimit-period-in-sec": str(reason_period),
    }
    return ApiError(429, "You are making too many requests! To avoid errors, we recommend you limit requests.", headers=headers)


def faulty(fault: Fault, response: Response | None, request_id: str) -> Delivery:
    """What is delivered of a response (None: the request was not processed) under a fault."""
    if fault.status is not None:
        return Delivery(_http_error(fault.status, request_id), fault)
    if fault.answer == "redirect":
        return Delivery(Response(307, {"location": "https://elsewhere.invalid/", "content-length": "0"}, b""), fault)
    if response is None:
        return Delivery(None, fault)
    change = _CHANGES.get(fault.answer)
    return Delivery(change(response) if change else response, fault)


def _http_error(status: int, request_id: str) -> Response:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return problem_response(throttled(60), request_id)
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    return problem_response(ApiError(status, phrase), request_id)


@cache
def _gzip_bomb() -> bytes:
    """A gzip stream of a gigabyte of zeros: one flushed block, a thousand times over."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1024 * 1024)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * 1023


def _encoded_bomb(response: Response) -> Response:
    return replace(response, headers={**response.headers, "content-encoding": "gzip"}, body=_gzip_bomb())


def _web_page(response: Response) -> Response:
    return replace(response, headers={"content-type": "text/html"}, body=b"<!doctype html><title>Sign in</title><p>Please sign in.</p>")


_CHANGES: Mapping[str, Callable[[Response], Response]] = {
    "bad_json": lambda response: replace(response, body=response.body[: len(response.body) // 2]),
    "empty": lambda response: replace(response, body=b""),
    "garbage": lambda response: replace(response, body=bytes(range(128, 256))),
    "gzip_bomb": _encoded_bomb,
    "html": _web_page,
    "huge": lambda response: replace(response, body=b'{"data":"' + b"x" * HUGE + b'"}'),
    "wrong_json": lambda response: replace(response, body=b"[]"),
}
