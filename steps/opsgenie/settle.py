"""Writes whose answer was lost: what each kind of idempotency allows to find out, and to do.

A write is in doubt from the moment a byte of it may have left until an answer is read; after a crash, a written intent without a result
is the same doubt. Nothing is guessed: what cannot be told apart ends in InDoubt. Settling takes no longer than once more the attempt's
time, and ten seconds or a little more of waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import AnswerLost, InDoubt, KeyRefused, Refused, TakenAsDone, Throttled, Unreachable
from steps.operation import Idempotency
from steps.opsgenie import finding
from steps.opsgenie.attempt import Attempt, Deadline
from steps.opsgenie.doubt import Doubt, Outputs, Write, undecided
from steps.opsgenie.follow import Unprocessed

PAUSES = (2.0, 8.0)
"""Seconds between the tries to settle a doubt there is nothing to look at for; looking takes its own time."""


def settle(attempt: Attempt, given: Mapping[str, Any], write: Write, lost: AnswerLost | TakenAsDone) -> Outputs:
    """The outputs of a write once it is known to be done once. Raises InDoubt, or Refused when the service now says no."""
    context = attempt.context
    since = lost.since or attempt.sent_at or context.clock.now()
    looking, resending = (Deadline(context.timeout) for _ in range(2))
    doubt = Doubt(attempt, given, write, since, lost.message, isinstance(lost, Unprocessed), looking, resending)
    if isinstance(lost, TakenAsDone):
        return _taken_as_done(doubt)
    context.log(f"{lost.message}; finding out whether it was done", "warning")
    for pause in (*PAUSES, 0.0):
        try:
            return _rule(doubt)(doubt)
        except TakenAsDone:  # of the times it was sent again
            return _taken_as_done(doubt)
        except AnswerLost as error:
            doubt.cause, doubt.accepted = error.message, doubt.accepted or isinstance(error, Unprocessed)
            doubt.wait(0.0 if doubt.looked or doubt.accepted else pause)
        except Throttled as error:
            doubt.wait(error.retry_after or pause)
        except KeyRefused as error:
            raise undecided(doubt, error.message) from error
        except Unreachable as error:
            if error.again != "safe":
                break
            doubt.wait(pause)
    raise undecided(doubt, doubt.cause)


def _taken_as_done(doubt: Doubt) -> Outputs:
    """The outputs, as far as they can be known, of a write that a person says was done; it is never sent again."""
    try:
        found = finding.read_back(doubt)
    except (InDoubt, Unreachable) as error:
        doubt.attempt.context.log(f"{doubt.operation.name}: what was done could not be read back: {error.message}", "warning")
        found = {}
    return finding.told(doubt, finding.TAKEN) | finding.known(doubt, found)


def _resend(doubt: Doubt) -> Outputs:
    """Doing it twice is doing it once."""
    return doubt.resend()


def _keyed(doubt: Doubt) -> Outputs:
    """Looks for the alert by its alias, then by its source among the closed; else sends again with the same alias."""
    return doubt.search(finding.alert_by_alias) or finding.alert_by_source(doubt) or doubt.resend(most=2)


def _clash(doubt: Doubt) -> Outputs:
    """Sends again; when the name is taken, by what was asked for, it is done."""
    try:
        return doubt.resend()
    except Refused as error:
        if error.status != 409:
            raise
        found = finding.namesake(doubt)
        if found is None:
            raise undecided(doubt, f"{error.message}, and what is there differs from what was asked for") from error
    return finding.known(doubt, found) | {"result": finding.FOUND}


def _delete(doubt: Doubt) -> Outputs:
    """Sends again; what is not there is deleted."""
    try:
        return doubt.resend()
    except Refused as error:
        if error.status != 404 and not (error.code == "processed_as_failed" and "not exist" in error.message):
            raise
    return {"result": "Gone after the answer was lost"}


def _noted(doubt: Doubt) -> Outputs:
    """Reads the notes back; sends again when ours is not among them: a change and the note that came with it are one.

    What the service has accepted and is only late with is not sent again: it would be there twice.
    """
    return doubt.search(finding.note) or doubt.resend(most=0 if doubt.accepted else 1)


def _once(doubt: Doubt) -> Outputs:
    """Nothing tells whether it was done, and doing it twice is not doing it once."""
    raise undecided(doubt, doubt.cause)


_RULES: dict[Idempotency, Callable[[Doubt], Outputs]] = {
    Idempotency.CLASH: _clash,
    Idempotency.DELETE: _delete,
    Idempotency.KEYED: _keyed,
    Idempotency.MARKED: _noted,
    Idempotency.ONCE: _once,
    Idempotency.REPEATABLE: _resend,
    Idempotency.SAFE: _resend,
}


def _rule(doubt: Doubt) -> Callable[[Doubt], Outputs]:
    """What to do about a doubt: to make a change twice is to make it once, but for the note it leaves."""
    row = doubt.operation
    leaves_note = row.idempotency is Idempotency.REPEATABLE and "note" in doubt.given and finding.notes_of(row) is not None
    return _noted if leaves_note else _RULES[row.idempotency]
