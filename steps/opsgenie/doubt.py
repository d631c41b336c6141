"""One write in doubt: what was given, how often it was looked for and sent again, and how much time is left for either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.contracts import Reply
from engine.errors import AnswerLost, InDoubt, Refused, Unreachable
from steps.operation import Operation
from steps.opsgenie.attempt import Attempt, Deadline
from steps.opsgenie.follow import TEN_SECONDS
from steps.opsgenie.operations import OPERATIONS

Outputs = Mapping[str, Any]
Write = Callable[[Attempt], Outputs]

ONCE_MORE = (0.5, 1.5)
"""Pauses between looks where ten seconds were waited before."""
MOST = 3
"""How often a write is sent again before a person has to decide."""


@dataclass(slots=True)
class Doubt:
    """A write that may or may not have happened.

    Attributes:
        given: with its marks and the resolved id.
        write: sends the write once and waits for its outcome.
        since: when its intent was written, by this machine's clock.
        cause: how the answer was lost.
        accepted: whether the service has it and says that it is not processed yet.
        resent: how often it was sent again.
        looked: whether it was looked for.
        looking, resending: the time of all looks, and of all times it is sent again.
    """

    attempt: Attempt
    given: Mapping[str, Any]
    write: Write
    since: datetime
    cause: str
    accepted: bool
    looking: Deadline
    resending: Deadline
    resent: int = field(default=0, init=False)
    looked: bool = field(default=False, init=False)

    @property
    def operation(self) -> Operation:
        """The operation in doubt."""
        return self.attempt.operation

    def resend(self, most: int = MOST) -> Outputs:
        """The same write once more. Raises AnswerLost when that is in doubt, too, and InDoubt when it was sent again often enough."""
        if self.resent >= (min(most, 1) if self.accepted else most):
            raise undecided(self, self.cause)
        try:
            return self.write(self.attempt.again(self.resending))
        except AnswerLost:
            self.resent += 1
            raise

    def read(self, name: str, given: Mapping[str, Any]) -> Reply | None:
        """A read of the service; None for 404. Raises InDoubt when it is refused: that says nothing of the write."""
        try:
            reply = self.attempt.look(OPERATIONS[name], given, self.looking).send()
        except Refused as error:
            if error.status != 404:
                raise undecided(self, f"{self.cause}; looking for it: {error.message}") from error
            return None
        assert reply is not None, "a dry run sends no write that could be in doubt"
        return reply

    def search(self, look: Callable[[Doubt], Outputs | None]) -> Outputs | None:
        """Looks for ten seconds, where that was done before for two, until it is found. Raises InDoubt when the last look got no answer."""
        failed: Unreachable | None = None
        for pause in (0.0, *(ONCE_MORE if self.looked or self.accepted else TEN_SECONDS)):
            self.wait(pause)
            try:
                failed, found = None, look(self)
            except Unreachable as error:
                failed, found = error, None
                if error.again != "safe":
                    break
            if found is not None:
                return found
        self.looked = True
        if failed is not None:
            raise undecided(self, f"{self.cause}; looking for it: {failed.message}") from failed
        return None

    def wait(self, seconds: float) -> None:
        """Waits; that uses up no time of what comes after."""
        if seconds:
            self.attempt.context.clock.sleep(seconds)
            self.looking.extend(seconds)
            self.resending.extend(seconds)


def undecided(doubt: Doubt, reason: str) -> InDoubt:
    """What a person has to decide, and how."""
    parts = doubt.attempt.parts
    alias = f", alias {doubt.given['alias']}" if "alias" in doubt.given else ""
    begun = doubt.since.isoformat(timespec="seconds")
    return InDoubt(
        f"{doubt.operation.name}: whether this write was done is not known: {reason}",
        hint=f"Look in Opsgenie for its effect ({parts.method} {parts.path}{alias}, sent at {begun} or a little later).",
    )
