"""What past runs left: their state, read off their audit logs; and whether those logs are whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audit import chain, journal, segments
from engine.audit.chain import Flaw
from engine.errors import AuditUnwritable, Overlap, UsageError
from engine.state import LOG, State
from engine.system import disk

OVER = ("run.ended", "run.parked")
"""Events behind which no process carries the run on."""
CLOSED, PRUNED = "run.closed", "run.pruned"
"""Entries of the ledger that tell a run's last head and number of events."""
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying came to.

    Attributes:
        head: of the one run, or of the ledger.
        heads: every head that a run, or an earlier verification, may have printed: those of runs that were pruned since, too.
    """

    events: int
    head: str
    problems: list[Flaw]
    heads: frozenset[str]


def summary(place: Path) -> dict[str, Any]:
    """A run in one row: `runs list --json`."""
    first = next(journal.events(place / LOG), {})
    last = journal.last_event(place / LOG) or {}
    return {
        "run_id": place.name,
        "runbook": first.get("runbook"),
        "status": "running" if held(place) else left(place),
        "started_at": first.get("started_at"),
        "ended_at": last.get("time") if last.get("event") in OVER else None,
        "trigger": first.get("actor", {}).get("trigger"),
        "scheduled": first.get("scheduled"),
        "events": last.get("seq", 0),
    }


def left(place: Path) -> str:
    """The status in which a run was left that no process carries on."""
    last = journal.last_event(place / LOG)
    if last is None:  # nothing was sent by a run that was stopped before it began; what was changed may have been anything
        return "cancelled" if next(journal.placed(place / LOG), None) is None else "interrupted"
    return str(last["status"]) if last.get("event") in OVER else "interrupted"


@contextmanager
def hold(place: Path) -> Iterator[None]:
    """Takes a run for this process. Raises Overlap when another process has it, AuditUnwritable."""
    handle = _locked(place)
    if handle is None:
        raise Overlap(f"another process carries the run {place.name} on", hint=f"opsbook runs show {place.name}")
    try:
        _sign(place, handle)
        yield
    finally:
        os.close(handle)


def _sign(place: Path, handle: int) -> None:
    """Leaves this process's id in its lock, for `cancel`."""
    with _told("written", place):
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)


def holder(place: Path) -> int | None:
    """The process that holds the run, or None."""
    if not held(place):
        return None
    written = (place / "lock").read_text()
    return int(written) if written.isdecimal() else None


def held(place: Path) -> bool:
    """Whether a process holds the run; one that was pruned meanwhile is held by nobody."""
    with _told("looked at", place):
        return disk.is_locked(place / "lock")


def _locked(place: Path) -> int | None:
    """The run's lock, or None when it is taken: tried again for a moment, since even a look at it takes it that long."""
    patience = PATIENCE
    with _told("taken", place):
        handle = disk.lock(place / "lock")
        while handle is None and (patience := patience - 1):
            time.sleep(0.02)
            handle = disk.lock(place / "lock")
    return handle


@contextmanager
def _told(verb: str, place: Path) -> Iterator[None]:
    """What the system says of the run's lock, as AuditUnwritable."""
    try:
        yield
    except OSError as error:
        raise AuditUnwritable(
            f"the lock of the run {place.name} cannot be {verb}: {error.strerror}", hint="check the state folder"
        ) from error


def steps(place: Path) -> list[dict[str, Any]]:
    """The steps of a run, as its log tells them: begun, ended, with what requests and what error."""
    rows: dict[str, dict[str, Any]] = {}
    for event in journal.events(place / LOG):
        if "step" not in event:
            continue
        row = rows.setdefault(_row_key(event), {"id": event["step"], "item": event.get("item"), "status": "running", "requests": []})
        _learn(row, event)
    return list(rows.values())


def _row_key(event: Mapping[str, Any]) -> str:
    return f"{event['step']}[{event.get('item')}]"


def _learn(row: dict[str, Any], event: Mapping[str, Any]) -> None:
    name = event["event"]
    if name == "step.started":
        row |= {"uses": event["uses"], "started_at": event["time"]}
    elif name == "step.intent" and "path" in event:
        row["attempts"] = event["attempt"]
        row["requests"].append({"method": event["method"], "url": path(event), "status": None, "key": event.get("key_used")})
    elif name == "step.result" and row["requests"]:
        row["requests"][-1]["status"] = event.get("answer", {}).get("status")
    elif name in ("step.ended", "step.skipped"):
        row |= {"status": event.get("status", "skipped"), "ended_at": event["time"], "error": event.get("error")}


def path(intent: Mapping[str, Any]) -> str:
    """Where a request went, with the ids in the places its path has for them."""
    whole: str = intent["path"]
    for name, value in intent.get("ids", {}).items():
        whole = whole.replace(f"{{{name}}}", value)
    return whole


