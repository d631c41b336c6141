"""The error tree, and the findings that say where a runbook is wrong.

OpsbookError                    code, exit status, hint
├── UsageError                  2   the command line is wrong
├── Invalid                     3   runbook, inputs or configuration; carries every finding; nothing was sent
├── KeyProblem                  4   a key is missing, unreadable or of the wrong kind; nothing was sent
├── StepError                   1   a step failed; what a runbook sees as `error`
│   ├── CheckFailed             3   one of the runbook's checks does not hold; nothing was sent
│   ├── Refused                 1   the service said no
│   │   └── KeyRefused          4   the service said no to the key
│   ├── Unreachable             5   nothing was sent, or a read found no answer
│   │   └── Throttled           5   still rate-limited
│   ├── AnswerLost              7   bytes may have left and no answer is known; settled by the operation's idempotency
│   └── InDoubt                 7   could not be settled: a person decides
├── Overlap                     11  another run holds the concurrency group
├── ChainBroken                 12  the audit log was changed
├── AuditUnwritable             13  the audit log cannot be written; nothing was sent
└── Interrupted                 14  parked by SIGTERM or SIGHUP; 130 when ended by SIGINT

Returned stands apart: it is how `return` leaves the steps around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what was found, what was expected, what to do.

    Attributes:
        id: stable id of the check (`RB101`), which has a page in docs/checks.
        severity: an error stops a run; a warning does so only under `--strict`.
        message: found and expected, in one sentence without the value of anything that may be secret.
        place: where; None when the finding is about no file (an input given on the command line).
        hint: what to do, or None.
        source: the source line at `place`, for the caret.
        width: how many characters the caret underlines.
    """

    id: str
    severity: Literal["error", "warning"]
    message: str
    place: Place | None = None
    hint: str | None = None
    source: str | None = None
    width: int = 1

    def at(self, place: Place, source: str | None = None, width: int = 1) -> Finding:
        """The same finding, at a place."""
        return replace(self, place=place, source=source, width=width)


class OpsbookError(Exception):
    """Root of every error this project raises on purpose; its text is fit for a user's eyes."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OpsbookError):
    """The command line asks for something that makes no sense."""

    code = "usage"
    exit_status = 2


class Invalid(OpsbookError):
    """A runbook, its inputs or the configuration is invalid; carries every finding."""

    code = "invalid"
    exit_status = 3

    def __init__(self, findings: Sequence[Finding], *, hint: str | None = None) -> None:
        first = findings[0].message if findings else "invalid"
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(first + more, hint=hint)
        self.findings = tuple(findings)


class KeyProblem(OpsbookError):
    """A key is missing, cannot be read, or no key may make a call; known before anything is sent."""

    code = "key"
    exit_status = 4


class StepError(OpsbookError):
    """A step failed.

    Attributes:
        code: stable word a runbook may compare with (`error.code`).
        status: HTTP status, where there was an answer.
        again: "safe" to try again without being asked, "maybe" when the author asks with `retry`,
            "never" unless `retry.if` says so.
        retry_after: seconds the service asked to wait, or None.
    """

    code = "failed"
    again: Literal["safe", "maybe", "never"] = "maybe"
    final = False
    """Whether no rescue, continue_on_error or finally may pass over it."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        status: int | None = None,
        again: Literal["safe", "maybe", "never"] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code or type(self).code
        self.status = status
        self.again = again or type(self).again
        self.retry_after = retry_after

    def as_value(self) -> dict[str, Any]:
        """What `steps.<id>.error` and `error` show a runbook."""
        return {"message": self.message, "status": self.status, "code": self.code}


class Refused(StepError):
    """The service understood and said no (4xx, or a request processed as failed)."""

    code = "refused"
    again = "never"


class KeyRefused(Refused):
    """The service does not accept the key, or the key lacks a right."""

    code = "key_refused"
    exit_status = 4


class Unreachable(StepError):
    """Nothing left this machine, or a read went unanswered: trying again changes nothing twice.

    `again` is "maybe" where the call's whole time ran out: once more takes as long, which is for the author to ask for.
    """

    code = "unreachable"
    exit_status = 5
    again: Literal["safe", "maybe", "never"] = "safe"


class Throttled(Unreachable):
    """The service is rate-limiting; `retry_after` says how long."""

    code = "rate_limited"


class CheckFailed(StepError):
    """One of the runbook's own checks does not hold: no step has begun and nothing was sent."""

    code = "check"
    exit_status = 3
    again = "never"


class AnswerLost(StepError):
    """Bytes may have left and no whole answer came back.

    Attributes:
        since: when the intent was written, by this machine's clock; None when the call has only now been lost.
    """

    code = "answer_lost"
    exit_status = 7
    again = "never"

    def __init__(self, message: str, *, status: int | None = None, since: datetime | None = None) -> None:
        super().__init__(message, status=status)
        self.since = since


class TakenAsDone(StepError):
    """A person decided that a write without an answer was done: it is not sent again, and what is known of it are the step's outputs.

    Attributes:
        since: when its intent was written, by this machine's clock.
    """

    code = "taken_as_done"
    again = "never"

    def __init__(self, since: datetime) -> None:
        super().__init__("a person decided that it was done")
        self.since = since


class InDoubt(StepError):
    """Whether a write happened cannot be known; the run stops and a person decides."""

    code = "in_doubt"
    exit_status = 7
    again = "never"
    final = True


class Returned(Exception):
    """`return` was reached; carries the outputs."""

    def __init__(self, outputs: Any) -> None:
        super().__init__("returned")
        self.outputs = outputs


class Overlap(OpsbookError):
    """Another run holds the concurrency group; with `skip` that is no failure."""

    code = "overlap"
    exit_status = 11

    def __init__(self, message: str, *, hint: str | None = None, skip: bool = False) -> None:
        super().__init__(message, hint=hint)
        if skip:
            self.exit_status = 0


class ChainBroken(OpsbookError):
    """The audit log does not verify."""

    code = "chain_broken"
    exit_status = 12


class AuditUnwritable(OpsbookError):
    """The audit log, the journal, the lock or what runbooks keep cannot be written; nothing was sent that is not on disk."""

    code = "audit_unwritable"
    exit_status = 13


class Interrupted(OpsbookError):
    """A signal stopped the run.

    Attributes:
        ends: True when the run is to end as cancelled (SIGINT, `cancel`), False when it is parked for `resume`.
    """

    code = "interrupted"
    exit_status = 14

    def __init__(self, message: str, *, ends: bool) -> None:
        super().__init__(message)
        self.ends = ends
        if ends:
            self.exit_status = 130
