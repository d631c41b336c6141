"""`audit`: the structured log of everything that was done, and the proof that nobody changed it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.state import State


@click.group()
def audit() -> None:
    """The log of everything that was done, and whether it is whole."""


@audit.command()
@click.option("--run", help="Only this run.")
@click.option("--since", help="Only events since then: a time, or how long ago (24h, 7d).")
@click.option("--key", help="Only requests made with this key: its reference, kind or fingerprint.")
@click.option("--alert", help="Only requests about this alert: its id or alias.")
@click.pass_obj
def show(session: Session, run: str | None, since: str | None, key: str | None, alert: str | None) -> int:
    """Show events, oldest first."""
    found = _events(run, since, key, alert)
    if session.json:
        session.print_json(list(found))
        return 0
    for event in found:
        session.say(_line(event))
    return 0


def _events(run: str | None, since: str | None, key: str | None, alert: str | None) -> Iterator[dict[str, Any]]:
    from engine import history, journal
    from engine.cli.runs import moment
    from engine.state import State, folder

    state = State(folder())
    earliest = moment(since) if since else ""
    for place in [state.run(run)] if run else state.every_run():
        for event in journal.events(place / history.LOG):
            if event.get("time", "") >= earliest and (key is None or _used(event, key)) and (alert is None or _about(event, alert)):
                yield event


def _used(event: dict[str, Any], key: str) -> bool:
    return key in (event.get("key_used") or {}).values()


def _about(event: dict[str, Any], alert: str) -> bool:
    return alert in (event.get("ids") or {}).values()


def _line(event: dict[str, Any]) -> str:
    from engine.redaction import one_line

    step = event.get("step", "") + (f"[{event['item']}]" if event.get("item") else "")
    tellers: dict[str, Callable[[], str]] = {
        "step.intent": lambda: f"{event.get('method') or event['action']} {event.get('path', '')}".strip(),
        "step.result": lambda: f"{event['outcome']} {(event.get('answer') or {}).get('status') or ''}".strip(),
        **dict.fromkeys(("step.ended", "run.ended", "run.parked"), lambda: str(event["status"])),
        "step.skipped": lambda: f"not {event['condition']}",
    }
    told = tellers.get(event["event"], str)()
    key = f"  {event['key_used']['kind']} key {event['key_used']['reference']}" if event.get("key_used") else ""
    error = f"  {event['error']['message']}" if event.get("error") else ""
    return one_line(f"{event.get('time', '')}  {event['event']:<13} {step:<20} {told}{key}{error}".rstrip())


def _head(_context: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    """A head as it is written; the nothing of a variable that is not set must not turn the check off."""
    if given is not None and not re.fullmatch(r"[0-9a-fA-F]{8,64}", given):
        raise click.BadParameter("write at least the first 8 hexadecimal digits of the head")
    return given and given.lower()


@audit.command()
@click.option("--run", help="Only this run.")
@click.option("--expect-head", callback=_head, metavar="HASH", help="The head that was printed at the end; its first 8 digits are enough.")
@click.pass_obj
def verify(session: Session, run: str | None, expect_head: str | None) -> int:
    """Check the audit log: one run, or everything there is. Exit code 12 when it does not hold."""
    from engine import history
    from engine.state import State, folder

    state = State(folder())
    _require_something(state)
    result = history.verify(state, state.run(run) if run else None)
    problems = [{"file": problem.file, "line": problem.line, "message": problem.message} for problem in result.problems]
    if expect_head and not any(head.startswith(expect_head) for head in result.heads):
        found = f"the head is {result.head}, not" if run else "no log ends with the head"
        problems.append({"file": "", "line": 0, "message": f"{found} {expect_head}"})
    document = {"ok": not problems, "events": result.events, "head": result.head, "problems": problems}
    if session.json:
        session.print_json(document)
    for problem in problems:
        text = f"{problem['file']}:{problem['line']}: {problem['message']}" if problem["file"] else str(problem["message"])
        print(text, file=sys.stderr)
    if not session.json and not problems:
        session.say(f"ok: {result.events} events, head {result.head}")
    return 12 if problems else 0


def _require_something(state: State) -> None:
    """Raises UsageError where nothing was ever written down: that must not look like a log that holds."""
    from engine.errors import UsageError

    if not state.ledger.exists() and not state.every_run():
        raise UsageError(f"there is nothing to verify in {state.root}", hint="name the state folder of the runs in OPSBOOK_STATE")
