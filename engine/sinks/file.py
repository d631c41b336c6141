"""`file: /path`: the lines of all runs in one more file, such as on another disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import disk

SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "minLength": 1,
    "description": "A file of this user's own that is only added to; a relative path begins at the configuration's folder.",
}


class FileSink:
    """A private file, opened through no link. Raises OSError."""

    def __init__(self, target: str) -> None:
        self._file = disk.open_private(Path(target).expanduser(), os.O_RDWR | os.O_APPEND)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # a crash, or a full disk, left half a line
            disk.write_whole(self._file, b"\n")
        self._sync = disk.Sync(self._file)

    def write(self, line: bytes) -> None:
        """Adds a line. Raises OSError."""
        disk.write_whole(self._file, line)

    def sync(self) -> None:
        """What was added is on that disk. Raises OSError."""
        self._sync()

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)
