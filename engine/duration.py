"""Durations as people write them: `90s`, `10m`, `1h30m`, `7d`, `250ms`."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"
LONGEST = 400 * UNITS["d"]

_WHOLE = re.compile(PATTERN)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")


def seconds(written: str) -> float:
    """Seconds in a duration.

    Raises:
        ValueError: it is not a duration, or longer than 400 days.
    """
    if len(written) > 40 or not _WHOLE.fullmatch(written):
        raise ValueError("not a duration; write a number and a unit, such as 90s, 10m, 1h30m or 7d")
    total = sum(float(amount) * UNITS[unit] for amount, unit in _PART.findall(written))
    if total > LONGEST:
        raise ValueError("longer than 400 days")
    return total


def spoken(amount: float) -> str:
    """Seconds as a short text for people: `850ms`, `12s`, `3m20s`, `2h5m`, `3d4h`."""
    if round(amount * 1000) < 1000:
        return f"{round(amount * 1000)}ms"
    if round(amount, 1) < 60:
        return f"{amount:.1f}".rstrip("0").rstrip(".") + "s"
    rest = round(amount)
    units = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    parts = []
    for size, unit in units:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])
