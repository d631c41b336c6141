"""Moments of a cron expression in a time zone: cronsim's arithmetic, with the moments of a repeated hour in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MACROS: Final = {
    "@annually": "0 0 1 1 *",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@midnight": "0 0 * * *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@yearly": "0 0 1 1 *",
}
"""Words that some crons know, and the five fields they stand for."""

_FIELDS: Final = "minute, hour, day of the month, month, day of the week"
_BACK: Final = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 367, 8 * 366 + 1, 41 * 366))
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


class CronProblem(ValueError):
    """Why a text is no cron expression.

    Attributes:
        hint: what to write instead, or None.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check(text: str) -> None:
    """Raises CronProblem: it is not five fields that cron understands, or no day ever fits them."""
    import cronsim

    if text.strip().startswith("@"):
        meant = MACROS.get(text.strip().lower())
        raise CronProblem("words such as @daily are not known here", f'write "{meant}"' if meant else f"write five fields: {_FIELDS}")
    if len(text.split()) != 5:
        raise CronProblem(f"found {len(text.split())} fields, expected five", f"write {_FIELDS}")
    try:
        cronsim.CronSim(text, _SOME_DAY)
    except cronsim.CronSimError as error:
        field = str(error).removeprefix("Bad ").replace("-", " ")
        raise CronProblem(f"the {field} is none that cron knows", "such as 30 6 * * 1-5 for half past six from Monday to Friday") from error
    if next(moments(text, ZoneInfo("UTC"), _SOME_DAY), None) is None:
        raise CronProblem("no day ever fits it")


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def moments(text: str, where: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Every moment later than `after`, in the zone, in order; ends only for an expression that no day fits."""
    import cronsim

    for found in cronsim.CronSim(text, after.astimezone(where)):
        moment = found.astimezone(UTC)  # two times of one zone would be compared by what the clock on the wall shows
        if moment > after:
            yield moment.astimezone(where)


def latest(text: str, where: ZoneInfo, until: datetime) -> datetime | None:
    """The last moment that is not later than `until`; None when there was none in forty years."""
    last = None
    for span in _BACK:
        for moment in moments(text, where, until - span):
            if moment.astimezone(UTC) > until:
                break
            last = moment
        if last is not None:
            break
    return last
