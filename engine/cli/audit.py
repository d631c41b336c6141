"""`audit`: the structured log of everything that was done, and the proof that nobody changed it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.state import State


@click.group()
def audit() -> None:
    """The log of everything that was done, and whether it is whole."""


def selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--run`, `--since`, `--key` and `--alert`."""
    command = click.option("--alert", metavar="NAME", help="Only requests about this alert, by its id, alias or short id.")(command)
    command = click.option("--key", metavar="NAME", help="Only requests with this key, by its reference, kind or fingerprint.")(command)
    command = click.option("--since", metavar="TIME", help="Only events since then: a time, or how long ago (24h, 7d).")(command)
    return click.option("--run", help="Only this run.")(command)


@audit.command()
@selection
@click.pass_obj
def show(session: Session, run: str | None, since: str | None, key: str | None, alert: str | None) -> int:
    """Show events, oldest first; with --key or --alert, each request once, with what came of it."""
    from engine.audit import journal
    from engine.cli.runs import moment
    from engine.state import LOG, State, folder, history

    state = State(folder())
    places = [history.place_of(state, run)] if run else state.every_run()
    earliest = moment(since) if since else ""
    found: Iterable[dict[str, Any]] = (event for place in places for event in journal.events(place / LOG))
    tell: Callable[[dict[str, Any]], str] = _line
    if key is not None or alert is not None:
        from engine.state import calls

        found, tell = calls.chosen(calls.every(places), key=key, alert=alert), _call
    shown = (event for event in found if event.get("time", "") >= earliest)
    if session.json:
        session.print_json(list(shown))
        return 0
    event = None
    for event in shown:
        session.say(tell(event))
    if event is None:
        session.say("nothing in the audit log fits")
    return 0


def _call(call: dict[str, Any]) -> str:
    """A request and what came of it, in one line."""
    from engine.redaction import one_line
    from engine.state import history

    what = f"{call['method']} {history.path(call)}" if call.get("method") else call["action"]
    came = (call.get("answer") or {}).get("status") or call["outcome"]
    error = f"  {call['error']['message']}" if call.get("error") else ""
    return one_line(f"{call['time']}  {call['run']}  {_step(call):<20} {what} → {came}{_key(call)}{error}")


def _step(event: dict[str, Any]) -> str:
    return f"{event.get('step', '')}" + (f"[{event['item']}]" if event.get("item") else "")


def _key(event: dict[str, Any]) -> str:
    return f"  {event['key_used']['kind']} key {event['key_used']['reference']}" if event.get("key_used") else ""


def _line(event: dict[str, Any]) -> str:
    from engine.redaction import one_line

    tellers: dict[str, Callable[[], str]] = {
        "step.intent": lambda: f"{event.get('method') or event['action']} {event.get('path', '')}".strip(),
        "step.result": lambda: f"{event['outcome']} {(event.get('answer') or {}).get('status') or ''}".strip(),
        **dict.fromkeys(("step.ended", "run.ended", "run.parked"), lambda: str(event["status"])),
        "step.skipped": lambda: f"not {event['condition']}",
        "moment": lambda: f"of {event['key']}",
        "log.continued": lambda: f"in {event['next']}",
        "doubt.decided": lambda: str(event["decision"]),
        "secret.resolved": lambda: str(event["reference"]),
        **dict.fromkeys(("run.started", "run.resumed"), lambda: f"by {event['actor']['user']} ({event['actor']['trigger']})"),
    }
    told = tellers.get(event["event"], str)()
    error = f"  {event['error']['message']}" if event.get("error") else ""
    return one_line(f"{event.get('time', '')}  {event['event']:<15} {_step(event):<20} {told}{_key(event)}{error}".rstrip())


