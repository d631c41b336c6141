"""`runs`: what has been carried out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from engine.cli.session import Session

STATUSES = ("running", "waiting", "succeeded", "failed", "cancelled", "in_doubt", "interrupted")


@click.group()
def runs() -> None:
    """What has been carried out."""


@runs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs of this status.")
@click.option("--since", help="Only runs that began since then: a time, or how long ago (24h, 7d).")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many.")
@click.pass_obj
def list_(session: Session, status: str | None, since: str | None, limit: int) -> int:
    """List runs, the newest first."""
    from engine import history
    from engine.state import State, folder

    earliest = moment(since) if since else None
    rows = []
    for place in reversed(State(folder()).every_run()):
        row = history.summary(place)
        if (status and row["status"] != status) or (earliest and (row["started_at"] or "") < earliest):
            continue
        rows.append(row)
        if len(rows) == limit:
            break
    if session.json:
        session.print_json(rows)
    elif not rows:
        session.say("no such runs" if status or since else "no runs yet; try: opsbook demo")
    for row in rows if not session.json else []:
        session.say(f"{row['run_id']}  {row['status']:<11}  {row['started_at'] or '':<24}  {row['trigger'] or '':<6}  {row['runbook']}")
    return 0


@runs.command()
@click.argument("run")
@click.pass_obj
def show(session: Session, run: str) -> int:
    """Show one RUN: its steps, what was sent, what failed."""
    from engine import history
    from engine.redaction import one_line
    from engine.state import State, folder

    place = State(folder()).run(run)
    document = {**history.summary(place), "steps": history.steps(place), "audit": {"path": str(place / history.LOG)}}
    if session.json:
        session.print_json(document)
        return 0
    session.say(f"{document['run_id']}  {document['runbook']}  {document['status']}  {document['started_at']}  by {document['trigger']}")
    for step in document["steps"]:
        name = step["id"] if step["item"] is None else f"{step['id']}[{one_line(step['item'])}]"
        error = f"  {one_line(step['error']['message'])}" if step.get("error") else ""
        session.say(f"  {step['status']:<10} {name}  {step.get('uses', '')}{error}")
        for request in step["requests"]:
            session.say(f"             {request['method']} {request['url']} → {request['status'] or 'no answer'}")
    session.say(f"  audit: {document['audit']['path']}")
    return 0


def moment(text: str) -> str:
    """A time, or how long ago, as RFC 3339 in UTC. Raises UsageError."""
    from engine import duration
    from engine.errors import UsageError
    from engine.executor import spell

    try:
        return spell(datetime.now(UTC) - timedelta(seconds=duration.seconds(text)))
    except ValueError:
        pass
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since {text}: write a time such as 2026-11-23T22:30:00Z, or how long ago, such as 24h") from error
    return spell(given if given.tzinfo else given.replace(tzinfo=UTC))
