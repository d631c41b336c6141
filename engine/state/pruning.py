"""Removing old runs, and what else grows in the state folder, so that the audit log still holds.

A run is removed in this order: the ledger gets its tombstone, with the head and the number of events; the run's folder leaves its place at
once; its files are removed. Wherever a crash falls, what is left is whole, and the next pruning goes on with it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audit import chain, journal, ledger, segments
from engine.errors import AuditUnwritable, ChainBroken, Overlap
from engine.state import LOG, State, history
from engine.system import disk, turns

STATUSES = ("succeeded", "failed", "cancelled")
"""Statuses of runs that are over: no other is ever removed."""
FRESH, STALE = 3600.0, 30 * 86400.0
"""Seconds that a file which belongs to no run, and an entry of the cache, are left alone."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which runs go: those that are over, have one of the statuses, are not among the newest so many, and ended before a moment."""

    keep: int = 0
    before: str | None = None
    statuses: tuple[str, ...] = STATUSES


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed.

    Attributes:
        runs: their rows, as `runs list` shows them.
        refused: runs whose log does not hold, each with what is wrong: they are evidence and stay.
        leftovers: how many unused locks, old entries of the cache and remains of crashes went too.
    """

    runs: list[dict[str, Any]]
    refused: list[dict[str, str]]
    leftovers: int = 0


def chosen(state: State, rule: Rule) -> list[dict[str, Any]]:
    """Rows of the runs that a rule lets go, the oldest first. Raises AuditUnwritable."""
    rows = [history.summary(place) for place in state.every_run()]
    needed = {_retried(state.runs / row["run_id"]) for row in rows if row["status"] not in STATUSES}
    over = [row for row in rows if row["status"] in rule.statuses]
    old = over[: max(0, len(over) - rule.keep)]
    return [row for row in old if row["run_id"] not in needed and (rule.before is None or _ended(state, row) < rule.before)]


def _retried(place: Path) -> str | None:
    """The run that a run is the retry of: until that is under way, it needs the old one's files."""
    of: str | None = next(journal.events(place / LOG), {}).get("retry_of")
    return of


def _ended(state: State, row: Mapping[str, Any]) -> str:
    """When a run ended; one that was stopped before it began, when its folder was made."""
    touched = time.gmtime((state.runs / row["run_id"]).stat().st_mtime)
    return str(row["ended_at"] or time.strftime("%Y-%m-%dT%H:%M:%SZ", touched))


def prune(state: State, rule: Rule, *, segment: int = segments.DEFAULT_SIZE, **stamp: Any) -> Pruned:
    """Removes runs, then leftovers; the tombstones hold `stamp`: by whom, and when.

    Raises:
        ChainBroken: the ledger was changed; nothing was removed.
        AuditUnwritable: the ledger cannot be written, or something cannot be removed.
        Overlap: another process prunes.
    """
    try:
        with _alone(state):
            return _pruned(state, rule, segment, stamp)
    except OSError as error:
        why = f"{error.filename or state.root} cannot be removed: {error.strerror}"
        raise AuditUnwritable(why, hint="check the state folder") from error


@contextmanager
def _alone(state: State) -> Iterator[None]:
    disk.make_folder(state.root)
    handle = disk.lock(state.root / "prune.lock")
    if handle is None:
        raise Overlap("another process prunes the runs at this moment")
    try:
        yield
    finally:
        os.close(handle)


def _pruned(state: State, rule: Rule, segment: int, stamp: Mapping[str, Any]) -> Pruned:
    if segments.exists(state.ledger) and (flaws := chain.verify(state.ledger).flaws):
        raise ChainBroken(f"{flaws[0].file}:{flaws[0].line}: {flaws[0].message}; nothing was pruned", hint="opsbook audit verify")
    told = history.told_of(journal.placed(state.ledger))
    removed: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for row in chosen(state, rule):
        with suppress(Overlap), history.hold(state.runs / row["run_id"]):  # somebody looks at it at this moment
            why = _remove(state, row, told, segment, stamp)
            if why is None:
                removed.append(row)
            else:
                refused.append({"run_id": row["run_id"], "reason": why})
    return Pruned(removed, refused, sum(1 for _ in _swept(state, told)))


def _remove(state: State, row: Mapping[str, Any], told: history.Told, segment: int, stamp: Mapping[str, Any]) -> str | None:
    """Removes a run that this process holds; what is wrong with its log when it stays. Raises OSError, AuditUnwritable."""
    place = state.runs / row["run_id"]
    check = chain.verify(place / LOG)
    flaws = [*check.flaws, *history.unlike_ledger({place: check}, told)]
    if flaws:
        return f"{flaws[0].file}:{flaws[0].line}: {flaws[0].message}"
    if not history.has_tombstone(told.get(place.name, ())):
        known = {name: row[name] for name in ("runbook", "status", "started_at", "ended_at")}
        ledger.write(state.ledger, history.PRUNED, segment=segment, run=place.name, head=check.head, events=check.events, **known, **stamp)
    _discard(state, place)
    return None


def _discard(state: State, place: Path) -> None:
    """Takes a folder out of its place in one step, then removes its files. Raises OSError."""
    trash = state.root / "trash"
    disk.make_folder(trash)
    place.rename(trash / place.name)
    disk.sync_folder(place.parent)
    shutil.rmtree(trash / place.name)


def _swept(state: State, told: history.Told) -> Iterator[Path]:
    """Removes what belongs to no run: each path that went. Raises OSError."""
    for place in _in(state.root / "trash"):
        shutil.rmtree(place)
        yield place
    for place in _in(state.runs):
        if _is_leftover(place, told):
            with suppress(Overlap), history.hold(place):
                _discard(state, place)
                yield place
    for lock in _in(state.root / "locks"):
        if lock.suffix == ".lock" and turns.forget(lock):
            yield lock
    for file in [*_aged(_in(state.root / "cache"), STALE), *_aged(_in(state.root, "fingerprint.key.*"), FRESH)]:
        file.unlink(missing_ok=True)
        yield file


def _is_leftover(place: Path, told: history.Told) -> bool:
    """A run whose removal a crash cut short, or that was stopped before its log was there."""
    if segments.exists(place / LOG):
        return history.has_tombstone(told.get(place.name, ()))
    return place.name not in told and any(_aged([place], FRESH))


def _in(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.glob(pattern))


def _aged(paths: Sequence[Path], seconds: float) -> Iterator[Path]:
    for path in paths:
        with suppress(FileNotFoundError):  # it was not needed any longer
            if path.stat().st_mtime < time.time() - seconds:
                yield path
