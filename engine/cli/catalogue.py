"""`steps` and `schema`: what a runbook may use."""

from __future__ import annotations

import json
from typing import Any

import click

from engine.catalog import Catalog
from engine.cli.session import Session
from engine.contracts import Step


@click.group()
def steps() -> None:
    """Every step a runbook may use."""


@steps.command("list")
@click.argument("word", required=False)
@click.pass_obj
def list_(session: Session, word: str | None) -> int:
    """List the steps, or those whose name or summary holds WORD."""
    rows = [step.listing() for step in _catalog().steps().values()]
    if word:
        rows = [row for row in rows if word.lower() in f"{row['name']} {row['summary']}".lower()]
    if session.json:
        session.print_json(rows)
        return 0
    if not rows:
        session.say(f"no step's name or summary holds {word!r}")
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        session.say(f"{row['name']:<{width}}  {row['effect']:<5}  {row['summary']}")
    return 0


@steps.command()
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> int:
    """Show one step: what it takes, what it gives, which key it needs."""
    step = _step(name)
    inputs, outputs = step.inputs, step.outputs({})
    if session.json:
        session.print_json({**step.listing(), "inputs": inputs, "outputs": outputs})
        return 0
    for line in _page(dict(step.listing()), inputs, outputs):
        session.say(line)
    return 0


def _page(row: dict[str, Any], inputs: Any, outputs: Any) -> list[str]:
    request = f"{row['method']} {row['path']}" if row["method"] else "no single request"
    keys = f"{' or '.join(row['keys'])} key, right {row['right']}" if row["keys"] else "none"
    lines = [
        row["name"],
        f"  {row['summary']}",
        "",
        f"  request      {request}",
        f"  key          {keys}",
        f"  idempotency  {row['idempotency']}",
    ]
    lines += ["", "  with:", *_fields(inputs)]
    lines += ["", "  outputs:", *_fields(outputs)]
    return lines


def _fields(schema: Any) -> list[str]:
    from engine.catalog.pages import fields

    rows = [("  " * field.depth + field.name, field) for field in fields(schema)]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"    {name:<{width}}  {field.kind}{' (required)' if field.required else ''}" for name, field in rows] or ["    any fields"]


@click.command()
@click.argument("step", required=False)
@click.option("--config", "which", flag_value="config", help="The configuration's schema.")
@click.option("--audit-event", "which", flag_value="audit-event", help="The schema of an event of the audit log.")
@click.pass_obj
def schema(session: Session, step: str | None, which: str | None) -> int:
    """Print the JSON Schema of a runbook, of one STEP's `with`, of the configuration or of an audit event."""
    from engine import published
    from engine.contracts import DRAFT
    from engine.language.grammar import as_written_fields

    del session
    document = {"$schema": DRAFT, **as_written_fields(_step(step))} if step else published.document(which or "runbook", _catalog())
    print(json.dumps(document, indent=2))
    return 0


def _step(name: str) -> Step:
    """A step by its name. Raises UsageError, with advice on a mistyped one."""
    from engine.advice import did_you_mean
    from engine.errors import UsageError

    catalog = _catalog()
    step = catalog.find(name)
    if step is None:
        raise UsageError(f"there is no step {name!r}", hint=did_you_mean(name, catalog.steps()) or "opsbook steps list")
    return step


def _catalog() -> Catalog:
    from engine.project import PROVIDERS

    return Catalog(PROVIDERS)
