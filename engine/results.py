"""What calls answered, kept for resume: private, beside the audit log, each under the hash its audit event carries.

The audit log is redacted and must never be what a resumed run reads; this file is what it reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

from engine.errors import AuditUnwritable


class Results:
    """An append-only file of values.

    Raises:
        AuditUnwritable: it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._load()
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            raise AuditUnwritable(f"the results {path} cannot be opened: {error.strerror}") from error

    def _load(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                key, _, value = line.partition(b" ")
                self._known[key.decode()] = json.loads(value)
        os.truncate(self._path, whole)

    def put(self, value: Any) -> str:
        """Keeps a value and returns its SHA-256. Raises AuditUnwritable."""
        text = json.dumps(value, separators=(",", ":")).encode()
        key = hashlib.sha256(text).hexdigest()
        line = key.encode() + b" " + text + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._file, line) :]
            except OSError as error:
                raise AuditUnwritable(f"the results {self._path} cannot be written: {error.strerror}") from error
        return key

    def get(self, key: str) -> Any:
        """A value kept by an earlier process of this run. Raises KeyError."""
        return self._known[key]

    def sync(self) -> None:
        """Everything kept so far is on disk when this returns. Raises AuditUnwritable."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise AuditUnwritable(f"the results {self._path} cannot be synced: {error.strerror}") from error

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)
