"""Who starts runbooks at their time: one file for each, listed by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.installers import crontab, systemd
from engine.schedule.wanted import Done, Wanted


class Installer(Protocol):
    """One program that starts others at their time."""

    def shown(self, wanted: Wanted) -> str:
        """What would be written. Raises UsageError: it cannot be said to this program."""

    def install(self, wanted: Wanted, replaces: Callable[[Path], bool]) -> Done:
        """Installs the triggers, instead of all there are of the runbooks that are replaced. Raises UsageError; then nothing is changed."""

    def remove(self, goes: Callable[[Path], bool], own: bool) -> Done:
        """Takes away what was installed of some runbooks. Raises UsageError."""


INSTALLERS: dict[str, Installer] = {
    "crontab": crontab,
    "systemd": systemd,
}
