"""systemd's units of a trigger: a service that carries the runbook out once, and the timer that starts it.

The timer's calendar is the trigger's own, in its own zone, so that `systemctl list-timers` says when it runs. systemd's calendar has no
moment for a time that a clock leaps over, nor for the second of two equal ones: those of the next years are listed one by one. What a
calendar cannot say (the last weekday of a month) is started at each minute that may be meant, and the run asks whether it is due.

Facts: systemd.timer(5), systemd.time(7), systemd.exec(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from engine.errors import UsageError
from engine.schedule import timing
from engine.schedule.command import Command
from engine.schedule.entry import Entry, digest

MARK = "# Written by opsbook schedule install, taken away by opsbook schedule remove."
YEARS = 5
"""Years for which the moments that a calendar misses are listed; installing again lists the next."""

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HARDENED = ("LockPersonality=yes", "NoNewPrivileges=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "UMask=0077")
_HARDENED_SYSTEM = (
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectSystem=full",
)
"""What only the system's own manager can do; a runbook may still write to the state folder, to homes and to /srv."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One file of systemd.

    Attributes:
        file: of the runbook it is about.
    """

    name: str
    text: str
    file: Path


def name(entry: Entry) -> str:
    """What both units of an entry are called, without their endings."""
    return f"opsbook-{entry.runbook}-{digest(entry.file, entry.trigger.name)}"


def about(text: str) -> Path | None:
    """The runbook of a unit that we wrote; None for any other file."""
    mark, _, rest = text.partition("\n")
    return Path(rest.partition("\n")[0].removeprefix("# ").rpartition(": ")[0]) if mark == MARK else None


def units(entry: Entry, command: Command, now: datetime, credentials: Iterable[str], user: str | None) -> Sequence[Unit]:
    """The service and the timer.

    Args:
        entry: the trigger.
        command: how its run is started.
        now: the present, from which on missing moments are listed.
        credentials: names that `systemd:` references ask for.
        user: whose service it is; None for one of the user's own manager.

    Raises:
        UsageError: a name that no unit file can hold.
    """
    head = [MARK, f"# {entry.file}: {entry.trigger.name}"]
    service = "\n".join([*head, "", *_service(entry, command, credentials, user), ""])
    timer = "\n".join([*head, "", *_timer(entry, now), ""])
    if not (service + timer).replace("\n", "").isprintable() or any(mark in f"{entry.file}{command.folder}" for mark in "\n\r"):
        raise UsageError(f"{entry.file}: its name holds characters that no unit file can", hint="rename it")
    return (Unit(f"{name(entry)}.service", service, entry.file), Unit(f"{name(entry)}.timer", timer, entry.file))


def _service(entry: Entry, command: Command, credentials: Iterable[str], user: str | None) -> Iterator[str]:
    words = command.words(entry, "systemd", if_due=_asks(entry))
    yield from ("[Unit]", f"Description=opsbook {entry.runbook} ({entry.trigger.name})".replace("%", "%%"))
    if user is not None:
        yield from ("Wants=network-online.target", "After=network-online.target")
    yield from ("", "[Service]", "Type=oneshot", f"ExecStart={' '.join(map(_word, words))}")
    yield f"WorkingDirectory={str(command.folder).replace('%', '%%')}"
    yield from (f"Environment={_quoted(f'{key}={value}')}" for key, value in command.variables.items())
    yield from (f"User={user}",) if user is not None else ()
    yield from (f"LoadCredential={credential}" for credential in credentials)
    yield from sorted((*_HARDENED, *(_HARDENED_SYSTEM if user is not None else ())))


def _timer(entry: Entry, now: datetime) -> Iterator[str]:
    trigger = entry.trigger
    yield from ("[Unit]", f"Description=When opsbook runs {entry.runbook} ({trigger.name})".replace("%", "%%"))
    yield from ("", "[Timer]")
    yield from (f"OnCalendar={when}" for when in calendar(entry, now))
    yield from (f"Persistent={'true' if trigger.missed == 'run_once' else 'false'}", "AccuracySec=1s")
    if trigger.jitter:
        yield from (f"RandomizedDelaySec={trigger.jitter:g}s", "FixedRandomDelay=true")
    yield from ("", "[Install]", "WantedBy=timers.target")


def _asks(entry: Entry) -> bool:
    """Whether the run has to ask whether it is due: the calendar does not say, or it may be too late."""
    return not timing.is_plain(entry) or entry.trigger.max_lateness is not None


def calendar(entry: Entry, now: datetime) -> Iterator[str]:
    """Calendar events, in systemd's words, that together are the trigger's moments; more than those where the run asks."""
    fields = timing.parsed(entry)
    if not timing.is_plain(entry):
        yield f"*-*-* *:{_list(timing.minutes(entry, UTC, now, 0.0))}:00 UTC"
    elif timing.agrees(entry, UTC, now):
        yield from _written(fields, "UTC")
    else:
        yield from _written(fields, entry.trigger.timezone)
        extra = timing.after_changes(entry, now, YEARS)
        for hour, moments in groupby(extra, lambda moment: f"{moment:%Y-%m-%d %H}"):
            yield f"{hour}:{','.join(f'{moment:%M}' for moment in moments)}:00 UTC"


def _written(fields: object, zone: str) -> Iterator[str]:
    """Cron's fields as calendar events: one, or two where either of two days will do."""
    sets = {part: getattr(fields, part) for part in ("minutes", "hours", "days", "months", "weekdays")}
    time = f"{_list(sets['hours'], 24)}:{_list(sets['minutes'], 60)}:00 {zone}"
    months = _list(sets["months"], 12)
    days, weekdays = _list(sets["days"], 31), _weekdays(sets["weekdays"])
    if getattr(fields, "day_and"):  # noqa: B009 - cronsim's own word, on an object that has no public type
        yield f"{weekdays}*-{months}-{days} {time}"
    else:
        yield f"*-{months}-{days} {time}"
        yield f"{weekdays}*-{months}-* {time}"


def _list(numbers: Iterable[int], whole: int = 60) -> str:
    found = sorted(numbers)
    return "*" if len(found) == whole else ",".join(f"{number:02}" for number in found)


def _weekdays(numbers: Iterable[int]) -> str:
    found = {_DAYS[number] for number in numbers}
    return "" if len(found) == 7 else ",".join(day for day in _DAYS[1:] if day in found) + " "


def _word(text: str) -> str:
    return _quoted(text.replace("$", "$$"))


def _quoted(text: str) -> str:
    """One word of a unit file: quoted where it must be, with systemd's own signs doubled."""
    told = text.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return told if told and all(sign.isalnum() or sign in "/._-=:+,@%" for sign in told) else f'"{told}"'
