"""Whether a moment of a trigger is due, and that it comes to one run, whoever asks at once and whatever crashes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from engine.audit import journal
from engine.errors import Interrupted, OpsbookError, UsageError
from engine.model import Trigger
from engine.schedule import cron
from engine.schedule.entry import Entry, named
from engine.schedule.memory import Memory, Record
from engine.state import LOG, State

ON_TIME = 300.0
"""Seconds by which a start may be late and still count as on time: a busy machine, or a clock that was set."""
AHEAD = 60.0
"""Seconds before a start that are waited for: cron starts programs at full minutes only."""

Verdict = Literal["due", "later", "missed"]


def judge(trigger: Trigger, start: datetime, now: datetime, *, known: bool, slack: float = 0.0) -> Verdict:
    """What to do about a moment that nobody has seen to.

    Args:
        trigger: says how late is too late.
        start: the moment, and the machine's own delay after it.
        now: the present.
        known: whether anything is remembered of the trigger; without it, nobody can tell a missed moment from one before it was installed.
        slack: seconds by which whoever asks may be late on purpose.
    """
    late = (now - start).total_seconds()
    if late < -AHEAD:
        return "later"
    if late <= _patience(trigger, known=known) + slack:
        return "due"
    return "missed"


def _patience(trigger: Trigger, *, known: bool) -> float:
    if trigger.missed == "skip" or not known:
        return ON_TIME
    return float("inf") if trigger.max_lateness is None else max(trigger.max_lateness, AHEAD)


@dataclass(slots=True)
class Occasion:
    """The latest moment of a trigger, and the run that it asks for.

    Attributes:
        asking: whether only a moment that is due is to be run; else the run is wanted in any case.
        delayed: whether this machine's delay is kept here; else whoever asks has kept it.
        wait: lets seconds pass; raises Interrupted.
    """

    state: State
    file: Path
    trigger: str
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    asking: bool
    delayed: bool
    _lock: int | None = None

    @property
    def memory(self) -> Memory:
        """What is remembered of the trigger."""
        return Memory(self.state.schedule, self.file, self.trigger)

    def latest(self) -> datetime | None:
        """The last moment up to now, told by the trigger's name alone. Raises UsageError: it is no such name."""
        try:
            text, zone = named(self.trigger)
        except ValueError as error:
            hint = 'write the trigger as opsbook schedule list shows it, such as "0 3 * * * UTC"'
            raise UsageError(f"--scheduled {self.trigger}: {error}", hint=hint) from error
        found = cron.latest(text, cron.zone(zone), self.now())
        return found and found.astimezone(UTC)

    @contextmanager
    def taken(self) -> Iterator[datetime | None]:
        """Holds the latest moment until its run has begun; None when somebody has seen to it. What goes wrong is remembered."""
        moment = self.latest()
        self._lock = None if moment is None or (self.asking and self._is_seen(moment)) else self._locked(moment)
        if moment is None or (self.asking and self._lock is None):
            yield None
            return
        try:
            yield moment
        except Interrupted:
            raise  # nobody has seen to the moment: it may be caught up
        except OpsbookError as error:
            self._note("refused" if error.exit_status else "skipped", moment)
            raise
        finally:
            self._release()

    def _is_seen(self, moment: datetime) -> bool:
        """Whether the moment was seen to; one whose claim is held by nobody alive was not."""
        record = self.memory.read()
        return record.has_seen(moment) and record.outcome != "claimed"

    def _locked(self, moment: datetime) -> int | None:
        """The trigger's lock; None when the moment is somebody else's."""
        record = self.memory.read()
        handle = self.memory.lock(None if not self.asking or record.has_seen(moment) else lambda: self.wait(0.2))
        if handle is not None and self.asking and self._was_begun(moment):
            os.close(handle)
            return None
        return handle

    def _was_begun(self, moment: datetime) -> bool:
        """Looked at with the lock held; a claim that a crash left may have come to a run."""
        record = self.memory.read()
        if record.outcome != "claimed" or not record.has_seen(moment):
            return record.has_seen(moment)
        assert record.moment is not None
        begun = run_for(self.state, record, record.moment) is not None
        if begun:
            self.memory.write(outcome="begun")
        return begun

    def is_due(self, entry: Entry, moment: datetime) -> bool:
        """Whether to go ahead: claims the moment, and waits for this machine's own time, up to a minute."""
        if not self.asking:
            self._note("claimed", moment)
            return True
        delay = entry.delay if self.delayed else 0.0
        start = datetime.fromtimestamp(moment.timestamp() + delay, UTC)
        slack = 0.0 if self.delayed else entry.trigger.jitter
        known = self.memory.read().moment is not None
        verdict = judge(entry.trigger, start, self.now(), known=known, slack=slack)
        if verdict == "missed":
            self.memory.write(moment=moment, outcome="missed" if known else None)
        if verdict != "due":
            return False
        self._note("claimed", moment)
        self.wait(max(0.0, (start - self.now()).total_seconds()))
        return True

    def begun(self) -> None:
        """The run is on disk: the moment is seen to, and the next one may come."""
        if self._lock is not None:
            self.memory.write(outcome="begun")
        self._release()

    def _note(self, outcome: str, moment: datetime) -> None:
        """Remembers what became of the moment, where this process sees to it."""
        if self._lock is not None:
            self.memory.write(moment=moment, outcome=outcome)

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def run_for(state: State, record: Record, moment: datetime) -> Path | None:
    """The run of a moment, or None."""
    earliest = f"{moment:%Y%m%dT%H%M%S}"
    for place in reversed(state.every_run()):
        if place.name < earliest:
            break
        told = next(journal.events(place / LOG), {}).get("scheduled")
        if told and (told["file"], told["trigger"]) == (record.file, record.trigger) and datetime.fromisoformat(told["moment"]) == moment:
            return place
    return None
