"""Who is told what runs do, beside the people at the terminal: the log of operators, and the traces."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from engine.contracts import Audience, Listener
from engine.telling import log, trace


class Member(Protocol):
    """One kind of listener; a module of this folder."""

    def listener(self, audience: Audience) -> Listener | None:
        """The listener, or None when nobody asked for it. Raises UsageError when it was asked for in words that mean nothing."""


LISTENERS: dict[str, Member] = {"log": log, "trace": trace}


class Gathered:
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Tells each."""
        for listener in self._listeners:
            listener(event, fields)

    def flush(self) -> None:
        """Flushes each."""
        for listener in self._listeners:
            listener.flush()


def gathered(audience: Audience, own: Listener | None) -> Gathered:
    """Every listener that was asked for, and one of the caller's own. Raises UsageError."""
    asked = (member.listener(audience) for member in LISTENERS.values())
    return Gathered([listener for listener in (own, *asked) if listener is not None])


class StandardError:
    """The voice of a process without a command line; see engine.contracts.Voice."""

    def log(self, line: str) -> None:
        """A line of the log."""
        sys.stderr.write(line + "\n")

    def warn(self, message: str) -> None:
        """Something that fails no run."""
        sys.stderr.write(f"warning: {message}\n")
