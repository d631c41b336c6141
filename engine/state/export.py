"""The audit log as one file for a verifier elsewhere: a manifest, then every line as the log has it.

The manifest says of each log how many lines follow, how many events there are, and the head; and the SHA-256 of all that follows. The logs
stand one after the other, the ledger first. A sink's copy is checked the same way; it has no manifest, and its runs may be interleaved.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from engine.audit import chain, journal
from engine.audit.chain import Flaw
from engine.errors import UsageError
from engine.state import LOG, State, history

MANIFEST, LEDGER = "export.manifest", "ledger"
Tell = Callable[[Mapping[str, Any]], Any]


def _of(name: str, part: str | None = None) -> Tell:
    """A field of an event, or a part of it."""
    return lambda event: event.get(name) if part is None else (event.get(name) or {}).get(part)


COLUMNS: Mapping[str, Tell] = {
    **{name: _of(name) for name in ("time", "run", "runbook", "event", "step", "item", "attempt", "action", "effect", "method", "host")},
    "path": _of("path"),
    "ids": lambda event: " ".join(f"{name}={value}" for name, value in event.get("ids", {}).items()),
    **{f"key_{part}": _of("key_used", part) for part in ("kind", "reference", "fingerprint")},
    "status": lambda event: (event.get("answer") or {}).get("status") or event.get("status"),
    "outcome": _of("outcome"),
    "error": _of("error", "message"),
    "user": _of("actor", "user"),
    **{name: _of(name) for name in ("seq", "prev", "hash")},
}
"""Column of a table → its cell."""

Logs = Sequence[tuple[str, Path]]
Pick = Callable[[Mapping[str, Any]], bool]


def logs(state: State, runs: Sequence[Path], *, ledger: bool) -> Logs:
    """What an export is made of: each log with its name."""
    return [*([(LEDGER, state.ledger)] if ledger else []), *((place.name, place / LOG) for place in runs)]


def lines(chosen: Logs, pick: Pick | None, facts: Mapping[str, Any]) -> Iterator[bytes]:
    """The manifest, with `facts` in it, then the lines that are picked; all without `pick`.

    Raises UsageError when a log was pruned while it was exported.
    """
    told, wanted = _counted(chosen, pick)
    manifest = {"event": MANIFEST, **facts, "logs": told, "sha256": wanted}
    yield chain.canonical({**manifest, "hash": chain.digest(manifest)}) + b"\n"
    found, counts = hashlib.sha256(), {log["log"]: log["lines"] for log in told}
    for name, path in chosen:
        for line in islice(_picked(path, pick), counts.get(name, 0)):
            found.update(line)
            yield line
    if found.hexdigest() != wanted:
        raise UsageError("the audit log was pruned, or changed, while it was exported", hint="export it again")


def _counted(chosen: Logs, pick: Pick | None) -> tuple[list[dict[str, Any]], str]:
    """What the manifest says of each log, and the hash of all lines."""
    told, hashed = [], hashlib.sha256()
    for name, path in chosen:
        count, last = 0, {"seq": 0, "hash": chain.GENESIS}
        for event, line in _events(path):
            last = event
            if pick is None or pick(event):
                hashed.update(line)
                count += 1
        if count or pick is None:
            told.append({"log": name, "lines": count, "events": last.get("seq"), "head": last.get("hash")})
    return told, hashed.hexdigest()


def _events(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    return ((event, line) for _, _, line in journal.placed(path) if (event := chain.parsed(line)) is not None)


def _picked(path: Path, pick: Pick | None) -> Iterator[bytes]:
    return (line for event, line in _events(path) if pick is None or pick(event))


def table(chosen: Logs, pick: Pick | None) -> Iterator[bytes]:
    """The same as comma-separated values for people, without a manifest: the names of the columns, then a row an event.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    yield _row(list(COLUMNS))
    for _, path in chosen:
        for event, _ in _events(path):
            if pick is None or pick(event):
                yield _row([_cell(tell(event)) for tell in COLUMNS.values()])


