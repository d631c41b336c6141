"""`resume`: go on with what was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from engine.cli.opening import opened
from engine.cli.progress import Progress
from engine.cli.session import Session


@click.command()
@click.argument("run", required=False)
@click.option("--all", "every", is_flag=True, help="Every run that waits for it, the oldest first.")
@click.option(
    "--on-doubt",
    type=click.Choice(["resend", "skip", "fail"]),
    help="What you found out about the write in doubt: resend it (it was not done), skip it (it was), or fail the step.",
)
@click.option("--trigger", default="cli", help="Who goes on with the run, for the audit log: cli, cron, …")
@click.pass_obj
def resume(session: Session, run: str | None, every: bool, on_doubt: str | None, trigger: str) -> int:
    """Go on with RUN from where it stood, with its own runbook, inputs and options.

    What is done is never done again. Exit codes as for `run`; 2 when the run is over, 11 when another process carries it on,
    12 when its audit log was changed. With --all, the first exit code that is not 0.
    """
    from engine.app import Options
    from engine.errors import UsageError

    if (run is None) is not every:
        raise UsageError("give one RUN, or --all", hint="opsbook runs list")
    app, progress = opened(session, Options(config=session.config, trigger=trigger))
    app.stop.listen()
    if run is not None:
        session.about = {"run": run}
        return _one(session, progress, app.resume(run, on_doubt))
    return _all(session, progress, app.resume_all(on_doubt))


def _one(session: Session, progress: Progress, result: Any) -> int:
    if session.json:
        session.print_json(result.document)
    return _told(session, progress, result)


def _all(session: Session, progress: Progress, results: Iterator[tuple[str, Any]]) -> int:
    from engine.errors import OpsbookError

    documents, worst = [], 0
    for run, result in results:
        if isinstance(result, OpsbookError):
            status = _refused(session, run, result)
            documents.append({"run_id": run, "error": {"message": result.message, "code": result.code, "hint": result.hint}})
        else:
            status = _told(session, progress, result)
            documents.append(result.document)
        worst = worst or status
    if session.json:
        session.print_json(documents)
    elif not documents:
        session.say("no run waits to be gone on with")
    return worst


def _refused(session: Session, run: str, error: Any) -> int:
    from engine.redaction import clean

    session.say(f"{run}: {clean(error.message)}" + (f"\n  → {clean(error.hint)}" if error.hint else ""))
    session.tell_held()
    status: int = error.exit_status
    return status


def _told(session: Session, progress: Progress, result: Any) -> int:
    progress.close(result, report=None)
    if result.exit_status:
        session.tell_held()
    status: int = result.exit_status
    return status
