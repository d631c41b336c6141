"""`run`: carry a runbook out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.opening import opened
from engine.cli.options import emulator_options, inputs_options, surroundings
from engine.cli.progress import Progress
from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.runs.result import RunResult

REPORTS = (".html", ".htm", ".json")


@click.command()
@click.argument("runbook", type=click.Path())
@inputs_options
@emulator_options
@click.option("--connection", help="The connection to use instead of the provider's default.")
@click.option("--dry-run", is_flag=True, help="The same as `plan`: sends no write.")
@click.option("--report", type=click.Path(dir_okay=False, writable=True), help="Write a report of the run: .html or .json.")
@click.option("--trigger", default="cli", help="Who starts the run, for the audit log: cli, cron, …")
@click.option(
    "--on-conflict", type=click.Choice(["queue", "skip", "fail"]), help="When another run holds the group, instead of the runbook's own."
)
@click.option("--scheduled", metavar="TRIGGER", help="Run for the latest moment of this trigger of RUNBOOK, with its inputs.")
@click.option("--if-due", is_flag=True, help="With --scheduled: do nothing unless a moment of the trigger is due.")
@click.pass_obj
def run(session: Session, /, runbook: str, given: tuple[str, ...], inputs_file: str | None, **flags: Any) -> int:
    """Carry RUNBOOK out.

    Exit codes: 0 ok, 1 a step failed, 3 invalid (nothing was sent), 4 key, 5 unreachable, 7 in doubt, 11 already running,
    13 audit log cannot be written (nothing was sent), 14 parked by a signal, 130 interrupted.
    """
    from engine.errors import UsageError

    if flags["if_due"] and not flags["scheduled"]:
        raise UsageError("--if-due goes with --scheduled", hint="opsbook schedule list")
    own = {name: flags[name] for name in ("trigger", "on_conflict", "scheduled", "if_due")}
    options = surroundings(session, flags, **own)
    if flags["dry_run"]:
        from engine.cli.plan import show_plan

        return show_plan(session, options, runbook, given, inputs_file)
    return carry_out(session, options, runbook, given, inputs_file, flags["report"])


def carry_out(
    session: Session, options: Any, runbook: str, given: Sequence[str], inputs_file: str | None = None, report: str | None = None
) -> int:
    """Carries a runbook out and says how it went; returns the exit code."""
    if report:
        check_report(report)
    session.about = {"runbook": runbook}
    app, progress = opened(session, options)
    app.stop.listen()
    start = app.run_scheduled if options.scheduled else app.run
    return tell(session, progress, lambda: start(runbook, given, inputs_file), report=report)


def tell(session: Session, progress: Progress, begin: Callable[[], RunResult | None], *, report: str | None) -> int:
    """Begins a new run and says how it went; returns the exit code."""
    from engine.errors import Overlap

    try:
        result = begin()
    except Overlap as overlap:
        if overlap.exit_status:
            raise
        return _not_run(session, "skipped", overlap.message)
    if result is None:
        return _not_run(session, "not_due", "no moment of the trigger is due")
    if report:
        write_report(report, result.document)
    if session.json:
        session.print_json(result.document)
    progress.close(result, report=report)
    if result.exit_status:
        session.tell_held()
    return result.exit_status


def _not_run(session: Session, status: str, why: str) -> int:
    """Says that there was no run, which is no failure."""
    if session.json:
        session.print_json({"run_id": None, "status": status, "outputs": {}, "steps": [], "audit": None, "error": None})
    session.say(f"{status.replace('_', ' ')}: {why}")
    return 0


def check_report(path: str) -> None:
    """Raises UsageError for a report that could not be written, before anything is sent."""
    from engine.errors import UsageError

    if not path.endswith(REPORTS):
        raise UsageError(f"--report {path}: the name must end in {', '.join(REPORTS)}")
    if not Path(path).absolute().parent.is_dir():
        raise UsageError(f"--report {path}: there is no such folder")


def write_report(path: str, document: dict[str, Any]) -> None:
    """A run's report, in the format its name asks for. Raises UsageError."""
    from engine.errors import UsageError
    from engine.redaction import clean_json
    from engine.report import RUN_FORMATS
    from engine.state import history

    told = history.retold(document, Path(document["audit"]["path"]).parent)
    text = clean_json(json.dumps(told, indent=2, ensure_ascii=False)) if path.endswith(".json") else RUN_FORMATS["html"](told)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--report {path}: {error.strerror}; the run {document['run_id']} itself has ended") from error