def retold(document: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """A run's document with what only its log tells: when each step began and ended, what was sent, and which items failed."""
    rows = steps(place)
    whole = {row["id"]: row for row in rows if row["item"] is None}
    actor = next(journal.events(place / LOG), {}).get("actor", {})
    return {**document, "actor": actor, "steps": [_retold(step, whole.get(step["id"], {}), rows) for step in document["steps"]]}


def _retold(step: Mapping[str, Any], whole: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    told = {name: whole[name] for name in ("started_at", "ended_at", "attempts", "requests") if name in whole}
    if "items" not in step:
        return {**step, **told}
    own = [row for row in rows if row["id"] == step["id"] and row["item"] is not None]
    failures = [{"item": row["item"], "message": row["error"]["message"]} for row in own if row.get("error")]
    requests = [request for row in own for request in row["requests"]]
    return {**step, **told, "requests": requests, "items": {**step["items"], "failures": failures}}


def place_of(state: State, run: str) -> Path:
    """The folder of a run, by its id or the beginning of one. Raises UsageError, which says so when the run was pruned."""
    try:
        return state.run(run)
    except UsageError:
        pruned = [entries[-1] for entries in told_of(journal.placed(state.ledger)).values() if has_tombstone(entries)]
        gone = next((entry for entry in pruned if str(entry["run"]).startswith(run)), None)
        if gone is None:
            raise
        hint = f"its head is still known: opsbook audit verify --expect-head {str(gone.get('head'))[:16]}"
        raise UsageError(f"the run {gone['run']} was pruned at {gone.get('pruned_at')}", hint=hint) from None


def verify(state: State, run: Path | None = None) -> Verified:
    """Checks one run, or everything there is: every line of every run, the ledger, and the ledger's word on each run."""
    found = {place: chain.verify(place / LOG) for place in ([run] if run else state.every_run())}
    runs = {place: check for place, check in found.items() if segments.exists(place / LOG)}  # the others were pruned meanwhile
    known = segments.exists(state.ledger)
    ledger = chain.verify(state.ledger) if known else chain.Verification((), ())
    told = told_of(journal.placed(state.ledger)) if known else {}
    problems = [flaw for check in runs.values() for flaw in check.flaws]
    problems += ledger.flaws if run is None else ()
    problems += [*unlike_ledger(runs, told), *(_unknown(runs, told) if known else ())]
    if runs and not known:
        problems.append(Flaw(1, "the ledger is missing, and runs are there", str(state.ledger)))
    if run is None:
        problems += _gone(state, told)
    heads = {check.head for check in runs.values()} | {head for place in runs for _, head in _ends(told.get(place.name, ()))}
    if run is None:
        heads |= {*ledger.hashes} | {head for entries in told.values() for _, head in _ends(entries)}
    head = runs[run].head if run in runs else ledger.head
    return Verified(sum(check.events for check in runs.values()), head, problems, frozenset(heads))


Told = Mapping[str, Sequence[Mapping[str, Any]]]
"""By run, what the ledger was told of it, and in which line of which file."""


def told_of(ledger: Iterable[tuple[str, int, bytes]]) -> Told:
    """What the lines of a ledger tell of each run."""
    known: dict[str, list[dict[str, Any]]] = {}
    for file, line, written in ledger:
        entry = chain.parsed(written)
        if entry is not None and "run" in entry:
            known.setdefault(str(entry["run"]), []).append({**entry, "file": file, "line": line})
    return known


def unlike_ledger(runs: Mapping[Path, chain.Verification], told: Told) -> Iterator[Flaw]:
    """Runs that end otherwise than the ledger says; looked at once more, since a run may have gone on meanwhile."""
    for place, check in runs.items():
        entries = told.get(place.name, ())
        if as_told(entries, check.hashes) or any(flaw.message == chain.MISSING for flaw in check.flaws):
            continue
        again = chain.verify(place / LOG)
        if not as_told(entries, again.hashes):
            yield Flaw(again.line or 1, "does not end as the ledger says: the tail was cut or added to", again.file)


def _gone(state: State, told: Told) -> list[Flaw]:
    """Runs that are not there and have no tombstone; looked for once more, since one may have got it meanwhile."""
    missing = [name for name, entries in told.items() if not has_tombstone(entries) and not segments.exists(state.runs / name / LOG)]
    now = told_of(journal.placed(state.ledger)) if missing else told
    first = {name: now[name][0] for name in missing if name in now and not has_tombstone(now[name])}
    return [Flaw(entry["line"], f"the run {name} is gone", entry["file"]) for name, entry in first.items()]


def _unknown(runs: Mapping[Path, chain.Verification], told: Told) -> Iterator[Flaw]:
    """Runs that the ledger was told nothing of, though it is told before the first event of each."""
    for place, check in runs.items():
        if check.events and place.name not in told:
            yield Flaw(1, "the ledger knows nothing of this run: it was added, or the ledger was cut", str(place / LOG))


def has_tombstone(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a run was pruned."""
    return bool(entries) and entries[-1].get("event") == PRUNED


def _ends(entries: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Number of events and head, each time the ledger was told of an end."""
    ends = [entry for entry in entries if entry.get("event") in (CLOSED, PRUNED)]
    return [(entry["events"], entry["head"]) for entry in ends if isinstance(entry.get("events"), int) and "head" in entry]


def as_told(entries: Sequence[Mapping[str, Any]], hashes: Sequence[str]) -> bool:
    """Whether a log still holds every end that the ledger was told, and, unless the run was gone on with since, ends with the last."""
    ends = _ends(entries)
    if any(events > len(hashes) or (events and hashes[events - 1] not in (head, chain.CHANGED)) for events, head in ends):
        return False
    return not (ends and entries[-1].get("event") in (CLOSED, PRUNED)) or ends[-1][0] == len(hashes)
