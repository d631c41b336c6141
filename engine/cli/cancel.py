"""`cancel`: end a run."""

from __future__ import annotations

import click

from engine.cli.opening import opened
from engine.cli.session import Session


@click.command()
@click.argument("run")
@click.pass_obj
def cancel(session: Session, run: str) -> int:
    """End RUN as cancelled, after its `finally`.

    A run under way is told to stop by its own process; one that was interrupted is brought to its end here. Exit code 0 when it is
    cancelled, or was told to stop; 7 when a write is in doubt, which somebody must decide first.
    """
    from engine.app import Options

    session.about = {"run": run}
    app, progress = opened(session, Options(config=session.config))
    app.stop.listen()
    result = app.cancel(run)
    if result is None:
        if session.json:
            session.print_json({"run_id": app.state.run(run).name, "status": "running"})
        session.say(f"{run} was told to stop; its finally runs now")
        return 0
    if session.json:
        session.print_json(result.document)
    progress.close(result, report=None)
    return 0 if result.document["status"] == "cancelled" else result.exit_status
