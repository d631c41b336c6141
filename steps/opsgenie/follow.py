"""Accepted requests: the service answers 202 and does the work later; whether it did is told by the request's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Reply
from engine.errors import AnswerLost, Refused, Throttled, Unreachable
from steps.opsgenie.answers import LONGEST_WORDS, data_of
from steps.opsgenie.attempt import Attempt

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.065, 1.0, 1.6
"""Seconds before and between looks; the service was seen to process a request in 41 to 76 ms."""


def accepted(reply: Reply) -> str | None:
    """The id of an accepted request; None when there is nothing to follow. Raises AnswerLost when it was accepted under no usable id."""
    if reply.status != 202:
        return None
    request_id = reply.value.get("requestId")
    if isinstance(request_id, str) and request_id.replace("-", "").isalnum():
        return request_id
    raise AnswerLost("the request was accepted, but not under an id it could be followed by", status=202)


def outcome(attempt: Attempt, request_id: str) -> Mapping[str, Any]:
    """What became of an accepted request, looked at for as long as an attempt may take.

    How often is told by the pauses alone, never by the clock: a resumed run must make the same calls in the same order.
    Raises Refused when the service processed it as failed, AnswerLost when it does not say in time.
    """
    pause, left = FIRST_PAUSE, attempt.context.timeout
    while left > 0:
        attempt.context.clock.sleep(pause)
        left -= pause
        try:
            reply = attempt.status_of(request_id)
        except Throttled as error:
            _hold_back(attempt, error)
        except Unreachable:
            pass  # a read: looked at again
        except Refused as error:
            raise AnswerLost(f"request {request_id} was accepted, but: {error.message}", status=error.status) from error
        else:
            if (done := _success(reply)) is not None:
                return _processed(attempt, reply, done=done)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
    raise AnswerLost(f"{attempt.operation.name}: request {request_id} was accepted, but not processed within the time limit", status=202)


def _hold_back(attempt: Attempt, error: Throttled) -> None:
    """Waits as told; the wait does not count as the attempt's."""
    seconds = error.retry_after or LONGEST_PAUSE
    attempt.context.clock.sleep(seconds)
    attempt.deadline.extend(seconds)


def _success(reply: Reply) -> bool | None:
    """Whether a request was processed well; None when the answer does not tell."""
    data = data_of(reply)
    done = data.get("isSuccess", data.get("success")) if isinstance(data, Mapping) else None
    return done if isinstance(done, bool) else None


def _processed(attempt: Attempt, reply: Reply, *, done: bool) -> Mapping[str, Any]:
    """The data of a processed request. Raises Refused when it failed."""
    data: Mapping[str, Any] = data_of(reply)
    if not done:
        words = data.get("status") or "the service accepted the request and then could not do it"
        raise Refused(f"{attempt.operation.name}: {words}"[:LONGEST_WORDS], status=reply.status, code="processed_as_failed")
    return data
