"""What is remembered of each trigger: since when it is installed, the last moment that was seen to, and what became of it.

A small file for each trigger in the state folder, replaced whole. Its lock is held from the decision that a moment is due until its run
has begun: a moment that is claimed by nobody alive was lost in a crash.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import AuditUnwritable
from engine.schedule.entry import digest
from engine.system import disk, turns


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one trigger.

    Attributes:
        since: when it was installed; None when it never was.
        moment: the last one that was seen to.
        outcome: claimed (its run is about to begin), begun, skipped (another run held the group), refused (it could not begin) or
            missed (it was too late).
    """

    file: str
    trigger: str
    since: datetime | None = None
    moment: datetime | None = None
    outcome: str | None = None

    def has_seen(self, moment: datetime) -> bool:
        """Whether a moment was seen to, or one after it."""
        return self.moment is not None and moment <= self.moment


class Memory:
    """The memory of one trigger.

    Raises:
        AuditUnwritable: it cannot be read or written.
    """

    def __init__(self, folder: Path, file: Path, trigger: str) -> None:
        self._path = folder / f"{digest(file, trigger)}.json"
        self._empty = Record(str(file), trigger)

    def read(self) -> Record:
        """What is remembered; of a file that is damaged, nothing."""
        return _read(self._path) or self._empty

    def write(self, **changes: Any) -> Record:
        """Changes what is remembered; it is on disk when this returns."""
        record = replace(self.read(), **changes)
        values = {name: getattr(record, name) for name in Record.__slots__}
        shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
        try:
            _replace(self._path, json.dumps(shown).encode())
        except OSError as error:
            raise AuditUnwritable(f"{self._path} cannot be written: {error.strerror}", hint="check the state folder") from error
        return record

    def forget(self) -> None:
        """The trigger is not installed any more."""
        self._path.unlink(missing_ok=True)

    def lock(self, pause: Callable[[], None] | None) -> int | None:
        """The trigger's lock, waited for with `pause`; without it, None when somebody has it."""
        try:
            disk.make_folder(self._path.parent)
            path = self._path.with_suffix(".lock")
            return turns.wait_for(path, pause) if pause else turns.take(path)
        except OSError as error:
            raise AuditUnwritable(f"{self._path.parent} cannot be locked: {error.strerror}", hint="check the state folder") from error

    def is_held(self) -> bool:
        """Whether a process is about to begin a run."""
        handle = self.lock(None)
        if handle is not None:
            os.close(handle)
        return handle is None


def every_record(folder: Path) -> Iterator[Record]:
    """What is remembered of any trigger."""
    for path in sorted(folder.glob("*.json")):
        record = _read(path)
        if record is not None:
            yield record


def _read(path: Path) -> Record | None:
    try:
        values = json.loads(path.read_bytes())
        times = {name: datetime.fromisoformat(values[name]) for name in ("since", "moment") if values[name]}
        return Record(**{**values, **times})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _replace(path: Path, content: bytes) -> None:
    disk.make_folder(path.parent)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = disk.open_private(new, os.O_WRONLY)
    try:
        disk.write_whole(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)
    disk.sync_folder(path.parent)
