"""An application that speaks through one command line: progress, log, warnings, and no key in any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.progress import Progress
from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.app import App, Options


def opened(session: Session, options: Options) -> tuple[App, Progress]:
    """The application, and the progress people see. Raises UsageError when the log is asked for in words that mean nothing."""
    from dataclasses import replace

    from engine.app import App

    progress = Progress(session)
    app = App(replace(options, log=session.wanted_log), progress, session)
    session.redactor = app.redactor
    session.told = app.listener
    return app, progress
