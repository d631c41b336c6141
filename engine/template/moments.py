"""Points in time as templates see them: RFC 3339 text or seconds since 1970; times of day and days in a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.template.values import fault

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")


def moment(value: str | float) -> datetime:
    """The moment, in UTC; text without an offset is taken as UTC. Raises StepError."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value[:64])
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise fault("not a point in time", "write it like 2026-11-23T22:30:00Z, or as seconds since 1970") from error


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises StepError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise fault("not a known time zone", "use an IANA name such as Europe/Berlin") from error


def days(text: str) -> frozenset[int]:
    """Days of the week, Monday is 0, of `mon-fri`, `sat,sun` or `fri-mon`. Raises StepError."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise fault("not days of the week", "write them like mon-fri or sat,sun")
        start, length = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        found.update((start + step) % 7 for step in range(length + 1))
    return frozenset(found)


def within(value: str | float, hours: str, zone_name: str, day_names: str) -> bool:
    """Whether a moment lies in a time of day, its end excluded; a window over midnight belongs to the day on which it opens."""
    match = _HOURS.fullmatch(hours)
    if match is None or (match[3] == "24" and match[4] != "00"):
        raise fault("not a time of day", "write it like 08:00-18:00 or 22:00-06:00")
    local = moment(value).astimezone(zone(zone_name))
    now = local.time().replace(tzinfo=None)
    opens, closes = time(int(match[1]), int(match[2])), time(int(match[3]) % 24, int(match[4]))
    if opens < closes:
        inside, opened = opens <= now < closes, local
    else:
        inside, opened = now >= opens or now < closes, local if now >= opens else local - timedelta(days=1)
    return inside and opened.weekday() in days(day_names)
