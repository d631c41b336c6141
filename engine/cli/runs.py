"""`runs`: what has been carried out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from engine.cli.session import Session
from engine.state.pruning import STATUSES as ENDED

if TYPE_CHECKING:
    from engine.state.pruning import Pruned, Rule

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
    from engine.state import State, folder, history

    earliest = moment(since) if since else None
    rows = []
    for place in reversed(State(folder()).every_run()):
        row = history.summary(place)
        if (status and row["status"] != status) or (earliest and (row["started_at"] or "") < earliest):
            continue
        rows.append(row)
        if len(rows) == limit:
            break
    session.list_rows(rows, _row, "no such runs" if status or since else "no runs yet; try: opsbook demo")
    return 0


@runs.command()
@click.argument("run")
@click.pass_obj
def show(session: Session, run: str) -> int:
    """Show one RUN: its steps, what was sent, what failed."""
    from engine.redaction import one_line
    from engine.state import LOG, State, folder, history

    place = history.place_of(State(folder()), run)
    document = {**history.summary(place), "steps": history.steps(place), "audit": {"path": str(place / LOG)}}
    if session.json:
        session.print_json(document)
        return 0
    begun = f"  {document['started_at']}  by {document['trigger']}" if document["started_at"] else "  never begun"
    session.say(f"{document['run_id']}  {document['runbook'] or ''}  {document['status']}{begun}")
    for step in document["steps"]:
        name = step["id"] if step["item"] is None else f"{step['id']}[{one_line(step['item'])}]"
        error = f"  {one_line(step['error']['message'])}" if step.get("error") else ""
        session.say(f"  {step['status']:<10} {name}  {step.get('uses', '')}{error}")
        for request in step["requests"]:
            session.say(f"             {request['method']} {request['url']} → {request['status'] or 'no answer'}")
    session.say(f"  audit: {document['audit']['path']}")
    return 0


@runs.command()
@click.option("--keep", type=click.IntRange(min=0), help="Keep the newest so many ended runs.")
@click.option("--older-than", metavar="DURATION", help="Only runs that ended longer ago (90d).")
@click.option("--status", "statuses", type=click.Choice(ENDED), multiple=True, help="Only ended runs of this status; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only say which runs would go.")
@click.pass_obj
def prune(session: Session, keep: int | None, older_than: str | None, statuses: tuple[str, ...], dry_run: bool) -> int:
    """Remove ended runs by age and count, and what else is of no more use in the state folder.

    With both --keep and --older-than, a run goes only when both let it go; without either, the configuration's `runs` says what to keep.
    A run that is not over never goes. The ledger keeps the head of each. Exit codes: 0 ok, 11 another process prunes, 12 a run's log does
    not hold and was left (or the ledger's, and nothing went), 13 something cannot be removed or written.
    """
    from engine.app import App, Options
    from engine.audit import segments
    from engine.execution.executor import spell
    from engine.runs.stamp import actor
    from engine.state import pruning

    app = App(Options(config=session.config))
    settings = app.config.settings
    given = {"keep": keep, "older_than": older_than} if (keep, older_than) != (None, None) else settings.get("runs", {})
    rule = _rule(given, statuses or ENDED)
    if dry_run:
        done = pruning.Pruned(pruning.chosen(app.state, rule), [])
    else:
        done = pruning.prune(app.state, rule, segment=segments.size(settings), actor=actor("cli"), pruned_at=spell(datetime.now(UTC)))
    left = len(app.state.every_run()) - (len(done.runs) if dry_run else 0)
    if session.json:
        document = {"dry_run": dry_run, "pruned": done.runs, "kept": left, "refused": done.refused, "leftovers": done.leftovers}
        session.print_json(document)
    else:
        _tell_pruned(session, done, left, dry_run=dry_run)
    for refused in done.refused:
        session.error(f"the run {refused['run_id']} stays: {refused['reason']}", "opsbook audit verify")
    return 12 if done.refused else 0


def _rule(given: Mapping[str, Any], statuses: tuple[str, ...]) -> Rule:
    """Which runs go. Raises UsageError."""
    from engine import duration
    from engine.errors import UsageError
    from engine.execution.executor import spell
    from engine.state.pruning import Rule

    if not given:
        raise UsageError("say which runs are to be kept", hint="opsbook runs prune --older-than 90d, or --keep 100")
    before = None
    if given.get("older_than") is not None:
        try:
            before = spell(datetime.now(UTC) - timedelta(seconds=duration.seconds(given["older_than"])))
        except ValueError as error:
            raise UsageError(f"--older-than: {error}") from error
    return Rule(given.get("keep") or 0, before, statuses)


def _tell_pruned(session: Session, done: Pruned, left: int, *, dry_run: bool) -> None:
    if dry_run:
        for row in done.runs:
            session.say(_row(row))
    more = f", and {done.leftovers} leftovers" if done.leftovers else ""
    count = f"{len(done.runs)} run{'' if len(done.runs) == 1 else 's'}"
    session.say(f"{count} {'would be ' if dry_run else ''}pruned{more}; {left} {'would be ' if dry_run else ''}left")


def _row(row: Mapping[str, Any]) -> str:
    return (
        f"{row['run_id']}  {row['status']:<11}  {row['started_at'] or '':<24}  {row['trigger'] or '':<6}  {row['runbook'] or ''}".rstrip()
    )


def moment(text: str) -> str:
    """A time, or how long ago, as RFC 3339 in UTC. Raises UsageError."""
    from engine import duration
    from engine.errors import UsageError
    from engine.execution.executor import spell

    try:
        return spell(datetime.now(UTC) - timedelta(seconds=duration.seconds(text)))
    except ValueError:
        pass
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--since {text}: write a time such as 2026-11-23T22:30:00Z, or how long ago, such as 24h") from error
    return spell(given if given.tzinfo else given.replace(tzinfo=UTC))
