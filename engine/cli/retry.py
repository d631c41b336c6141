"""`retry`: a new run that starts where an ended one stopped."""

from __future__ import annotations

from typing import Any

import click

from engine.cli.opening import opened
from engine.cli.options import inputs_options
from engine.cli.run import check_report, tell
from engine.cli.session import Session


@click.command()
@click.argument("run")
@click.option("--from", "start", metavar="STEP", help="Do this step and all after it again, whatever was done.")
@click.option("--use-new", is_flag=True, help="Read the runbook's file anew; what was done must stand there unchanged.")
@inputs_options
@click.option("--report", type=click.Path(dir_okay=False, writable=True), help="Write a report of the run: .html or .json.")
@click.option("--trigger", default="cli", help="Who retries the run, for the audit log: cli, cron, …")
@click.option(
    "--on-conflict", type=click.Choice(["queue", "skip", "fail"]), help="When another run holds the group, instead of the runbook's own."
)
@click.pass_obj
def retry(session: Session, /, run: str, given: tuple[str, ...], inputs_file: str | None, **flags: Any) -> int:
    """Start a new run from RUN, which has ended: steps and loop items that were done keep their outputs and are not done again.

    Inputs are those of RUN unless others are given. What RUN raised is found again under its own aliases, and not raised twice.
    Exit codes as for `run`; 2 when RUN is not over, has nothing left to do, or was retried before.
    """
    from engine.app import Options

    if flags["report"]:
        check_report(flags["report"])
    session.about = {"run": run}
    app, progress = opened(session, Options(config=session.config, trigger=flags["trigger"], on_conflict=flags["on_conflict"]))
    app.stop.listen()
    return tell(
        session,
        progress,
        lambda: app.retry(run, flags["start"], use_new=flags["use_new"], given=given, inputs_file=inputs_file),
        report=flags["report"],
    )
