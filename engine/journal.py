"""The audit log: one JSON event a line, each line holding the hash of the one before; fails closed.

A line is canonical JSON (sorted keys, ASCII, no spaces). `hash` is the SHA-256 of the line without it, `prev` the hash of the line
before (64 zeros at first): a changed byte breaks its own line's hash, a removed or moved line breaks the next one's `prev`.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import AuditUnwritable

GENESIS = "0" * 64
PRIVATE = 0o600


def canonical(event: Mapping[str, Any]) -> bytes:
    """The one way to spell an event. Raises ValueError for NaN and infinities."""
    return json.dumps(event, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def digest(event: Mapping[str, Any]) -> str:
    """The hash a line carries."""
    return hashlib.sha256(canonical({key: value for key, value in event.items() if key != "hash"})).hexdigest()


class Journal:
    """An append-only chained file.

    Args:
        path: created when absent; its folder must exist.
        filters: last changes to an event, such as redaction, in order.
        fields: put into every event.

    Raises:
        AuditUnwritable: the file cannot be opened, belongs to somebody else, or is not a regular file.
    """

    def __init__(
        self, path: Path, *, filters: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (), fields: Mapping[str, Any] | None = None
    ) -> None:
        self.path = path
        self._filters = filters
        self._fields = dict(fields or {})
        self._lock = threading.Lock()
        self._broken: str | None = None
        self._file = _open(path)
        self.events, self.head = self._tail()
        self._log = _logger(self._file, (self._filter, self._chain))

    def append(self, event: str, *, sync: bool = False, **fields: Any) -> dict[str, Any]:
        """Writes one event and returns it as written. With `sync`, it is on disk when this returns.

        Raises:
            AuditUnwritable: it could not be written, now or at an earlier time: after a failed write nobody knows what is on disk.
        """
        with self._lock:
            if self._broken:
                raise AuditUnwritable(self._broken)
            try:  # every failure poisons: what is on disk after it, nobody knows
                written: dict[str, Any] = self._log.info(event, **fields)
                if sync:
                    os.fdatasync(self._file)
            except OSError as error:
                self._broken = f"the audit log {self.path} cannot be written: {error.strerror}"
                raise AuditUnwritable(self._broken, hint="free the disk or mend the folder, then resume the run") from error
            self.events, self.head = written["seq"], written["hash"]
            return written

    def sync(self) -> None:
        """Everything written so far is on disk when this returns. Raises AuditUnwritable."""
        with self._lock:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._broken = f"the audit log {self.path} cannot be synced: {error.strerror}"
                raise AuditUnwritable(self._broken) from error

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)

    def _filter(self, _logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        whole = {**self._fields, **event}
        for step in self._filters:
            whole = step(whole)
        return whole

    def _chain(self, _logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        linked = {**event, "seq": self.events + 1, "prev": self.head}
        return {**linked, "hash": digest(linked)}

    def _tail(self) -> tuple[int, str]:
        last = last_line(self.path)
        if last is None:
            return 0, GENESIS
        try:
            event = json.loads(last)
            return int(event["seq"]), str(event["hash"])
        except (ValueError, KeyError, TypeError) as error:
            raise AuditUnwritable(f"the audit log {self.path} ends in a line that is no event", hint="opsbook audit verify") from error


def _logger(file: int, processors: tuple[Callable[..., dict[str, Any]], ...]) -> Any:
    import structlog

    def render(_logger: Any, _method: str, event: Any) -> tuple[tuple[Any], dict[str, Any]]:
        return (event,), {}

    chain: list[Any] = [*processors, render]
    return structlog.wrap_logger(_Appender(file), processors=chain, wrapper_class=structlog.BoundLogger)


class _Appender:
    """What structlog hands the finished event to."""

    def __init__(self, file: int) -> None:
        self._file = file

    def info(self, event: dict[str, Any]) -> dict[str, Any]:
        line = canonical(event) + b"\n"
        while line:
            line = line[os.write(self._file, line) :]
        return event


def _open(path: Path) -> int:
    """The file, for appending only: never through a link, never somebody else's, never a device."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        new = not path.exists()
        file = os.open(path, flags, PRIVATE)
        if new:
            _sync_folder(path.parent)
    except OSError as error:
        raise AuditUnwritable(f"the audit log {path} cannot be opened: {error.strerror}", hint="check the state folder") from error
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(file)
        raise AuditUnwritable(f"the audit log {path} is not a regular file of this user")
    return file


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is on disk only once the folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def last_line(path: Path) -> bytes | None:
    """The last line, or None when the file holds nothing. A line cut short by a crash is dropped first: it was never acted on."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return None
        reach = 4096
        while True:
            start = max(0, size - reach)
            file.seek(start)
            chunk = file.read(size - start)
            whole = chunk[: chunk.rfind(b"\n") + 1].splitlines()
            if len(whole) > 1 or (start == 0 and whole):
                break
            if start == 0:
                os.truncate(path, 0)
                return None
            reach *= 4
    if not chunk.endswith(b"\n"):
        os.truncate(path, start + chunk.rfind(b"\n") + 1)
    return whole[-1]


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole event of a file, in order; a line that is no JSON object is passed over (`verify` names it)."""
    with path.open("rb") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and line.endswith(b"\n"):
                yield event


@dataclass(frozen=True, slots=True)
class Flaw:
    """One line that does not fit."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a file came to: how many events, the last hash, and every flaw."""

    events: int
    head: str
    flaws: Sequence[Flaw]


def verify(path: Path) -> Verification:
    """Checks every line of a chained file by itself and against the one before. Raises OSError when it cannot be read."""
    flaws: list[Flaw] = []
    count, head = 0, GENESIS
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            event, message = _check(line)
            if event is None:
                flaws.append(Flaw(number, message))
                continue
            if event["prev"] != head and not (flaws and flaws[-1].line == number - 1):
                flaws.append(Flaw(number, "does not follow the line before: a line was removed, added or moved"))
            elif event["seq"] != count + 1 and not flaws:
                flaws.append(Flaw(number, f"is numbered {event['seq']}, expected {count + 1}"))
            count, head = event["seq"], event["hash"]
    return Verification(count, head, flaws)


def _check(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """The event of a line, or what is wrong with the line taken by itself."""
    try:
        event = json.loads(line)
        if not isinstance(event, dict):
            return None, "is not an event"
        if canonical(event) + b"\n" != line:
            return None, "was changed: it is not spelt as it was written"
        if event["hash"] != digest(event) or not isinstance(event["prev"], str) or not isinstance(event["seq"], int):
            return None, "was changed: its hash does not fit"
    except (ValueError, KeyError):
        return None, "was changed: it is not a whole event"
    return event, ""
