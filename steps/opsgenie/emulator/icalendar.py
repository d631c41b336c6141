"""Turns as an iCalendar file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from steps.opsgenie.emulator.rota import Period
from steps.opsgenie.emulator.stable import stable_uuid

Event = tuple[str, Period]
"""What it is called, and when it is."""


def calendar(name: str, events: Iterable[Event], now: datetime) -> str:
    """The whole file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//opsbook//emulator//EN", f"X-WR-CALNAME:{_escaped(name)}"]
    for summary, period in events:
        start, end = _utc(period.start), _utc(period.end)
        lines += ["BEGIN:VEVENT", f"UID:{stable_uuid('event', name, summary, start)}", f"DTSTAMP:{_utc(now)}"]
        lines += [f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{_escaped(summary)}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, "\\" + sign)
    return text.replace("\r", "").replace("\n", "\\n")
