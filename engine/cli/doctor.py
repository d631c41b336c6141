"""`doctor`: what is wrong with this installation."""

from __future__ import annotations

from collections import Counter

import click

from engine.cli.session import Session

MARKS = {"ok": "✔", "warning": "!", "problem": "✘"}


@click.command()
@click.option("--offline", is_flag=True, help="Send nothing: connections are not tried.")
@click.pass_obj
def doctor(session: Session, offline: bool) -> int:
    """Look for what is wrong with this installation, and say what to do about it.

    Connections are tried by reads alone. Exit code 1 when there is a problem; warnings are none.
    """
    from engine.app import App, Options
    from engine.doctor import examined
    from engine.patient import Patient
    from engine.redaction import one_line

    app = App(Options(config=session.config))
    session.redactor = app.redactor
    found = list(examined(Patient(app, offline=offline)))
    counted = Counter(one.status for _, one in found)
    if session.json:
        checks = [{"id": name, "status": one.status, "message": one.message, "remedy": one.remedy} for name, one in found]
        session.print_json({"ok": not counted["problem"], "checks": checks})
    for name, one in found if not session.json else []:
        session.say(one_line(f"{MARKS[one.status]} {name:<13} {one.message}"))
        if one.remedy:
            session.say(one_line(f"  {'':<13} → {one.remedy}"))
    if not session.json:
        session.say(f"{counted['problem']} problems, {counted['warning']} warnings")
    if counted["problem"]:
        session.tell_held()
    return 1 if counted["problem"] else 0
