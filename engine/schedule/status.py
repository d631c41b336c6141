"""How things stand with each trigger: the run that should have been last, whether it was, and how it went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.audit import journal
from engine.schedule.entry import Entry
from engine.schedule.memory import Memory, Record, every_record
from engine.state import LOG, State, history

PROBLEMS = ("missed", "refused", "gone", "failed", "in_doubt", "interrupted")
"""Standings that somebody should look at."""
GRACE = 60.0
"""Seconds that a run may take to begin."""
CATCHING_UP = 300.0
"""Seconds until a moment that is to be caught up is looked for again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one trigger stands.

    Attributes:
        record: what is remembered of it.
        entry: the trigger; None when it is gone.
        state: a run's status; or waiting (nothing was expected yet), starting (it waits its turn), skipped (another run held its group),
            refused (it could not begin), missed (no run, and it is too late for one), gone (its runbook's file is not there any more).
        moment: the one it is about, in UTC; None while waiting.
        run: its id, where there is one.
    """

    record: Record
    entry: Entry | None
    state: str
    moment: datetime | None = None
    run: str | None = None

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self.state in PROBLEMS


@dataclass(frozen=True, slots=True)
class Seen:
    """A run of a trigger; two for one moment, such as one that was started by hand again, stand in the order they began."""

    moment: datetime
    began: datetime
    place: Path


def installed(state: State) -> list[Record]:
    """What is remembered of each trigger that is installed."""
    return [record for record in every_record(state.schedule) if record.since is not None]


def gone(records: Iterable[Record]) -> list[Standing]:
    """The installed triggers whose runbook is not there any more."""
    return [Standing(record, None, "gone") for record in records if not Path(record.file).exists()]


def standings(state: State, entries: Iterable[Entry], now: datetime) -> Iterator[Standing]:
    """How each trigger stands."""
    wanted = list(entries)
    due = {id(entry): _overdue(entry, now) for entry in wanted}
    earliest = min((moment for moment in due.values() if moment), default=now)
    begun = list(_begun(state, min(earliest, now - timedelta(days=1))))
    for entry in wanted:
        yield _standing(state, entry, due[id(entry)], [seen for told, place in begun if (seen := _seen(entry, told, place))])


def _overdue(entry: Entry, now: datetime) -> datetime | None:
    """The last moment whose run should have begun by now, however late it may begin."""
    trigger = entry.trigger
    allowed = GRACE + trigger.jitter
    if trigger.missed == "run_once":
        allowed += max(CATCHING_UP, trigger.max_lateness or 0.0)
    found = entry.latest(now - timedelta(seconds=allowed))
    return found and found.astimezone(UTC)


def _begun(state: State, since: datetime) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """The first event of each run that began since then, the newest first."""
    earliest = f"{since:%Y%m%dT%H%M%S}"
    for place in reversed(state.every_run()):
        if place.name < earliest:
            break
        yield next(journal.events(place / LOG), {}), place


def _seen(entry: Entry, told: Mapping[str, Any], place: Path) -> Seen | None:
    """The run as one of this trigger: by what it says itself; one that says nothing, by its runbook and by not being started by hand."""
    if not told:  # nothing of it was written
        return None
    began, scheduled = datetime.fromisoformat(told["started_at"]), told.get("scheduled")
    if scheduled:
        own = (scheduled["file"], scheduled["trigger"]) == (str(entry.file), entry.trigger.name)
        return Seen(datetime.fromisoformat(scheduled["moment"]), began, place) if own else None
    if told["runbook"] != entry.runbook or told["actor"]["trigger"] == "cli":
        return None
    return Seen(began, began, place)


def _standing(state: State, entry: Entry, overdue: datetime | None, runs: list[Seen]) -> Standing:
    memory = Memory(state.schedule, entry.file, entry.trigger.name)
    record = memory.read()
    last = max(runs, key=lambda seen: (seen.moment, seen.began), default=None)
    expected = overdue if overdue and overdue > (record.since or _written(entry)) else None
    if record.moment and record.outcome and (last is None or record.moment > last.moment) and (not expected or record.moment >= expected):
        return Standing(record, entry, _remembered(record, memory), record.moment)
    if last and (not expected or last.moment >= expected):
        return Standing(record, entry, _status(last), last.moment, last.place.name)
    if expected is None:
        return Standing(record, entry, "waiting")
    going = next((seen for seen in runs if _status(seen) == "running"), None)
    if going:
        return Standing(record, entry, "running", going.moment, going.place.name)
    return Standing(record, entry, "starting" if memory.is_held() else "missed", expected)


def _remembered(record: Record, memory: Memory) -> str:
    """What became of a moment that has no run: its log may be pruned, or it never began."""
    if record.outcome == "claimed":
        return "starting" if memory.is_held() else "missed"
    assert record.outcome is not None
    return "succeeded" if record.outcome == "begun" else record.outcome


def _status(seen: Seen) -> str:
    return str(history.summary(seen.place)["status"])


def _written(entry: Entry) -> datetime:
    """When the runbook was last changed: before that, nobody could have run it as it is."""
    try:
        return datetime.fromtimestamp(entry.file.stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)
