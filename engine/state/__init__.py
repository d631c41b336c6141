"""The state folder: runs, their files, locks and the key of fingerprints."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from engine.audit import segments
from engine.errors import AuditUnwritable, Overlap, UsageError
from engine.system import disk, turns
from engine.system.stop import Stop

LOG = "audit.jsonl"
KEY_LENGTH = 32
POLL = 0.2
"""Seconds between two looks at a held lock."""


def folder() -> Path:
    """`OPSBOOK_STATE`, else the XDG state folder. Raises UsageError: the first begins at a home that is not known."""
    given = os.environ.get("OPSBOOK_STATE")
    if not given:
        import platformdirs

        return _at_home(lambda: platformdirs.user_state_path("opsbook"))
    try:
        return disk.at_home(given).absolute()
    except OSError as error:
        raise UsageError(f"the state folder {given}: {error.strerror}", hint="write the whole path in OPSBOOK_STATE") from error


def settings_folder() -> Path:
    """The XDG folder of the user's own configuration."""
    return _at_home(lambda: Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()))


def _at_home(find: Callable[[], Path]) -> Path:
    """A folder of the user's own; of a user whom the machine does not know by name, one that is not there."""
    try:
        return find()
    except RuntimeError:
        return Path("/nonexistent")


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

    def values(self, runbook: str) -> Path:
        """Where a runbook keeps values for its next run."""
        return self.root / "values" / f"{runbook}.json"

    @property
    def schedule(self) -> Path:
        """One small file a trigger."""
        return self.root / "schedule"

    def new_run(self, now: datetime) -> Path:
        """The folder of a new run, named by its id, which sorts by time."""
        run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        path = self.runs / run
        self._make(path)
        return path

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
        return sorted(path for path in self.runs.iterdir() if segments.exists(path / LOG))

    def fingerprint_key(self) -> bytes:
        """The key of fingerprints, made at first use."""
        path = self.root / "fingerprint.key"
        self._make(self.root)
        try:
            if not path.exists():
                _make_key(path)
            key = path.read_bytes()
        except OSError as error:
            raise AuditUnwritable(f"{path} cannot be made or read: {error.strerror}") from error
        if len(key) != KEY_LENGTH:
            raise AuditUnwritable(f"{path} is damaged", hint="move it away: fingerprints of keys will change")
        return key

    @contextmanager
    def lock(self, group: str, on_conflict: str, stop: Stop) -> Iterator[None]:
        """Holds a concurrency group; with `queue`, those who wait get it in the order they came.

        Raises Overlap when somebody else holds it, or waits for it, and `on_conflict` is not queue.
        """
        self._make(self.root / "locks")
        path = self.root / "locks" / f"{re.sub(r'[^A-Za-z0-9._-]', '_', group)[:100]}-{_short(group)}.lock"
        file = _taken(path, (lambda: stop.wait(POLL)) if on_conflict == "queue" else None)
        if file is None:
            raise Overlap(f"another run of {group} is under way", hint="opsbook runs list --status running", skip=on_conflict == "skip")
        try:
            yield
        finally:
            os.close(file)

    def _make(self, path: Path) -> None:
        try:
            disk.make_folder(path)
        except OSError as error:
            raise AuditUnwritable(f"the state folder {path} cannot be made: {error.strerror}", hint="set OPSBOOK_STATE") from error


def _make_key(path: Path) -> None:
    """Puts a new key there, whole, unless another process was quicker."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = disk.open_private(new, os.O_WRONLY)
    try:
        disk.write_whole(file, secrets.token_bytes(KEY_LENGTH))
        os.fsync(file)
        with suppress(FileExistsError):
            os.link(new, path)
        disk.sync_folder(path.parent)
    finally:
        os.close(file)
        new.unlink()


def _taken(path: Path, pause: Callable[[], None] | None) -> int | None:
    """The lock, waited for with `pause`; without it, None when it is not free at once. Raises AuditUnwritable."""
    try:
        return turns.wait_for(path, pause) if pause else turns.take(path)
    except OSError as error:
        raise AuditUnwritable(f"the lock {path} cannot be taken: {error.strerror}", hint="check the state folder") from error


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]
