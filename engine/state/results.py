"""What calls answered, kept for resume: private, beside the audit log, each under the hash its audit event carries.

The audit log is redacted and must never be what a resumed run reads; this file is what it reads.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.system import disk


class Results(disk.Record):
    """An append-only file of values.

    Raises:
        AuditUnwritable: it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"the results {path}")

    def _begin(self) -> None:
        self._known = dict(_read(line) for line in disk.whole_lines(self._file))

    def put(self, value: Any) -> str:
        """Keeps a value and returns its SHA-256. Raises AuditUnwritable."""
        text = json.dumps(value, separators=(",", ":")).encode()
        key = _hash(text)
        self._write(key, text)
        return key

    def take_over(self, other: Results, key: str) -> None:
        """Keeps a value of another run, as if an earlier process of this one had. Raises AuditUnwritable."""
        self._write(key, other._known[key])
        self._known[key] = other._known[key]

    def _write(self, key: str, text: bytes) -> None:
        with self._lock:
            self._refuse_broken()
            try:
                disk.write_whole(self._file, key.encode() + b" " + text + b"\n")
            except OSError as error:
                raise self._break("written", error) from error

    def __contains__(self, key: str) -> bool:
        """Whether an earlier process of this run kept a value, and it is whole."""
        text = self._known.get(key)
        return text is not None and _hash(text) == key

    def get(self, key: str) -> Any:
        """A value kept by an earlier process of this run. Raises KeyError."""
        if key not in self:
            raise KeyError(key)
        return json.loads(self._known[key])


def _read(line: bytes) -> tuple[str, bytes]:
    key, _, text = line.partition(b" ")
    return key.decode(errors="replace"), text


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
