"""What earlier processes of a run left, and whether a run may be gone on with or retried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.audit import chain, journal
from engine.errors import ChainBroken, UsageError
from engine.state import LOG, history
from engine.state.results import Results

RESULTS = "results.jsonl"
RESUMABLE = ("interrupted", "waiting", "in_doubt")
"""Statuses of runs that may be gone on with."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier processes of a run left.

    Attributes:
        kept: the runbook's text and file, the inputs, what templates see as `run`, the options it began with, and of a retry, the
            run and the step it starts from.
        started: the first event.
        last: the moment of the last event.
    """

    place: Path
    status: str
    kept: Mapping[str, Any]
    started: Mapping[str, Any]
    last: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """A retry of an ended run.

    Attributes:
        start: id of the step from which everything is done again, or None.
        changed: whether the runbook or the inputs are others now, so that what was done must be held against what would be done.
    """

    of: Past
    start: str | None
    changed: bool


def unfinished(place: Path) -> Past:
    """What a run goes on from. Raises as `ended` does, UsageError when it is over."""
    status, run = history.left(place), place.name
    if status not in RESUMABLE:
        raise UsageError(f"the run {run} is over ({status}): there is nothing to go on with", hint=f"start from it: opsbook retry {run}")
    return _left(place, status)


def ended(place: Path) -> Past:
    """What a retry starts from.

    Raises:
        UsageError: the run is not over.
        ChainBroken: its log or what it kept was changed: nothing that stands there can be relied on.
    """
    status, run = history.left(place), place.name
    if status in RESUMABLE:
        raise UsageError(f"the run {run} is not over ({status}): it can be gone on with", hint=f"opsbook resume {run}")
    return _left(place, status)


def _left(place: Path, status: str) -> Past:
    run = place.name
    broken = f"opsbook audit verify --run {run}; then start the runbook anew"
    if chain.verify(place / LOG).flaws:
        raise ChainBroken(f"the audit log of the run {run} was changed: it cannot be gone on with", hint=broken)
    started, last = next(journal.events(place / LOG), None), journal.last_event(place / LOG)
    if started is None or last is None:
        raise UsageError(f"the run {run} was stopped before it began: nothing was sent", hint="start it anew: opsbook run RUNBOOK")
    results = Results(place / RESULTS)
    results.close()
    if started["kept"] not in results:
        raise ChainBroken(f"what the run {run} kept was changed: it cannot be gone on with", hint=broken)
    return Past(place, status, results.get(started["kept"]), started, datetime.fromisoformat(last["time"]))
