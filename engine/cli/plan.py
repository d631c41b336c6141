"""`plan`: the dry run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import click

from engine.cli.options import emulator_options, inputs_options, surroundings
from engine.cli.session import Session
from engine.contracts import Step
from engine.redaction import clean

UNDOABLE = ("repeatable", "clash")
"""Idempotencies of writes that set or make something, which another write can set back or delete; a page, a note or a deletion stays."""


@click.command()
@click.argument("runbook", type=click.Path())
@inputs_options
@emulator_options
@click.option("--connection", help="The connection to use instead of the provider's default.")
@click.option("--offline", is_flag=True, help="Make no reads either.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 10 when the run would change something.")
@click.pass_obj
def plan(session: Session, /, runbook: str, given: tuple[str, ...], inputs_file: str | None, **flags: Any) -> int:
    """Show every request that RUNBOOK would send, and with which key; sends no write."""
    options = surroundings(session, flags, offline=flags["offline"])
    return show_plan(session, options, runbook, given, inputs_file, detailed=flags["detailed_exitcode"])


def show_plan(
    session: Session, options: Any, runbook: str, given: Sequence[str], inputs_file: str | None, *, detailed: bool = False
) -> int:
    """Makes the dry run and prints it; returns the exit code."""
    from engine.app import App

    app = App(options)
    session.redactor = app.redactor
    result = app.plan(runbook, given, inputs_file)
    rows = [row(planned, app.catalog.find) for planned in result.plan.calls]
    requests = [one for one in rows if one["method"]]
    document = {
        "runbook": result.runbook.name,
        "requests": requests,
        "actions": [one for one in rows if not one["method"]],
        "needs": result.needs,
        "error": None if result.ending.error is None else {"message": result.ending.error.message},
    }
    document = app.redactor.value(document)
    if session.json:
        session.print_json(document)
    else:
        for line in _text(document, rows):
            session.say(line)
    if result.ending.error is not None:
        session.tell_held()
        return result.ending.error.exit_status
    return 10 if detailed and any(one["effect"] == "write" for one in rows[: result.own]) else 0


def row(planned: Any, find: Callable[[str], Step | None]) -> dict[str, Any]:
    """A planned call as documents show it; `undoable` is false for a write that another write cannot take back."""
    from engine.backends.dry import PLACEHOLDER

    call = planned.call
    key = None if call.key is None else {"kind": call.key.kind, "reference": call.key.reference}
    return {
        "step": planned.step,
        "item": planned.item,
        "action": call.action,
        "method": call.method,
        "url": call.url and PLACEHOLDER.sub(lambda found: unquote(found[0]), call.url),
        "body": plain(call.body),
        "key": key,
        "effect": call.effect,
        "undoable": call.effect == "read" or _undoable(find(call.action)),
        "made": planned.made,
        "conditional": list(planned.conditional),
        "detail": plain(dict(call.detail)),
    }


def _undoable(step: Step | None) -> bool:
    return step is not None and step.listing()["idempotency"] in UNDOABLE


def plain(value: Any) -> Any:
    """A value with its placeholders spelt out."""
    return json.loads(json.dumps(value, default=str, sort_keys=True))


def _text(document: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"Plan of {document['runbook']}: nothing is written; reads marked ✓ were made."]
    for one in rows:
        lines += _request(one)
    writes = sum(one["effect"] == "write" for one in rows)
    lines.append(f"{len(rows)} calls, {writes} of them would write.")
    if document["error"]:
        lines.append(f"The plan ends here: {clean(document['error']['message'])}")
    return lines


def _request(one: dict[str, Any]) -> list[str]:
    name = one["step"] if one["item"] is None else f"{one['step']}[{clean(one['item'])}]"
    what = f"{one['method']} {clean(one['url'])}" if one["method"] else one["action"]
    sign = "✓" if one["made"] else ("+" if one["effect"] == "write" else "-")
    lines = [f"  {sign} {name}: {what}"]
    lines += [f"      if {clean(condition)} (known only in a real run)" for condition in one["conditional"]]
    if not one["undoable"]:
        lines.append("      cannot be undone")
    if one["key"]:
        lines.append(f"      key: {one['key']['kind']} ({one['key']['reference']})")
    if one["body"] is not None:
        lines += [f"      {clean(line)}" for line in json.dumps(one["body"], indent=2, ensure_ascii=False).splitlines()]
    if one["detail"]:
        lines.append(f"      {clean(json.dumps(one['detail'], ensure_ascii=False))}")
    return lines