def _head(_context: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    """A head as it is written; the nothing of a variable that is not set must not turn the check off."""
    if given is not None and not re.fullmatch(r"[0-9a-fA-F]{8,64}", given):
        raise click.BadParameter("write at least the first 8 hexadecimal digits of the head")
    return given and given.lower()


@audit.command()
@click.argument("file", required=False, type=click.Path())
@click.option("--run", help="Only this run.")
@click.option("--expect-head", callback=_head, metavar="HASH", help="The head that was printed at the end; its first 8 digits are enough.")
@click.pass_obj
def verify(session: Session, file: str | None, run: str | None, expect_head: str | None) -> int:
    """Check the audit log: one run, or everything there is; or FILE, an export or the copy of a sink.

    Exit code 12 when it does not hold.
    """
    result = _verified(file, run)
    problems = [{"file": problem.file, "line": problem.line, "message": problem.message} for problem in result.problems]
    if expect_head and not any(head.startswith(expect_head) for head in result.heads):
        found = f"the head is {result.head}, not" if run else "no log ends with the head"
        problems.append({"file": "", "line": 0, "message": f"{found} {expect_head}"})
    document = {"ok": not problems, "events": result.events, "head": result.head, "problems": problems}
    if session.json:
        session.print_json(document)
    _tell_problems(problems)
    if not session.json and not problems:
        session.say(f"ok: {result.events} events, head {result.head}")
    return 12 if problems else 0


def _verified(file: str | None, run: str | None) -> Any:
    """What verifying comes to. Raises UsageError."""
    from engine.errors import UsageError
    from engine.state import State, export, folder, history

    if file is None:
        state = State(folder())
        _require_something(state)
        return history.verify(state, history.place_of(state, run) if run else None)
    if run:
        raise UsageError("give a FILE or --run, not both", hint="opsbook audit verify FILE")
    try:
        with Path(file).open("rb") as lines:
            result = export.check(file, lines)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if not result.events and not result.problems:
        raise UsageError(f"there is nothing to verify in {file}")
    return result


def _tell_problems(problems: list[dict[str, Any]]) -> None:
    from engine.redaction import one_line

    for problem in problems:
        place = f"{problem['file']}:{problem['line']}: " if problem["file"] else ""
        print(one_line(f"{place}{problem['message']}"), file=sys.stderr)


def _require_something(state: State) -> None:
    """Raises UsageError where nothing was ever written down: that must not look like a log that holds."""
    from engine.audit import segments
    from engine.errors import UsageError

    if not segments.exists(state.ledger) and not state.every_run():
        raise UsageError(f"there is nothing to verify in {state.root}", hint="name the state folder of the runs in OPSBOOK_STATE")


@audit.command()
@selection
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="csv is for reading only.")
@click.option("--output", type=click.Path(dir_okay=False), help="A file, made private, instead of standard output.")
@click.pass_obj
def export(session: Session, /, output: str | None, form: str, **chosen: str | None) -> int:
    """Write the audit log as one file that `audit verify FILE` can check elsewhere.

    What is broken is exported too, and said; exit code 12 then.
    """
    from engine.state import State, folder, history

    state = State(folder())
    _require_something(state)
    run = history.place_of(state, chosen["run"]) if chosen["run"] else None
    problems = [asdict(problem) for problem in history.verify(state, run).problems]
    lines = _exported(state, run, {name: given for name, given in chosen.items() if given}, form, problems)
    count = _write(lines, output)
    if output:
        session.say(f"{count} lines in {output}")
    _tell_problems(problems)
    return 12 if problems else 0


def _exported(state: State, run: Path | None, filters: dict[str, str], form: str, problems: list[dict[str, Any]]) -> Iterator[bytes]:
    """The lines of an export."""
    from datetime import UTC, datetime

    from engine.execution.executor import spell
    from engine.state import export
    from engine.version import VERSION

    places = [run] if run else state.every_run()
    logs = export.logs(state, places, ledger=not filters)
    pick = _pick(places, filters)
    if form == "csv":
        return export.table(logs, pick)
    facts = {"exported_at": spell(datetime.now(UTC)), "engine": VERSION, "filter": filters, "problems": problems}
    return export.lines(logs, pick, facts)


def _pick(places: list[Path], filters: dict[str, str]) -> Callable[[Any], bool] | None:
    """Which events are exported; None for all of those places."""
    from engine.cli.runs import moment
    from engine.state import calls

    if filters.keys() <= {"run"}:
        return None
    earliest = moment(filters["since"]) if "since" in filters else ""
    wanted = None
    if filters.keys() & {"key", "alert"}:
        found = calls.chosen(calls.every(places), key=filters.get("key"), alert=filters.get("alert"))
        wanted = {(call["run"], call["key"]) for call in found}

    def pick(event: Any) -> bool:
        return event.get("time", "") >= earliest and (wanted is None or (event.get("run"), event.get("key")) in wanted)

    return pick


def _write(lines: Iterator[bytes], output: str | None) -> int:
    """Writes the lines; how many. Raises UsageError when the file cannot be written."""
    from engine.errors import UsageError

    if output is None:
        sys.stdout.flush()
        return sum(bool(sys.stdout.buffer.write(line)) for line in lines)
    try:
        with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            return sum(bool(file.write(line)) for line in lines)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}", hint="the export is not whole: write it elsewhere") from error
