"""What is asked of whoever starts runbooks at their time, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.schedule.command import Command
from engine.schedule.entry import Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Triggers to be installed.

    Attributes:
        credentials: names that the `systemd:` references of an entry's keys ask for.
        own: for the user's own service manager, rather than the system's.
    """

    entries: Sequence[Entry]
    command: Command
    now: datetime
    credentials: Callable[[Entry], Sequence[str]]
    own: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed.

    Attributes:
        changed: whether anything was.
        items: lines or files that are now there, or that are gone.
        notes: what is left to do, for people.
    """

    changed: bool
    items: Sequence[str]
    notes: Sequence[str] = ()
