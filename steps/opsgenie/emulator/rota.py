"""Whose turn it is: rotations and overrides of a schedule over time, in the schedule's own time zone.

Daily and weekly turns change at the same time of the day all the year, hourly turns after so many hours.

Unconfirmed, and chosen here: where a turn would change in an hour that the clocks leave out, it changes an hour later by the clock; in an
hour they go through twice, the first time. An override is on call whatever the time restrictions, and of two the later made holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from steps.opsgenie.emulator.moments import read
from steps.opsgenie.emulator.store import Entity

UNITS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 24 * 60
"""Minutes."""
HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Period:
    """Somebody is on call without a break, by turns ("default") or by an override."""

    start: datetime
    end: datetime
    who: Entity
    kind: str


@dataclass(frozen=True)
class Rota:
    """One rotation under the overrides that concern it, the later made last."""

    zone: ZoneInfo
    rotation: Mapping[str, Any]
    overrides: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def start(self) -> datetime:
        """When the first turn begins."""
        return read(self.rotation["startDate"])

    @cached_property
    def end(self) -> datetime:
        """When the last turn ends."""
        given = self.rotation.get("endDate")
        return read(given) if given else datetime.max.replace(tzinfo=UTC)

    @cached_property
    def step(self) -> timedelta:
        """How long a turn takes, by the clock."""
        return UNITS[self.rotation["type"]] * int(self.rotation.get("length", 1))

    @cached_property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Minutes of the week or of the day between which turns count; none: always."""
        given = self.rotation.get("timeRestriction") or {}
        if given.get("type") == "time-of-day":
            return (_window(given.get("restriction", {})),)
        return tuple(_window(one) for one in given.get("restrictions", ()))

    @property
    def cycle(self) -> int:
        """Minutes after which the windows are the same again."""
        return DAY if (self.rotation.get("timeRestriction") or {}).get("type") == "time-of-day" else 7 * DAY

    def on_call(self, moment: datetime) -> tuple[Entity, str] | None:
        """Who is on call, and by what."""
        for override in reversed(self.overrides):
            if read(override["startDate"]) <= moment < read(override["endDate"]):
                return _somebody(override["user"], "override")
        return self.by_turns(moment)

    def by_turns(self, moment: datetime) -> tuple[Entity, str] | None:
        """Who would be on call without overrides."""
        if not self.start <= moment < self.end or not self._open(moment):
            return None
        participants = self.rotation["participants"]
        return _somebody(participants[self._turn(moment) % len(participants)], "default")

    def periods(self, start: datetime, end: datetime, *, overridden: bool = True) -> list[Period]:
        """Who is on call when, in order."""
        at = self.on_call if overridden else self.by_turns
        moments = [start, *self._changes(start, end), end]
        found: list[Period] = []
        for begin, until in pairwise(moments):
            if duty := at(begin):
                _extend(found, Period(begin, until, *duty))
        return found

    def next_period(self, moment: datetime) -> Period | None:
        """The next time that somebody else takes over, within a year."""
        now, before = self.on_call(moment), moment
        taken = now[0] if now else None
        while before < moment + timedelta(days=366):
            after = before + UNITS["weekly"]
            for change in self._changes(before, after):
                if (duty := self.on_call(change)) and duty[0] != taken:
                    return Period(change, change, *duty)
            before = after
        return None

    def _open(self, moment: datetime) -> bool:
        """Whether turns count at the time."""
        local = moment.astimezone(self.zone)
        minute = (local.weekday() * DAY + local.hour * 60 + local.minute) % self.cycle
        inside = [start <= minute < end if start < end else minute >= start or minute < end for start, end in self.windows]
        return any(inside) or not inside

    def _turn(self, moment: datetime) -> int:
        """Number of the turn that a moment is in."""
        if self.rotation["type"] == "hourly":
            return (moment - self.start) // self.step
        turn = (_local(moment, self.zone) - _local(self.start, self.zone)) // self.step
        while self._handover(turn) > moment:
            turn -= 1
        while self._handover(turn + 1) <= moment:
            turn += 1
        return turn

    def _handover(self, turn: int) -> datetime:
        """When a turn begins."""
        if self.rotation["type"] == "hourly":
            return self.start + turn * self.step
        return (_local(self.start, self.zone) + turn * self.step).replace(tzinfo=self.zone).astimezone(UTC)

    def _changes(self, start: datetime, end: datetime) -> list[datetime]:
        """Moments between both at which it may change who is on call."""
        bounds = [self.start, self.end, *(read(one[name]) for one in self.overrides for name in ("startDate", "endDate"))]
        found = {*bounds, *self._handovers(start, end), *self._openings(start, end)}
        return sorted(moment for moment in found if start < moment < end)

    def _handovers(self, start: datetime, end: datetime) -> Iterator[datetime]:
        turn = max(0, self._turn(max(start, self.start)))
        while (moment := self._handover(turn)) < min(end, self.end):
            yield moment
            turn += 1

    def _openings(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """When windows open or close. When the clocks change they may do so then: on such a day every half hour is taken."""
        if not self.windows:
            return
        edges = {edge % DAY for window in self.windows for edge in window}
        day = _local(start, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        while (midnight := day.replace(tzinfo=self.zone)).astimezone(UTC) < end:
            tomorrow = day + timedelta(days=1)
            yield from ((day + timedelta(minutes=edge)).replace(tzinfo=self.zone).astimezone(UTC) for edge in edges)
            if midnight.utcoffset() != tomorrow.replace(tzinfo=self.zone).utcoffset():
                yield from (midnight.astimezone(UTC) + half * HALF_HOUR for half in range(52))
            day = tomorrow


def _window(given: Mapping[str, Any]) -> tuple[int, int]:
    """Minutes of the week, or of the day where no days are given."""
    return _minute(given, "start"), _minute(given, "end")


def _minute(given: Mapping[str, Any], name: str) -> int:
    day = WEEKDAYS.index(given[f"{name}Day"]) if f"{name}Day" in given else 0
    return (day * DAY + int(given.get(f"{name}Hour", 0)) * 60 + int(given.get(f"{name}Min", 0))) % (7 * DAY)


def _somebody(who: Entity, kind: str) -> tuple[Entity, str] | None:
    return None if who["type"] == "none" else (who, kind)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _extend(found: list[Period], period: Period) -> None:
    """Adds a period, to the one before it where that goes on."""
    last = found[-1] if found else None
    if last and (last.end, last.who, last.kind) == (period.start, period.who, period.kind):
        found[-1] = Period(last.start, period.end, last.who, last.kind)
    else:
        found.append(period)
