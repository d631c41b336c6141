"""The user's crontab, read and written by the program `crontab`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from engine.errors import UsageError
from engine.schedule import crontab, program
from engine.schedule.wanted import Done, Wanted

NONE_YET = ("no crontab", "No such file", "ended with 1")
"""What crontabs say of a user who has none: cron's own, busybox's, and one that says nothing."""


def shown(wanted: Wanted) -> str:
    """The lines, between their markers."""
    return os.fsdecode(crontab.installed(b"", _lines(wanted), lambda _file: True))


def install(wanted: Wanted, replaces: Callable[[Path], bool]) -> Done:
    """Writes the lines; a crontab that has them already is left alone."""
    lines = _lines(wanted)
    before = _read()
    after = crontab.installed(before, lines, replaces)
    zone = crontab.strange_zone(after)
    note = "CRON_TZ={} stands above our lines, which are in the machine's own zone: with crontab -e, move it below them"
    notes = () if zone is None else (note.format(os.fsdecode(zone)),)
    return Done(_write(before, after), tuple(os.fsdecode(line.text) for line in lines), notes)


def remove(goes: Callable[[Path], bool], own: bool) -> Done:
    """Takes the lines away."""
    del own  # each user has one crontab
    before = _read()
    gone = [os.fsdecode(line.text) for line in crontab.lines(before) if line.file is None or goes(line.file)]
    return Done(_write(before, crontab.removed(before, goes)), tuple(gone))


def _lines(wanted: Wanted) -> list[crontab.Line]:
    return [crontab.line(entry, wanted.command, wanted.now) for entry in wanted.entries]


def _read() -> bytes:
    """The crontab; empty when there is none yet. Raises UsageError."""
    status, text, words = _call("-l")
    if status == 0:
        return text
    if not text and any(sign in words for sign in NONE_YET):
        return b""
    raise UsageError(f"crontab -l: {words}; nothing was changed", hint="see whether this user may have a crontab")


def _write(before: bytes, after: bytes) -> bool:
    if after == before:
        return False
    status, _, words = _call("-", after)
    if status:
        raise UsageError(f"crontab -: {words}; nothing was changed")
    return True


def _call(argument: str, text: bytes = b"") -> tuple[int, bytes, str]:
    found = shutil.which("crontab")
    if found is None:
        raise UsageError("there is no program crontab here", hint="install cron (apt-get install cron), or use --systemd or --print")
    return program.call([found, argument], text)
