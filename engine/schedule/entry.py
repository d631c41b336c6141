"""One trigger of one runbook: what is listed, installed and watched."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.model import Trigger
from engine.schedule import cron


@dataclass(frozen=True)
class Entry:
    """A trigger and the runbook it stands in.

    Attributes:
        file: of the runbook, as `located` has it.
        runbook: its name.
    """

    file: Path
    runbook: str
    trigger: Trigger

    @cached_property
    def zone(self) -> ZoneInfo:
        """The trigger's time zone."""
        return cron.zone(self.trigger.timezone)

    @property
    def delay(self) -> float:
        """Seconds after each moment at which this machine begins: within the jitter, always the same."""
        return self.trigger.jitter * _share(f"{socket.gethostname()}\0{self.runbook}\0{self.trigger.name}")

    def moments(self, after: datetime) -> Iterator[datetime]:
        """Every moment later than `after`, in the trigger's zone."""
        return cron.moments(self.trigger.cron, self.zone, after)

    def latest(self, until: datetime) -> datetime | None:
        """The last moment that is not later than `until`."""
        return cron.latest(self.trigger.cron, self.zone, until)


def located(path: str | Path) -> Path:
    """A path from the root on, the same however it is written; a link in it stays, since it may lead elsewhere tomorrow."""
    whole = Path(path).absolute()
    if ".." not in whole.parts:
        return whole
    plain = Path(os.path.normpath(whole))
    try:
        return plain if plain.samefile(whole) else whole.resolve()
    except OSError:
        return plain


def named(trigger: str) -> tuple[str, str]:
    """Cron text and time zone of a trigger's name. Raises ValueError: it is none."""
    *fields, zone = trigger.partition(" #")[0].split()
    text = " ".join(fields)
    cron.check(text)
    cron.zone(zone)
    return text, zone


def digest(file: Path, trigger: str) -> str:
    """A short name for a trigger of a file, for names of files and units."""
    return hashlib.sha256(f"{file}\0{trigger}".encode(errors="surrogateescape")).hexdigest()[:12]


def _share(text: str) -> float:
    """A number in [0, 1) that a text always has."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
