"""What the emulator was told, on disk: an emulator made with the same file comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from engine.errors import AuditUnwritable


class Journal:
    """JSON lines; each is written and flushed to the system before what it tells of is answered, so that it outlives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def lines(self) -> Iterator[dict[str, Any]]:
        """What was told before. A last line that was cut off told of nothing that was answered, and is cut away."""
        if not self._path.exists():
            return
        whole = self._path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if len(kept) < len(whole):
            self._path.write_bytes(kept)
        for line in kept.splitlines():
            yield json.loads(line)

    def append(self, line: Mapping[str, Any]) -> None:
        """Raises AuditUnwritable."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab", buffering=0)
            self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise AuditUnwritable(f"The emulator's journal cannot be written: {error.strerror}.") from None

    def close(self) -> None:
        """Gives the file back."""
        if self._file:
            self._file.close()
            self._file = None
