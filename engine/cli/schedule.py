"""`schedule`: when runbooks run by themselves, what starts them, and whether they did."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.app import App
    from engine.installers import Installer
    from engine.schedule.entry import Entry
    from engine.schedule.status import Standing
    from engine.schedule.wanted import Done, Wanted

DEFAULT = "runbooks"
YEARS = range(1970, 3000)


@click.group()
def schedule() -> None:
    """When runbooks run by themselves: the `triggers` in them."""


@schedule.command("list")
@click.argument("paths", nargs=-1, type=click.Path())
@click.pass_obj
def list_(session: Session, paths: tuple[str, ...]) -> int:
    """List every trigger in PATHS, files or folders; runbooks/ by default."""
    rows = [_row(entry) for entry in _entries(session, paths)]
    session.list_rows(
        rows,
        lambda row: f"{row['runbook']}  {row['cron']}  {row['timezone']}  next {row['next'] or 'never'}",
        "no runbook here has triggers",
    )
    return 0


@schedule.command("next")
@click.argument("runbook", required=False, type=click.Path())
@click.option("--count", type=click.IntRange(min=1, max=10_000), default=5, show_default=True, help="So many moments.")
@click.option("--from", "since", metavar="TIME", help="Moments after this time instead of now, such as 2026-11-23T22:30:00Z.")
@click.pass_obj
def next_(session: Session, runbook: str | None, count: int, since: str | None) -> int:
    """Show the next moments of RUNBOOK's triggers, or of all in runbooks/, in order."""
    after = _moment(since) if since else datetime.now(UTC)
    entries = _entries(session, (runbook,) if runbook else ())
    rows = list(islice(heapq.merge(*(_coming(entry, after) for entry in entries), key=lambda row: str(row["utc"])), count))
    session.list_rows(
        rows, lambda row: f"{row['time']}  {row['runbook']}  {row['cron']}  {row['timezone']}", "nothing: no runbook here has triggers"
    )
    return 0


