"""Accepted requests: the service answers 202 and does the work later; whether it did is told by the request's status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.contracts import Reply
from engine.errors import AnswerLost, Refused, Throttled, Unreachable
from steps.opsgenie.answers import LONGEST_WORDS, data_of
from steps.opsgenie.attempt import Attempt, Deadline

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.065, 1.0, 1.6
"""Seconds before and between looks; the service was seen to process a request in 41 to 76 ms."""
TEN_SECONDS = (0.3, 0.7, 1.0, 2.0, 3.0, 3.0)
"""Pauses between looks for what was accepted and may only be late. Looks are counted, never timed: a resumed run must make the same calls
in the same order. That a look's time ran out is written down with the look, so it may end the looking."""
LONGEST_ID = 200


class Unprocessed(AnswerLost):
    """The service accepted the write under an id, and does not tell that it did it: sent again, it might be done twice."""


def accepted(reply: Reply) -> str | None:
    """The id of an accepted request; None when there is nothing to follow. Raises AnswerLost when it was accepted under no usable id."""
    if reply.status != 202:
        return None
    request_id = reply.value.get("requestId")
    if isinstance(request_id, str) and request_id.isascii() and request_id.replace("-", "").isalnum() and len(request_id) <= LONGEST_ID:
        return request_id
    raise AnswerLost("the request was accepted, but not under an id it could be followed by", status=202)


def outcome(attempt: Attempt, request_id: str) -> Mapping[str, Any]:
    """What became of an accepted request, looked at for as long as an attempt may take, and ten seconds more.

    Raises Refused when the service processed it as failed, Unprocessed when it does not say in time, AnswerLost when it does not know it.
    """
    done = _followed(attempt, request_id, _pauses(attempt.context.timeout))
    if done is None and not attempt.settling:
        attempt.deadline = Deadline(sum(TEN_SECONDS))
        done = _followed(attempt, request_id, TEN_SECONDS)
    if done is None:
        raise Unprocessed(
            f"{attempt.operation.name}: request {request_id} was accepted, but not processed within the time limit", status=202
        )
    return done


def _pauses(seconds: float) -> Iterator[float]:
    """Pauses that grow, for so many seconds in all."""
    pause = FIRST_PAUSE
    while seconds > 0:
        yield pause
        seconds -= pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def _followed(attempt: Attempt, request_id: str, pauses: Iterable[float]) -> Mapping[str, Any] | None:
    """What became of it; None when the service does not say before the looks or their time are used up."""
    for pause in pauses:
        attempt.context.clock.sleep(pause)
        try:
            reply = attempt.status_of(request_id)
        except Throttled as error:
            _hold_back(attempt, error)
        except Unreachable as error:
            if error.again != "safe":
                return None
        except Refused as error:
            raise AnswerLost(f"request {request_id} was accepted, but: {error.message}", status=error.status) from error
        else:
            if (done := _success(reply)) is not None:
                return _processed(attempt, reply, done=done)
    return None


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
