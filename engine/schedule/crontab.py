"""A user's crontab, text in and text out: our lines stand between two marker lines, and every other byte stays as it is."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from engine.errors import UsageError
from engine.schedule import timing
from engine.schedule.command import Command
from engine.schedule.entry import Entry

BEGIN, END = b"# BEGIN opsbook schedule", b"# END opsbook schedule"
JOINED = b" (the line above had no end)"
LONGEST = 990
"""Bytes of a command: cron cuts longer ones off without a word."""

_FIELD = re.compile(r"\*(/\d+)?|\d+(-\d+(/\d+)?)?(,\d+(-\d+(/\d+)?)?)*")
_END_OF_LINE = b"\n"
_MARK = re.compile(rb"^# (BEGIN|END) opsbook schedule(" + re.escape(JOINED) + rb")?[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_ABOUT = re.compile(rb"# (/.*): (?:\S+\s+){5}\S+( #\d+)?")
_ZONE = re.compile(rb"^[ \t]*CRON_TZ[ \t]*=[ \t]*(\S*)", re.MULTILINE)
_OURS = b" --scheduled "
"""What every command of ours has in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One trigger's two lines: what it is, and what cron reads.

    Attributes:
        about: file and trigger, as the comment has them.
    """

    about: bytes
    text: bytes

    @property
    def file(self) -> Path | None:
        """The runbook; None when the comment was changed by hand."""
        found = _ABOUT.fullmatch(self.about)
        return Path(os.fsdecode(found[1])) if found else None


def line(entry: Entry, command: Command, now: datetime) -> Line:
    """What cron is told of an entry. Raises UsageError: it cannot be told."""
    fields = _own_fields(entry, now)
    words = command.words(entry, "cron", if_due=fields is None)
    variables = [f"{name}={shlex.quote(value)}" for name, value in command.variables.items()]
    text = " ".join(["cd", shlex.quote(str(command.folder)), "&&", *variables, *map(shlex.quote, words)])
    if not text.isprintable() or len(os.fsencode(text)) > LONGEST:
        why = "hold characters that no line can" if not text.isprintable() else f"come to more than the {LONGEST} bytes that cron takes"
        raise UsageError(f"{entry.file}: the names of its folder and of opsbook's {why}", hint="move it, or install with --systemd")
    asked = f"{timing.spelt(timing.minutes(entry, timing.machine_zone(), now, entry.delay))} * * * *"
    return Line(os.fsencode(f"# {entry.file}: {entry.trigger.name}"), os.fsencode(f"{fields or asked} {text.replace('%', chr(92) + '%')}"))


def _own_fields(entry: Entry, now: datetime) -> str | None:
    """The trigger's own fields, where cron by itself meets its moments and no others; else None."""
    trigger = entry.trigger
    if trigger.jitter or trigger.missed != "skip" or not timing.agrees(entry, timing.machine_zone(), now):
        return None
    parsed = timing.parsed(entry)
    numbers = (parsed.minutes, parsed.hours, parsed.days, parsed.months, parsed.weekdays)
    written = list(zip(trigger.cron.split(), numbers, strict=True))
    if any(field.startswith("*") and not _FIELD.fullmatch(field) for field, _ in written):
        return None  # a star among others means more to cron than its numbers
    return " ".join(field if _FIELD.fullmatch(field) else ",".join(map(str, sorted(found))) for field, found in written)


def installed(text: bytes, lines: Sequence[Line], replaces: Callable[[Path], bool]) -> bytes:
    """The crontab with these lines, and without the lines of other triggers of the files that are replaced. Raises UsageError."""
    parts = _cut(text)
    if parts.own is None:
        parts = replace(parts, is_joined=bool(text) and not text.endswith(b"\n"))
    return _joined(replace(parts, own=(*_kept(parts, replaces), *lines)))


def removed(text: bytes, goes: Callable[[Path], bool]) -> bytes:
    """The crontab without the lines of some files; without any line left, without the markers. Raises UsageError."""
    parts = _cut(text)
    return _joined(replace(parts, own=_kept(parts, goes)))


def lines(text: bytes) -> Sequence[Line]:
    """Our lines in a crontab. Raises UsageError."""
    return _cut(text).own or ()


def strange_zone(text: bytes) -> bytes | None:
    """The time zone that a crontab sets above our lines: some crons go by it, and others do not. Raises UsageError."""
    zones = _ZONE.findall(_cut(text).above)
    return zones[-1] if zones else None


@dataclass(frozen=True, slots=True)
class _Parts:
    """A crontab.

    Attributes:
        own: our lines; None without markers.
        is_joined: whether what stands above had no line feed at its end until the marker came.
    """

    above: bytes
    own: Sequence[Line] | None = None
    below: bytes = b""
    is_joined: bool = False


def _kept(parts: _Parts, goes: Callable[[Path], bool]) -> Sequence[Line]:
    return tuple(one for one in parts.own or () if one.file is not None and not goes(one.file))


def _joined(parts: _Parts) -> bytes:
    """The whole crontab; without a line of ours, just as it was."""
    end = b"\n" if parts.is_joined and (parts.own or parts.below) else b""
    if not parts.own:
        return parts.above + end + parts.below
    body = b"".join(one.about + b"\n" + one.text + b"\n" for one in parts.own)
    return parts.above + end + BEGIN + (JOINED if parts.is_joined else b"") + b"\n" + body + END + b"\n" + parts.below


def _cut(text: bytes) -> _Parts:
    """Cuts at our markers. Raises UsageError: one of them is missing, or stands twice."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return _Parts(text)
    if [found[1] for found in marks] != [b"BEGIN", b"END"]:
        at = ", ".join(f"{found[1].decode()} in line {text.count(_END_OF_LINE, 0, found.start()) + 1}" for found in marks)
        raise UsageError(
            f"the marker lines of opsbook in the crontab are broken: {at}; nothing was changed",
            hint="with crontab -e, delete our marker lines and what stands between them, then install again",
        )
    first, last = marks
    own, strays = _told_apart(text[first.end() : last.start()])
    above, below = text[: first.start()] + strays, text[last.end() :]
    is_joined = first[2] is not None and not strays
    return _Parts(above.removesuffix(_END_OF_LINE) if is_joined else above, own, below, is_joined)


def _told_apart(block: bytes) -> tuple[Sequence[Line], bytes]:
    """Our lines between the markers, and what somebody else wrote there, which moves above them."""
    own: list[Line] = []
    strays = about = b""
    for line in block.splitlines(keepends=True):
        text = line.rstrip(b"\r\n")
        if _ABOUT.fullmatch(text):
            about = text
        elif _OURS in text:
            own.append(Line(about, text))
            about = b""
        else:
            strays += line
    return tuple(own), strays