def _installing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `install` and `remove`."""
    command = click.option("--user", "own", is_flag=True, help="With --systemd: timers of your own, without root.")(command)
    command = click.option("--systemd", is_flag=True, help="systemd timers instead of crontab lines.")(command)
    return click.argument("paths", nargs=-1, type=click.Path())(command)


@schedule.command()
@_installing
@click.option("--print", "shown", is_flag=True, help="Only show what would be written.")
@click.pass_obj
def install(session: Session, paths: tuple[str, ...], systemd: bool, own: bool, shown: bool) -> int:
    """Have cron, or systemd, start the runbooks in PATHS at their time; runbooks/ by default.

    What was installed for these paths before is replaced, and other lines of the crontab stay as they are.
    """
    from engine.app import App, Options
    from engine.schedule.memory import Memory

    app = App(Options(config=session.config))
    entries = _chosen(app, paths, ready=True)
    installer, wanted = _installer(systemd, own), _wanted(session, app, entries, own)
    if shown:
        text = installer.shown(wanted)
        if session.json:
            session.print_json({"print": text})
        else:
            print(text, end="")
        return 0
    done = installer.install(wanted, _below(paths or (DEFAULT,)))
    for entry in entries:
        memory = Memory(app.state.schedule, entry.file, entry.trigger.name)
        before = memory.read()
        if before.since is None:
            memory.write(since=wanted.now, moment=before.moment or entry.latest(wanted.now))
    _tell(session, done, "installed", _unset(app, entries, systemd))
    return 0


@schedule.command()
@_installing
@click.option("--print", "shown", is_flag=True, help="Only show what would be left.")
@click.pass_obj
def remove(session: Session, paths: tuple[str, ...], systemd: bool, own: bool, shown: bool) -> int:
    """Take away what was installed for the runbooks in PATHS, or everything."""
    from engine.app import App
    from engine.schedule.memory import Memory, every_record

    goes = _below(paths) if paths else lambda _file: True
    if shown:
        raise click.UsageError("--print goes with install; see opsbook schedule list")
    done = _installer(systemd, own).remove(goes, own)
    folder = App().state.schedule
    for record in every_record(folder):
        if goes(Path(record.file)):
            Memory(folder, Path(record.file), record.trigger).forget()
    _tell(session, done, "removed", [])
    return 0


@schedule.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.pass_obj
def status(session: Session, paths: tuple[str, ...]) -> int:
    """Tell whether every run that should have happened did: of the triggers in PATHS, or of all that are installed.

    Exit code 0 when all is well, 1 when a run is missing, could not begin, or failed: for monitors.
    """
    from engine.app import App, Options
    from engine.schedule.status import standings

    app = App(Options(config=session.config))
    gone, files = _watched(app, paths)
    found = [*standings(app.state, app.entries(files), datetime.now(UTC)), *gone]
    rows, bad = list(map(_standing, found)), any(one.is_problem for one in found)
    session.list_rows(rows, _standing_line, "nothing is installed: opsbook schedule install")
    if bad:
        session.tell_held()
    return 1 if bad else 0


def _standing_line(row: dict[str, Any]) -> str:
    about = f"{row['moment'] or ''}  {row['run_id'] or ''}".rstrip()
    return f"{row['state']:<11}  {row['runbook'] or row['file']}  {row['trigger']}  {about}".rstrip()


def _entries(session: Session, paths: Sequence[str]) -> list[Entry]:
    from engine.app import App, Options

    return _chosen(App(Options(config=session.config)), paths)


def _chosen(app: App, paths: Sequence[str], *, ready: bool = False) -> list[Entry]:
    """The triggers at the paths, or in runbooks/. Raises UsageError, Invalid."""
    from engine.errors import UsageError

    if not paths and not Path(DEFAULT).is_dir():
        raise UsageError(f"there is no folder {DEFAULT}/ here", hint="name the runbooks or folders")
    return app.entries(paths or (DEFAULT,), ready=ready)


def _row(entry: Entry) -> dict[str, Any]:
    """A trigger as documents show it."""
    trigger = entry.trigger
    upcoming = next(entry.moments(datetime.now(UTC)), None)
    return {
        "runbook": entry.runbook,
        "file": str(entry.file),
        "trigger": trigger.name,
        "cron": trigger.cron,
        "timezone": trigger.timezone,
        "inputs": trigger.inputs,
        "missed": trigger.missed,
        "max_lateness": trigger.max_lateness,
        "jitter": trigger.jitter,
        "next": upcoming.isoformat() if upcoming else None,
    }


def _coming(entry: Entry, after: datetime) -> Iterator[dict[str, Any]]:
    from engine.execution.executor import spell

    trigger = entry.trigger
    told = {"runbook": entry.runbook, "trigger": trigger.name, "cron": trigger.cron, "timezone": trigger.timezone}
    for moment in entry.moments(after):
        yield {"time": moment.isoformat(), "utc": spell(moment.astimezone(UTC)), **told}


def _moment(text: str) -> datetime:
    """A point in time; without an offset it is UTC. Raises UsageError: it is none, or none that clocks and calendars agree upon."""
    from engine.errors import UsageError

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--from {text}: write a time such as 2026-11-23T22:30:00Z") from error
    if found.year not in YEARS:
        raise UsageError(f"--from {text}: the year must lie between {YEARS[0]} and {YEARS[-1]}")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _installer(systemd: bool, own: bool) -> Installer:
    from engine.installers import INSTALLERS

    if own and not systemd:
        raise click.UsageError("--user goes with --systemd: a crontab is always the user's own")
    return INSTALLERS["systemd" if systemd else "crontab"]


def _wanted(session: Session, app: App, entries: Sequence[Entry], own: bool) -> Wanted:
    from engine.schedule.command import command
    from engine.schedule.wanted import Wanted

    def credentials(entry: Entry) -> list[str]:
        return sorted(one.partition(":")[2] for one in app.references(entry.file) if one.startswith("systemd:"))

    return Wanted(entries, command(session.config), datetime.now(UTC), credentials, own)


def _below(paths: Sequence[str]) -> Callable[[Path], bool]:
    """Whether a file is one of the paths, or lies in one of them."""
    from engine.schedule.entry import located

    places = [located(path) for path in paths]
    return lambda file: any(file == place or place in file.parents for place in places)


def _unset(app: App, entries: Sequence[Entry], systemd: bool) -> list[str]:
    """Keys of the environment, which will not be there."""
    starter = "systemd" if systemd else "cron"
    asked = ((entry, one) for entry in entries for one in sorted(app.references(entry.file)) if one.startswith("env:"))
    return [f"{entry.runbook}: {starter} does not set {one}; keep the key in a file (file:) or a store (cmd:)" for entry, one in asked]


def _tell(session: Session, done: Done, verb: str, warnings: Sequence[str]) -> None:
    notes = list(dict.fromkeys([*done.notes, *warnings]))
    if session.json:
        session.print_json({"changed": done.changed, verb: list(done.items), "notes": notes})
        return
    for item in done.items:
        session.say(item)
    session.say(f"{verb}: {len(done.items)}" if done.changed else "nothing to change")
    for note in notes:
        session.say(f"note: {note}")


def _watched(app: App, paths: Sequence[str]) -> tuple[list[Standing], list[str]]:
    """Installed triggers that are gone, and the files to look at: those named, or all that are installed and runbooks/."""
    from engine.schedule import status

    if paths:
        return [], list(paths)
    records = status.installed(app.state)
    gone = status.gone(records)
    here = [str(path.absolute()) for path in (Path(DEFAULT),) if path.is_dir()]
    seen_to, below = {one.record.file for one in gone}, _below(here)
    return gone, [*here, *sorted({one.file for one in records if one.file not in seen_to and not below(Path(one.file))})]


def _standing(one: Standing) -> dict[str, Any]:
    """A standing as documents show it."""
    from engine.execution.executor import spell

    upcoming = next(one.entry.moments(datetime.now(UTC)), None) if one.entry else None
    return {
        "runbook": one.entry and one.entry.runbook,
        "file": one.record.file,
        "trigger": one.record.trigger,
        "state": one.state,
        "problem": one.is_problem,
        "moment": one.moment and spell(one.moment),
        "run_id": one.run,
        "installed_at": one.record.since and spell(one.record.since.astimezone(UTC)),
        "next": upcoming.isoformat() if upcoming else None,
    }
