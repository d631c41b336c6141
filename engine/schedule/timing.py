"""When another program's clock has to start us, so that each moment of a trigger is met.

cron knows one time zone, the machine's, and systemd's calendar has no moments for the times that a changing clock leaps over or repeats
(`systemd-analyze calendar` shows both). Where a program cannot tell the moments itself, it starts us at every minute of the hour on which
one may fall, and `run --if-due` tells whether one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.schedule.entry import Entry

LOCALTIME = Path("/etc/localtime")
"""The machine's time zone, which is what cron goes by, whatever TZ says here."""
HORIZON = timedelta(days=731)
EVERY_HOUR = frozenset(range(60))
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


def machine_zone() -> tzinfo:
    """The time zone of the machine; UTC when it has none."""
    try:
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return UTC


def parsed(entry: Entry) -> Any:
    """The fields of the trigger's cron text as sets of numbers, as cronsim reads them."""
    import cronsim

    return cronsim.CronSim(entry.trigger.cron, datetime(2026, 1, 1, tzinfo=UTC))


def is_plain(entry: Entry) -> bool:
    """Whether every field is a set of numbers: no last day of the month, no second Monday."""
    fields = parsed(entry)
    return all(isinstance(day, int) and day >= 0 for day in (*fields.days, *fields.weekdays))


def agrees(entry: Entry, clock: tzinfo, now: datetime) -> bool:
    """Whether the trigger's fields, read by another clock, give the same moments."""
    minute, *others = entry.trigger.cron.split()
    apart = _differences(entry.zone, clock, now)
    if set(others) == {"*"}:
        return minute == "*" or all(difference % 60 == 0 for difference in apart)
    return apart == {0} and not any(changes(entry.zone, now)) and is_plain(entry)


def minutes(entry: Entry, clock: tzinfo, now: datetime, delay: float) -> frozenset[int]:
    """Minutes of the clock's hour on which a start may be due, `delay` seconds after a moment; those for catching up included."""
    apart = _differences(entry.zone, clock, now)
    found = {minute - difference for minute in parsed(entry).minutes for difference in apart}
    found |= {change.astimezone(clock).minute for change in changes(entry.zone, now)}  # where a moment lands that is leapt over
    met = frozenset(int(minute + delay // 60) % 60 for minute in found)
    if entry.trigger.missed == "skip":
        return met
    soon = entry.trigger.max_lateness is not None and entry.trigger.max_lateness < 600
    return EVERY_HOUR if soon else met | frozenset(range(0, 60, 5))


def changes(zone: tzinfo, since: datetime, until: datetime | None = None) -> Iterator[datetime]:
    """Moments in UTC at which the zone's clock is set."""
    moment, end = since.astimezone(UTC).replace(second=0, microsecond=0), (until or since + HORIZON).astimezone(UTC)
    while moment < end:
        if _offset(zone, moment) != _offset(zone, moment + _DAY):
            yield _change(zone, moment, moment + _DAY)
        moment += _DAY


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    while after - before > _MINUTE:
        middle = before + (after - before) // 2 // _MINUTE * _MINUTE
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
    return after


def _differences(zone: tzinfo, clock: tzinfo, now: datetime) -> set[int]:
    """Minutes by which the zone's clock is ahead of the other."""
    days = (now + _DAY * number for number in range(HORIZON.days))
    return {(_offset(zone, day) - _offset(clock, day)) // _MINUTE for day in days}


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def spelt(found: Iterable[int]) -> str:
    """Minutes as a field of cron: `*`, `*/5`, `7,37`."""
    numbers = sorted(found)
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 60
    if 60 % step == 0 and step < 60 and numbers == list(range(0, 60, step)):
        return "*" if step == 1 else f"*/{step}"
    return ",".join(map(str, numbers))


def after_changes(entry: Entry, since: datetime, years: int) -> Iterator[datetime]:
    """Moments in UTC of the hour after each change of the zone's clock.

    Those are where a time that is leapt over lands, and those of an hour that is repeated: no calendar of wall times has them all.
    """
    for change in changes(entry.zone, since, since + timedelta(days=365 * years)):
        for moment in entry.moments(change - timedelta(seconds=1)):
            if moment.astimezone(UTC) >= change + timedelta(hours=1):
                break
            yield moment.astimezone(UTC)