def _row(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def check(file: str, given: Iterable[bytes]) -> history.Verified:
    """Checks an export, a sink's copy, or any other file of chained lines."""
    return _Check(file).all(given)


class _Log:
    """One log's lines in a file of several."""

    def __init__(self) -> None:
        self.hashes: list[str] = []
        self.seq, self.head, self.sure = 0, chain.GENESIS, True


class _Check:
    def __init__(self, file: str) -> None:
        self._file = file
        self._flaws: list[Flaw] = []
        self._gaps: list[Flaw] = []
        self._logs: dict[str, _Log] = {}
        self._ledger: list[tuple[str, int, bytes]] = []
        self._manifest: Mapping[str, Any] | None = None
        self._hashed = hashlib.sha256()
        self._sure = True  # whether the line before was whole

    def all(self, given: Iterable[bytes]) -> history.Verified:
        for number, line in enumerate(given, start=1):
            if number == 1 and self._is_manifest(line):
                continue
            if self._manifest is None and chain.cut_short(line, None):
                continue  # what a crash leaves at the end of a copy, until the next line is written to it
            self._hashed.update(line)
            self._take(number, line)
        if self._manifest is None or not self._manifest.get("filter"):
            self._flaws += self._gaps
        self._flaws += self._unlike_manifest(self._manifest or {})
        self._flaws += self._unlike_ledger()
        first = self._logs.get(LEDGER) or next(iter(self._logs.values()), _Log())
        hashes = [hash_ for log in self._logs.values() for hash_ in log.hashes]
        return history.Verified(len(hashes), first.head, self._flaws, frozenset(hashes))

    def _is_manifest(self, line: bytes) -> bool:
        event = chain.parsed(line)
        if event is None or event.get("event") != MANIFEST:
            return False
        whole = chain.is_whole(event, line)
        self._manifest = event if whole else {}
        if not whole:
            self._flaws.append(Flaw(1, "was changed: its hash does not fit", self._file))
        return True

    def _take(self, number: int, line: bytes) -> None:
        event, message = chain.check(line)
        if event is None:
            self._flaws.append(Flaw(number, message, self._file))
            self._sure = False
            return
        name = LEDGER if event.get("log") == LEDGER else str(event.get("run"))
        if name == LEDGER:
            self._ledger.append((self._file, number, line))
        self._follow(name, number, event)
        self._sure = True

    def _follow(self, name: str, number: int, event: Mapping[str, Any]) -> None:
        log = self._logs.setdefault(name, _Log())
        seq = event["seq"] if isinstance(event["seq"], int) else 0
        if log.hashes and event["hash"] == log.head:
            return  # a sink may be handed a line once more after a crash
        if seq <= log.seq or (seq == log.seq + 1 and event["prev"] != log.head):
            self._flaws.append(Flaw(number, f"does not follow the event before in {name}: a line was removed, added or moved", self._file))
        elif seq > log.seq + 1 and self._sure:
            self._gaps.append(Flaw(number, f"is event {seq} of {name}, expected {log.seq + 1}: lines are missing", self._file))
        log.seq, log.head = seq, event["hash"]
        log.hashes.append(event["hash"])

    def _unlike_manifest(self, manifest: Mapping[str, Any]) -> Iterator[Flaw]:
        """What was broken before the export, and what differs from the manifest's word."""
        for problem in manifest.get("problems", ()):
            yield Flaw(1, f"was broken when it was exported: {problem['file']}:{problem['line']}: {problem['message']}", self._file)
        for told in manifest.get("logs", ()):
            log = self._logs.get(told["log"], _Log())
            if len(log.hashes) != told["lines"]:
                yield Flaw(1, f"tells of {told['lines']} lines of {told['log']}, and {len(log.hashes)} are here", self._file)
            elif told["lines"] == told["events"] and log.head != told["head"]:
                yield Flaw(1, f"tells of another head of {told['log']}", self._file)
        if not self._flaws and manifest and manifest["sha256"] != self._hashed.hexdigest():
            yield Flaw(1, "tells another SHA-256 than that of the lines after it", self._file)

    def _unlike_ledger(self) -> Iterator[Flaw]:
        """Runs that end otherwise than the ledger says, where both were exported whole."""
        if self._flaws or not self._manifest or self._manifest.get("filter"):
            return
        for run, entries in history.told_of(self._ledger).items():
            gone = run not in self._logs and entries[-1].get("event") != history.PRUNED
            if gone or (run in self._logs and not history.as_told(entries, self._logs[run].hashes)):
                yield Flaw(entries[-1]["line"], f"tells of another end of the run {run}: its log was cut, or is missing", self._file)
