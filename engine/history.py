"""What past runs left: their state, read off their audit logs; and whether those logs are whole."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import disk, journal
from engine.errors import AuditUnwritable, Overlap
from engine.state import State

LOG = "audit.jsonl"
OVER = ("run.ended", "run.parked")
"""Events behind which no process carries the run on."""
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the audit log."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying came to.

    Attributes:
        head: of the one run, or of the ledger.
        heads: every head that a run may have printed, the ledger's too.
    """

    events: int
    head: str
    problems: list[Problem]
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
        "events": last.get("seq", 0),
    }


def left(place: Path) -> str:
    """The status in which a run was left that no process carries on."""
    last = journal.last_event(place / LOG)
    if last is None:
        return "cancelled"  # stopped before it began: nothing was sent
    return str(last["status"]) if last.get("event") in OVER else "interrupted"


@contextmanager
def hold(place: Path) -> Iterator[None]:
    """Takes a run for this process. Raises Overlap when another process has it, AuditUnwritable."""
    handle = _locked(place, patience=PATIENCE)
    if handle is None:
        raise Overlap(f"another process carries the run {place.name} on", hint=f"opsbook runs show {place.name}")
    try:
        _sign(place, handle)
        yield
    finally:
        os.close(handle)


def _sign(place: Path, handle: int) -> None:
    """Leaves this process's id in its lock, for `cancel`."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    except OSError as error:
        raise AuditUnwritable(
            f"the lock of the run {place.name} cannot be written: {error.strerror}", hint="check the state folder"
        ) from error


def holder(place: Path) -> int | None:
    """The process that holds the run, or None."""
    if not held(place):
        return None
    written = (place / "lock").read_text()
    return int(written) if written.isdecimal() else None


def held(place: Path) -> bool:
    """Whether a process holds the run."""
    handle = _locked(place, patience=1)
    if handle is not None:
        os.close(handle)
    return handle is None


def _locked(place: Path, patience: int) -> int | None:
    """The run's lock, or None when it is taken: tried again for a moment, since even a look at it takes it that long."""
    try:
        handle = disk.lock(place / "lock")
        while handle is None and (patience := patience - 1):
            time.sleep(0.02)
            handle = disk.lock(place / "lock")
    except OSError as error:
        raise AuditUnwritable(
            f"the lock of the run {place.name} cannot be taken: {error.strerror}", hint="check the state folder"
        ) from error
    return handle


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


def verify(state: State, run: Path | None = None) -> Verified:
    """Checks one run, or everything there is: every line of every run, the ledger, and the ledger's word on each run."""
    places = [run] if run else state.every_run()
    checks = {place: journal.verify(place / LOG) for place in places}
    problems = [Problem(str(place / LOG), flaw.line, flaw.message) for place, found in checks.items() for flaw in found.flaws]
    problems += _against_ledger(state, {place.name: found.hashes for place, found in checks.items()}, whole=run is None)
    events = sum(found.events for found in checks.values())
    heads = [found.head for found in checks.values()]
    head = heads[0] if run else (journal.verify(state.ledger).head if state.ledger.exists() else journal.GENESIS)
    return Verified(events, head, problems, frozenset([head, *heads]))


def _against_ledger(state: State, runs: Mapping[str, Sequence[str]], *, whole: bool) -> Iterator[Problem]:
    if not state.ledger.exists():
        if runs:
            yield Problem(str(state.ledger), 1, "the ledger is missing, and runs are there")
        return
    if whole:
        for flaw in journal.verify(state.ledger).flaws:
            yield Problem(str(state.ledger), flaw.line, flaw.message)
    known: dict[str, list[dict[str, Any]]] = {}
    for entry in journal.events(state.ledger):
        known.setdefault(entry.get("run", ""), []).append(entry)
    for name, hashes in runs.items():
        if not _as_told(known.get(name, ()), hashes):
            yield Problem(str(state.runs / name / LOG), len(hashes) or 1, "does not end as the ledger says: the tail was cut or added to")
    if whole:
        yield from (
            Problem(str(state.ledger), told[0]["seq"], f"the run {name} is gone") for name, told in known.items() if name not in runs
        )


def _as_told(told: Sequence[Mapping[str, Any]], hashes: Sequence[str]) -> bool:
    """Whether a log still holds every end that the ledger was told, and, unless the run was gone on with since, ends with the last."""
    ends = [(entry["events"], entry["head"]) for entry in told if entry["event"] == "run.closed"]
    if any(events > len(hashes) or hashes[events - 1] not in (head, journal.CHANGED) for events, head in ends):
        return False
    return not (told and told[-1]["event"] == "run.closed") or ends[-1][0] == len(hashes)
