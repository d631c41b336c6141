"""The audit log: one JSON event a line, chained by hash (engine.audit.chain); fails closed.

A log that passes a size goes on in another file, in this order: that file is made, the last line of the old one names it and is
synced, the first line of the new one follows. Wherever a crash falls, at most the newest file is empty; a file that was named and is
not there is missed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.audit import segments
from engine.audit.chain import CONTINUED, GENESIS, canonical, check, digest
from engine.contracts import Sink
from engine.errors import AuditUnwritable
from engine.system import disk


class Journal(disk.Record):
    """An append-only chained log, in as many files as its size asks for.

    Args:
        path: of the first file, created when absent; its folder must exist.
        filters: last changes to an event, such as redaction, in order.
        fields: put into every event.
        segment: bytes after which the log goes on in another file.
        sink: gets a copy of every line.
        heard: takes in each event once it is written.

    Raises:
        AuditUnwritable: a file cannot be opened, belongs to somebody else, is not a regular file, or is missing.
    """

    def __init__(
        self,
        path: Path,
        *,
        filters: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (),
        fields: Mapping[str, Any] | None = None,
        segment: int = segments.DEFAULT_SIZE,
        sink: Sink | None = None,
        heard: Callable[[str, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.path = path
        self._heard = heard
        self._filters = filters
        self._fields = dict(fields or {})
        self._segment = segment
        self._sink = sink
        super().__init__(path, f"the audit log {path}")
        self._log = _logger(self._write, (self._filter, self._chain))
        self._catch_up()

    def _catch_up(self) -> None:
        """A crash may have come between the last line and its copy; no line is written before the one before it was copied."""
        if self._sink is None:
            return
        last = last_event(self.path)
        if last is not None:
            try:
                self._sink.catch_up(canonical(last) + b"\n")
            except OSError as error:
                raise self._break("written", error) from error

    def _open(self) -> int:
        """The newest file; the one before while that does not say that the log goes on: a crash came between."""
        parts = list(segments.every(self.path))
        if len(parts) > 1 and parts[-2].exists() and _last_event(parts[-1]) is None and not _continued(_last_event(parts[-2])):
            parts.pop()
        self._number = len(parts)
        if len(parts) > 1:
            disk.sync_file(parts[-2])  # a crash may have come between its last line and the sync of it
        return disk.open_private(parts[-1], os.O_RDWR | os.O_APPEND)

    def _begin(self) -> None:
        self.events, self.head = self._tail()
        self._size = os.fstat(self._file).st_size

    def append(self, event: str, *, sync: bool = False, **fields: Any) -> dict[str, Any]:
        """Writes one event and returns it as written. With `sync`, it is on disk when this returns.

        Raises:
            AuditUnwritable: it could not be written, now or at an earlier time: after a failed write nobody knows what is on disk.
        """
        with self._lock:
            self._refuse_broken()
            try:
                if self._size >= self._segment:
                    self._continue()
                written: dict[str, Any] = self._log.info(event, **fields)
            except OSError as error:
                raise self._break("written", error) from error
        if sync:
            self.sync()
        if self._heard is not None:
            self._heard(event, written)
        return written

    def sync(self) -> None:
        """Everything written so far is on disk, and at the sink, when this returns. Raises AuditUnwritable."""
        super().sync()
        if self._sink is not None:
            try:
                self._sink.sync()
            except OSError as error:
                raise self._break("synced", error) from error

    def close(self) -> None:
        """Gives the file and the sink back."""
        super().close()
        if self._sink is not None:
            self._sink.close()

    def _continue(self) -> None:
        """Goes on in another file, which takes the old one's place under the same handle: a sync that is under way keeps its file."""
        path = segments.name(self.path, self._number + 1)
        new = disk.open_private(path, os.O_RDWR | os.O_APPEND)
        try:
            disk.sync_folder(path.parent)  # a crash may have left the file without
            self._log.info(CONTINUED, next=path.name)
            self._sync()
            os.dup2(new, self._file, inheritable=False)
        finally:
            os.close(new)
        self._number, self._size = self._number + 1, 0

    def _write(self, event: dict[str, Any]) -> dict[str, Any]:
        """What structlog hands the finished event to."""
        line = canonical(event) + b"\n"
        disk.write_whole(self._file, line)
        self.events, self.head, self._size = event["seq"], event["hash"], self._size + len(line)
        if self._sink is not None:
            self._sink.write(line)
        return event

    def _filter(self, _logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        whole = {**self._fields, **event}
        for step in self._filters:
            whole = step(whole)
        return whole

    def _chain(self, _logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        linked = {**event, "seq": self.events + 1, "prev": self.head}
        return {**linked, "hash": digest(linked)}

    def _tail(self) -> tuple[int, str]:
        """Number and hash of the last event. A line that a crash cut short is cut away: nothing was done upon it."""
        last, end = disk.last_line(self._file)
        if end < os.fstat(self._file).st_size:
            os.ftruncate(self._file, end)
        if last is None and self._number == 1:
            return 0, GENESIS
        event = check(last + b"\n")[0] if last is not None else _last_event(segments.name(self.path, self._number - 1))
        try:
            place = int(event["seq"]), str(event["hash"])  # type: ignore[index] # what is no event is refused below
        except (ValueError, KeyError, TypeError) as error:
            raise AuditUnwritable(f"the audit log {self.path} ends in a line that is no event", hint="opsbook audit verify") from error
        if last is not None and _continued(event):
            missing = segments.name(self.path, self._number + 1)
            raise AuditUnwritable(f"the audit log {self.path} goes on in {missing.name}, which is missing", hint="opsbook audit verify")
        return place


def _logger(write: Callable[[dict[str, Any]], dict[str, Any]], processors: tuple[Callable[..., dict[str, Any]], ...]) -> Any:
    structlog = logging_library()

    def render(_logger: Any, _method: str, event: Any) -> tuple[tuple[Any], dict[str, Any]]:
        return (event,), {}

    return structlog.wrap_logger(_Appender(write), processors=[*processors, render], wrapper_class=structlog.BoundLogger)


def logging_library() -> Any:
    """The logging library without rich, which it only asks for to colour consoles: half of what importing it costs at every start."""
    if "structlog" not in sys.modules and "rich" not in sys.modules:
        sys.modules["rich"] = None  # type: ignore[assignment] # the import system's own sign for "not there"
        try:
            import structlog
        finally:
            del sys.modules["rich"]
    import structlog

    return structlog


class _Appender:
    """What structlog hands the finished event to."""

    def __init__(self, write: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.info = write


def placed(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Every whole line of a log, in order, as it stands there, with its file and its number there. Raises AuditUnwritable."""
    for part in segments.every(path):
        with suppress(FileNotFoundError), segments.opened(part) as file:
            yield from ((str(part), number, line) for number, line in enumerate(file, start=1) if line.endswith(b"\n"))


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole event of a log, in order; a line that was changed is passed over (`verify` names it). Raises AuditUnwritable."""
    return (event for _, _, line in placed(path) if (event := check(line)[0]) is not None)


def last_event(path: Path) -> dict[str, Any] | None:
    """The last whole event of a log, read from its end; None when it holds none. Raises AuditUnwritable."""
    found = map(_last_event, reversed(list(segments.every(path))))
    return next((event for event in found if event is not None), None)


def _last_event(part: Path) -> dict[str, Any] | None:
    """The last whole event of one file; None when it holds none, or is not there."""
    with suppress(FileNotFoundError), segments.opened(part) as file:
        last, _ = disk.last_line(file.fileno())
        return check(last + b"\n")[0] if last else None
    return None


def _continued(event: Mapping[str, Any] | None) -> bool:
    return event is not None and event.get("event") == CONTINUED
