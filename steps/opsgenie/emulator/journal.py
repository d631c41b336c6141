"""What the emulator was told, on disk: an emulator made with the same file comes back as it was."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import AuditUnwritable, Finding, Invalid, Place


class Journal:
    """JSON lines; each is with the system before what it tells of is answered, so that it outlives the process.

    The file is given back when the journal is forgotten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def lines(self) -> Iterator[dict[str, Any]]:
        """What was told before. A last line that was cut off told of nothing that was answered, and is cut away.

        Raises Invalid when the file is no journal.
        """
        if not self._path.exists():
            return
        whole = self._path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if len(kept) < len(whole):
            os.truncate(self._path, len(kept))
        for number, line in enumerate(kept.splitlines(), 1):
            yield self._read(line, number)

    def _read(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            told = json.loads(line)
            datetime.fromisoformat(told["at"])
        except (ValueError, TypeError, KeyError):
            place = Place(str(self._path), number, 1)
            raise Invalid([Finding("emulator-journal", "error", "this line is not one of the emulator's journal", place)]) from None
        return dict(told)

    def append(self, line: Mapping[str, Any]) -> None:
        """Raises AuditUnwritable."""
        try:
            if self._file is None:
                self._file = self._opened()
            self._put(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise AuditUnwritable(f"The emulator's journal cannot be written: {error.strerror}.") from None

    def _opened(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        weakref.finalize(self, os.close, file)
        return file

    @staticmethod
    def _put(file: int, line: bytes) -> None:
        while line:
            line = line[os.write(file, line) :]
