"""What calls answered, kept for resume: private, beside the audit log, each under the hash its audit event carries.

The audit log is redacted and must never be what a resumed run reads; this file is what it reads.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from engine import disk


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
        with self._lock:
            self._refuse_broken()
            try:
                disk.write_whole(self._file, key.encode() + b" " + text + b"\n")
            except OSError as error:
                raise self._break("written", error) from error
        return key

    def __contains__(self, key: str) -> bool:
        """Whether an earlier process of this run kept a value, and it is whole."""
        text = self._known.get(key)
        return text is not None and _hash(text) == key

    def get(self, key: str) -> Any:
        """A value kept by an earlier process of this run. Raises KeyError."""
        if key not in self:
            raise KeyError(key)
        return json.loads(self._known[key])

    def sync(self) -> None:
        """Everything kept so far is on disk when this returns. Raises AuditUnwritable."""
        self._refuse_broken()
        try:
            self._sync()
        except OSError as error:
            raise self._break("synced", error) from error

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)


def _read(line: bytes) -> tuple[str, bytes]:
    key, _, text = line.partition(b" ")
    return key.decode(errors="replace"), text


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
