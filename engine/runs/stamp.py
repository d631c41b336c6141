"""What every event of the audit log says of its time and place, and of who acts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from engine.contracts import Clock
from engine.execution.executor import spell


class Stamp:
    """Puts time, this machine's own running time and boot into every event."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boot = _boot_id()

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with its time."""
        return {**event, "time": spell(self._clock.now()), "monotonic": round(self._clock.monotonic(), 6), "boot": self._boot}


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def actor(trigger: str) -> dict[str, Any]:
    """Who acts: the user, the machine, whether at a terminal, and what for."""
    import getpass
    import socket
    import sys

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname(), "terminal": sys.stdin is not None and sys.stdin.isatty(), "trigger": trigger}


def version() -> str:
    """The version of this installation."""
    from engine.version import VERSION

    return VERSION
