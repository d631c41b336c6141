"""What past runs left: their state, read off their audit logs; and whether those logs are whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import journal
from engine.state import State

LOG = "audit.jsonl"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the audit log."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying came to."""

    events: int
    head: str
    problems: list[Problem]


def summary(place: Path) -> dict[str, Any]:
    """A run in one row: `runs list --json`."""
    first = next(journal.events(place / LOG), {})
    last = _last(place)
    return {
        "run_id": place.name,
        "runbook": first.get("runbook"),
        "status": _status(place, last),
        "started_at": first.get("started_at"),
        "ended_at": last.get("time") if last.get("event") in ("run.ended", "run.parked") else None,
        "trigger": first.get("actor", {}).get("trigger"),
        "events": last.get("seq", 0),
    }


def _last(place: Path) -> Mapping[str, Any]:
    import json

    lines = (place / LOG).read_bytes().splitlines()[-2:]
    for line in reversed(lines):
        try:
            event: Mapping[str, Any] = json.loads(line)
        except ValueError:
            continue
        return event
    return {}


def _status(place: Path, last: Mapping[str, Any]) -> str:
    """The last word of the log; without one, whether a process still holds the run."""
    if last.get("event") in ("run.ended", "run.parked"):
        return str(last["status"])
    return "running" if held(place) else "interrupted"


def hold(place: Path) -> int:
    """Takes a run for this process; the file descriptor holds it until it is closed. Raises BlockingIOError when another process has it."""
    handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    return handle


def held(place: Path) -> bool:
    """Whether a process holds the run."""
    try:
        os.close(hold(place))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


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
        row["requests"].append({"method": event["method"], "url": event["path"], "status": None, "key": event.get("key_used")})
    elif name == "step.result" and row["requests"]:
        row["requests"][-1]["status"] = event.get("answer", {}).get("status")
    elif name in ("step.ended", "step.skipped"):
        row |= {"status": event.get("status", "skipped"), "ended_at": event["time"], "error": event.get("error")}


def verify(state: State, run: Path | None = None) -> Verified:
    """Checks one run, or everything there is: every line of every run, the ledger, and the ledger's word on each run."""
    places = [run] if run else state.every_run()
    checks = {place: journal.verify(place / LOG) for place in places}
    problems = [Problem(str(place / LOG), flaw.line, flaw.message) for place, found in checks.items() for flaw in found.flaws]
    heads = {place.name: (found.head, found.events) for place, found in checks.items()}
    problems += _against_ledger(state, heads, whole=run is None)
    events = sum(found.events for found in checks.values())
    head = next(iter(checks.values())).head if run else (journal.verify(state.ledger).head if state.ledger.exists() else journal.GENESIS)
    return Verified(events, head, problems)


def _against_ledger(state: State, heads: Mapping[str, tuple[str, int]], *, whole: bool) -> Iterator[Problem]:
    if not state.ledger.exists():
        if heads:
            yield Problem(str(state.ledger), 1, "the ledger is missing, and runs are there")
        return
    if whole:
        for flaw in journal.verify(state.ledger).flaws:
            yield Problem(str(state.ledger), flaw.line, flaw.message)
    known: dict[str, dict[str, Any]] = {entry["run"]: entry for entry in journal.events(state.ledger) if "run" in entry}
    for name, entry in known.items():
        if name not in heads:
            if whole:
                yield Problem(str(state.ledger), entry["seq"], f"the run {name} is gone")
        elif entry["event"] == "run.closed" and (entry["head"], entry["events"]) != heads[name]:
            yield Problem(str(state.runs / name / LOG), heads[name][1] or 1, "does not end as the ledger says: the tail was cut or added to")
