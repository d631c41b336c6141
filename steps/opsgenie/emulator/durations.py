"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """`1h30m` → 90 minutes; the form is the state schema's to check."""
    whole = timedelta()
    for amount, unit in re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", text):
        whole += timedelta(**{_UNITS[unit]: float(amount)})
    return whole
