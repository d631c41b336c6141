"""The state folder: runs, their files, locks and the key of fingerprints."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from engine.errors import AuditUnwritable, Overlap, UsageError
from engine.stop import Stop

POLL = 0.2
"""Seconds between two looks at a held lock."""


def folder() -> Path:
    """`OPSBOOK_STATE`, else the XDG state folder."""
    given = os.environ.get("OPSBOOK_STATE")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_state_dir("opsbook"))


class State:
    """The state folder's layout.

    Raises:
        AuditUnwritable: a folder or file cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def ledger(self) -> Path:
        """The chain that links runs."""
        return self.root / "ledger.jsonl"

    def new_run(self, now: datetime) -> tuple[str, Path]:
        """A run id that sorts by time, and its folder."""
        run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        path = self.runs / run
        self._make(path)
        self._make(path / "output")
        return run, path

    def run(self, run: str) -> Path:
        """The folder of a run, by its id or the beginning of one. Raises UsageError when there is no such run, or more than one."""
        if not re.fullmatch(r"[0-9A-Za-z-]+", run):
            raise UsageError(f"{run!r} is no run id", hint="opsbook runs list")
        found = [path for path in self.every_run() if path.name.startswith(run)]
        exact = [path for path in found if path.name == run]
        if len(exact or found) != 1:
            many = "more than one run begins" if found else "there is no run that begins"
            raise UsageError(f"{many} with {run}", hint="opsbook runs list")
        return (exact or found)[0]

    def every_run(self) -> list[Path]:
        """Folders of all runs, oldest first."""
        if not self.runs.is_dir():
            return []
        return sorted(path for path in self.runs.iterdir() if (path / "audit.jsonl").exists())

    def fingerprint_key(self) -> bytes:
        """The key of fingerprints, made at first use."""
        path = self.root / "fingerprint.key"
        self._make(self.root)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return self._existing_key(path)
        except OSError as error:
            raise AuditUnwritable(f"{path} cannot be made: {error.strerror}") from error
        key = secrets.token_bytes(32)
        with os.fdopen(file, "wb") as handle:
            handle.write(key)
            handle.flush()
            os.fsync(handle.fileno())
        return key

    @staticmethod
    def _existing_key(path: Path) -> bytes:
        for _ in range(50):  # another process may be writing it at this moment
            key = path.read_bytes()
            if len(key) == 32:
                return key
            time.sleep(0.02)
        raise AuditUnwritable(f"{path} is damaged", hint="move it away: fingerprints of keys will change")

    @contextmanager
    def lock(self, group: str, on_conflict: str, stop: Stop) -> Iterator[None]:
        """Holds a concurrency group. Raises Overlap when somebody else holds it and `on_conflict` is not queue."""
        self._make(self.root / "locks")
        path = self.root / "locks" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', group)[:100]}-{_short(group)}.lock"
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AuditUnwritable(f"the lock {path} cannot be opened: {error.strerror}") from error
        try:
            while not _try_lock(file):
                if on_conflict != "queue":
                    raise Overlap(f"another run of {group} is under way", hint="opsbook runs list --status running", skip=on_conflict == "skip")
                stop.wait(POLL)
            yield
        finally:
            os.close(file)

    def _make(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise AuditUnwritable(f"the state folder {path} cannot be made: {error.strerror}", hint="set OPSBOOK_STATE") from error


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]
