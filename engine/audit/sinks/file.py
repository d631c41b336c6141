"""`file: /path`: the lines of all runs in one more file, such as on another disk."""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.system import disk

SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "minLength": 1,
    "description": "A file of this user's own that is only added to; a relative path begins at the configuration's folder.",
}


class FileSink:
    """A private file, opened through no link; one writer at a time. Raises OSError."""

    def __init__(self, target: str) -> None:
        self._file = disk.open_private(disk.at_home(target), os.O_RDWR | os.O_APPEND)
        self._sync = disk.Sync(self._file)

    def write(self, line: bytes) -> None:
        """Adds a line; half a one that a crash or a full disk left is cut away. Raises OSError."""
        with self._alone():
            self._mend()
            disk.write_whole(self._file, line)

    def catch_up(self, line: bytes) -> None:
        """Adds a line unless it is there. Raises OSError."""
        with self._alone():
            self._mend()
            if not self._holds(line):
                disk.write_whole(self._file, line)

    def sync(self) -> None:
        """What was added is on that disk. Raises OSError."""
        self._sync()

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _mend(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.ftruncate(self._file, disk.last_line(self._file)[1])

    def _holds(self, line: bytes) -> bool:
        if not os.fstat(self._file).st_size:
            return False
        with mmap.mmap(self._file, 0, access=mmap.ACCESS_READ) as content:
            return content.rfind(line) >= 0
