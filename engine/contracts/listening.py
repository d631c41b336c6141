"""Who hears what runs do, and how a process speaks; what `doctor` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class Listener(Protocol):
    """Hears what runs do: the progress people see, or a member of engine/telling. Called from several threads; raises nothing."""

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Takes in one event.

        Those of the audit log come as they were written there, once they are. With `again` in its fields, an event was written by an
        earlier process of the run. Beside them: `said {message, level, run, runbook, step, item}`, what a step tells people;
        `warned {message}`; and `command.failed {error, findings}`, why a command did nothing.
        """

    def flush(self) -> None:
        """The run is over, or parked."""


class Voice(Protocol):
    """How a process speaks beside its one document."""

    def log(self, line: str) -> None:
        """A line of the log, on standard error."""

    def warn(self, message: str) -> None:
        """Something that people should know and that fails no run."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a listener is made of.

    Attributes:
        wanted: what the command line says of the log: `level`, `format`, `file`.
        settings: the configuration.
        mask: hides every known secret in a value; the last thing done to one.
    """

    wanted: Mapping[str, str]
    settings: Mapping[str, Any]
    mask: Callable[[Any], Any]
    voice: Voice


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing `doctor` found out.

    Attributes:
        status: a warning is to be known, a problem keeps opsbook from working.
        remedy: what to do, or None.
    """

    status: Literal["ok", "warning", "problem"]
    message: str
    remedy: str | None = None
