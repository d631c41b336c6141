"""The hash chain of a log: how an event is spelt and hashed, and whether a log is whole.

A line is canonical JSON (sorted keys, ASCII, no spaces). `hash` is the SHA-256 of the line without it, `prev` the hash of the line
before (64 zeros at first): a changed byte breaks its own line's hash, a removed or moved line breaks the next one's `prev`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audit import segments

GENESIS = "0" * 64
CHANGED = ""
MISSING = "is missing"
CONTINUED = "log.continued"
"""The last event of a file that is followed by another."""
LAST = ("run.ended", CONTINUED)
"""Events after which nothing is written to a file: a line cut short behind one cannot come from a crash."""


def canonical(event: Mapping[str, Any]) -> bytes:
    """The one way to spell an event. Raises ValueError for NaN and infinities."""
    return json.dumps(event, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def digest(event: Mapping[str, Any]) -> str:
    """The hash a line carries."""
    return hashlib.sha256(canonical({key: value for key, value in event.items() if key != "hash"})).hexdigest()


def parsed(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, or None."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


@dataclass(frozen=True, slots=True)
class Flaw:
    """One line that does not fit, or a file that is missing."""

    line: int
    message: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a log came to.

    Attributes:
        hashes: of every event in order, CHANGED for one that is not whole.
        file, line: where the last line stands.
    """

    hashes: Sequence[str]
    flaws: Sequence[Flaw]
    file: str = ""
    line: int = 0

    @property
    def events(self) -> int:
        """How many events there are."""
        return len(self.hashes)

    @property
    def head(self) -> str:
        """The last hash that is whole."""
        return next((known for known in reversed(self.hashes) if known != CHANGED), GENESIS)


def verify(path: Path) -> Verification:
    """Checks every line of a log by itself and against the one before, over all its files. Raises AuditUnwritable: it cannot be read."""
    chain = _Chain()
    for part in segments.every(path):
        try:
            with segments.opened(part) as file:
                chain.read(file, part)
        except FileNotFoundError:
            chain.miss(part)
    return chain.end(path)


def verify_lines(lines: Iterable[bytes]) -> Verification:
    """Checks the lines of a log's only file, each with its line feed."""
    chain = _Chain()
    chain.read(lines)
    return chain.end()


class _Chain:
    """A log that is read line by line and file by file: what is known of it so far."""

    def __init__(self) -> None:
        self._hashes: list[str] = []
        self._flaws: list[Flaw] = []
        self._sure = True  # whether the next line must follow the last hash
        self._torn: Flaw | None = None  # half a line, which only the very end of a log may hold
        self._last: Any = None  # the last event of this file
        self._next: Any = None  # the file in which the log goes on, as that event says
        self._part: Path | None = None
        self._parts = self._line = 0

    def miss(self, part: Path) -> None:
        """A file that is not there."""
        self._flaw(part, 1, MISSING)
        self._part, self._line, self._next = part, 1, None
        self._parts += 1

    def read(self, lines: Iterable[bytes], part: Path | None = None) -> None:
        """One file."""
        if self._part is not None and not self._line:
            self._flaw(self._part, 1, "is empty, and yet there is another file after it")
        before, self._part, last = self._part, part, self._line
        self._parts, self._line = self._parts + 1, 0
        for self._line, line in enumerate(lines, start=1):
            if self._line == 1 and before and part:
                self._enter(part, before, last)
            self._take(line)

    def _enter(self, part: Path, before: Path, last: int) -> None:
        """The first line of a file that is not the first."""
        if self._torn:
            self._change(self._torn)
        elif self._sure and self._next != part.name:
            self._flaw(before, last, f"does not say, in its last line, that the log goes on in {part.name}: the end was cut off")
        self._torn = self._last = self._next = None

    def _take(self, line: bytes) -> None:
        event, message = check(line)
        if event is None:
            flaw = Flaw(self._line, message, _named(self._part))
            if cut_short(line, self._last):
                self._torn = flaw
            else:
                self._change(flaw)
            return
        place = len(self._hashes) + 1
        if self._sure and event["prev"] != (self._hashes[-1] if self._hashes else GENESIS):
            self._flaw(self._part, self._line, "does not follow the line before: a line was removed, added or moved")
        elif event["seq"] != place and not self._flaws:
            self._flaw(self._part, self._line, f"is numbered {event['seq']}, expected {place}")
        else:
            self._sure = True
        self._hashes.append(event["hash"])
        self._last, self._next = event["event"], event.get("next") if event["event"] == CONTINUED else None

    def _change(self, flaw: Flaw) -> None:
        """A line that is no event any more."""
        self._flaws.append(flaw)
        self._hashes.append(CHANGED)
        self._sure = False

    def _flaw(self, part: Path | None, line: int, message: str) -> None:
        self._flaws.append(Flaw(line, message, _named(part)))
        self._sure = False

    def end(self, path: Path | None = None) -> Verification:
        """What it came to; half a line at the very end is what a crash leaves."""
        at = _named(self._part), self._line
        if path is not None and self._next is not None and self._line:
            self._flaw(segments.name(path, self._parts + 1), 1, MISSING)
        return Verification(self._hashes, self._flaws, *at)


def _named(part: Path | None) -> str:
    return "" if part is None else str(part)


def cut_short(line: bytes, last: Any) -> bool:
    """Whether a line is what a crash leaves of an event: its beginning, at the end of a log that was not ended."""
    if line.endswith(b"\n") or last in LAST:
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(line.decode("ascii"))
    except RecursionError:
        return False
    except ValueError:
        return line.startswith(b"{") and line.isascii()
    return end == len(line)


def check(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """The event of a line, or what is wrong with the line taken by itself."""
    event = parsed(line)
    if event is None or not {"event", "hash", "prev", "seq"} <= event.keys():
        return None, "was changed: it is not a whole event"
    return (event, "") if is_whole(event, line) else (None, "was changed: it does not stand as it was written, or its hash does not fit")


def is_whole(event: Mapping[str, Any], line: bytes) -> bool:
    """Whether an event stands in its line as it was written, under its own hash."""
    try:
        spelt = canonical(event)
    except (ValueError, RecursionError):  # a number that JSON does not know
        return False
    hash_ = event.get("hash")
    bare = spelt.replace(f'"hash":"{hash_}",'.encode(), b"", 1)  # nothing else in an event can hold its own hash
    return spelt + b"\n" == line and hashlib.sha256(bare).hexdigest() == hash_
