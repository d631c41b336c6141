"""The audit log: one JSON event a line, each line holding the hash of the one before; fails closed.

A line is canonical JSON (sorted keys, ASCII, no spaces). `hash` is the SHA-256 of the line without it, `prev` the hash of the line
before (64 zeros at first): a changed byte breaks its own line's hash, a removed or moved line breaks the next one's `prev`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import disk
from engine.errors import AuditUnwritable

GENESIS = "0" * 64
CHANGED = ""
LAST = "run.ended"
"""The event after which nothing is written: a line cut short behind it cannot come from a crash."""


def canonical(event: Mapping[str, Any]) -> bytes:
    """The one way to spell an event. Raises ValueError for NaN and infinities."""
    return json.dumps(event, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def digest(event: Mapping[str, Any]) -> str:
    """The hash a line carries."""
    return hashlib.sha256(canonical({key: value for key, value in event.items() if key != "hash"})).hexdigest()


class Journal(disk.Record):
    """An append-only chained file.

    Args:
        path: created when absent; its folder must exist.
        filters: last changes to an event, such as redaction, in order.
        fields: put into every event.
        heard: takes in each event once it is written.

    Raises:
        AuditUnwritable: the file cannot be opened, belongs to somebody else, or is not a regular file.
    """

    def __init__(
        self,
        path: Path,
        *,
        filters: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (),
        fields: Mapping[str, Any] | None = None,
        heard: Callable[[str, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.path = path
        self._heard = heard
        self._filters = filters
        self._fields = dict(fields or {})
        super().__init__(path, f"the audit log {path}")
        self._log = _logger(self._file, (self._filter, self._chain))

    def _begin(self) -> None:
        self.events, self.head = self._tail()

    def append(self, event: str, *, sync: bool = False, **fields: Any) -> dict[str, Any]:
        """Writes one event and returns it as written. With `sync`, it is on disk when this returns.

        Raises:
            AuditUnwritable: it could not be written, now or at an earlier time: after a failed write nobody knows what is on disk.
        """
        with self._lock:
            self._refuse_broken()
            try:
                written: dict[str, Any] = self._log.info(event, **fields)
            except OSError as error:
                raise self._break("written", error) from error
            self.events, self.head = written["seq"], written["hash"]
        if sync:
            self.sync()
        if self._heard is not None:
            self._heard(event, written)
        return written

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
        if last is None:
            return 0, GENESIS
        try:
            event = json.loads(last)
            return int(event["seq"]), str(event["hash"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise AuditUnwritable(f"the audit log {self.path} ends in a line that is no event", hint="opsbook audit verify") from error


def _logger(file: int, processors: tuple[Callable[..., dict[str, Any]], ...]) -> Any:
    structlog = logging_library()

    def render(_logger: Any, _method: str, event: Any) -> tuple[tuple[Any], dict[str, Any]]:
        return (event,), {}

    return structlog.wrap_logger(_Appender(file), processors=[*processors, render], wrapper_class=structlog.BoundLogger)


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

    def __init__(self, file: int) -> None:
        self._file = file

    def info(self, event: dict[str, Any]) -> dict[str, Any]:
        disk.write_whole(self._file, canonical(event) + b"\n")
        return event


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole event of a file, in order; a line that is no JSON object is passed over (`verify` names it)."""
    with path.open("rb") as file:
        for line in file:
            event = _parsed(line)
            if event is not None and line.endswith(b"\n"):
                yield event


def last_event(path: Path) -> dict[str, Any] | None:
    """The last whole event of a file, read from its end; None when it holds none. Raises OSError."""
    with path.open("rb") as file:
        last, _ = disk.last_line(file.fileno())
    return _parsed(last) if last else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


@dataclass(frozen=True, slots=True)
class Flaw:
    """One line that does not fit."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a file came to: the hash of every event in order, CHANGED for one that is not whole, and every flaw."""

    hashes: Sequence[str]
    flaws: Sequence[Flaw]

    @property
    def events(self) -> int:
        """How many events there are."""
        return len(self.hashes)

    @property
    def head(self) -> str:
        """The last hash that is whole."""
        return next((known for known in reversed(self.hashes) if known != CHANGED), GENESIS)


def verify(path: Path) -> Verification:
    """Checks every line of a chained file by itself and against the one before. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        return verify_lines(file)


def verify_lines(lines: Iterable[bytes]) -> Verification:
    """Checks the lines of a log, each with its line feed."""
    flaws: list[Flaw] = []
    hashes: list[str] = []
    last = None
    for number, line in enumerate(lines, start=1):
        event, message = _check(line)
        if event is None:
            if not _cut_short(line, last):
                flaws.append(Flaw(number, message))
                hashes.append(CHANGED)
            continue
        if event["prev"] != (hashes[-1] if hashes else GENESIS) and not (flaws and flaws[-1].line == number - 1):
            flaws.append(Flaw(number, "does not follow the line before: a line was removed, added or moved"))
        elif event["seq"] != number and not flaws:
            flaws.append(Flaw(number, f"is numbered {event['seq']}, expected {number}"))
        hashes.append(event["hash"])
        last = event["event"]
    return Verification(hashes, flaws)


def _cut_short(line: bytes, last: str | None) -> bool:
    """Whether a line is what a crash leaves of an event: its beginning, at the end of a log that was not ended."""
    if line.endswith(b"\n") or last == LAST:
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(line.decode("ascii"))
    except RecursionError:
        return False
    except ValueError:
        return line.startswith(b"{") and line.isascii()
    return end == len(line)


def _check(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """The event of a line, or what is wrong with the line taken by itself."""
    event = _parsed(line)
    if event is None or not {"event", "hash", "prev", "seq"} <= event.keys():
        return None, "was changed: it is not a whole event"
    try:
        if canonical(event) + b"\n" != line:
            return None, "was changed: it is not spelt as it was written"
    except (ValueError, RecursionError):  # a number that JSON does not know
        return None, "was changed: it is not spelt as it was written"
    if event["hash"] != digest(event):
        return None, "was changed: its hash does not fit"
    return event, ""
