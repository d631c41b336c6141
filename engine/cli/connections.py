"""`connections`: what is connected, how it stands, and what runbooks need of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.app import App
    from engine.connections.survey import Needs, StepNeed
    from engine.contracts import ConnectionStanding, KeyUsage


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--needs", "paths", type=click.Path(), multiple=True, metavar="PATH", help="What the runbooks below PATH need; sends nothing."
)
@click.option("--connection", help="With --needs: the connection of steps that name none.")
@click.pass_obj
def connections(session: Session, names: tuple[str, ...], paths: tuple[str, ...], connection: str | None) -> int:
    """List the connections and check them, by reads alone; NAMES are those to check, all by default.

    Exit codes: 0 all is well, 4 a key is missing, refused or not what the configuration says, 5 a service cannot be reached or holds
    back. With --needs: 4 when a step has no key.
    """
    from engine.app import App, Options

    app = App(Options(config=session.config, connection=connection))
    session.redactor = app.redactor
    return _needs(session, app, paths) if paths else _standings(session, app, names)


def _standings(session: Session, app: App, names: tuple[str, ...]) -> int:
    from engine.cli.standing import lines

    found = app.standings(names)
    code = exit_code(found)
    if session.json:
        session.print_json({"ok": code == 0, "connections": [_document(one) for one in found]})
    else:
        for one in found:
            for line in lines(one):
                session.say(line)
    if code:
        session.tell_held()
    return code


def exit_code(found: Iterable[ConnectionStanding]) -> int:
    """The key's faults first: they are for a person; what cannot be reached may come back by itself."""
    codes = {key.exit_status for one in found for key in one.keys} | {4 for one in found if not one.keys}
    return next((code for code in (4, 5) if code in codes), 0)


def _document(one: ConnectionStanding) -> dict[str, Any]:
    from engine.cli.standing import days_left

    return {**asdict(one), "days_left": None if one.ends is None else days_left(one.ends)}


def _needs(session: Session, app: App, paths: tuple[str, ...]) -> int:
    found = app.needs(paths)
    if session.json:
        session.print_json({"ok": found.met, **asdict(found)})
    else:
        for line in _needs_lines(found):
            session.say(line)
    if not found.met:
        session.tell_held()
    return 0 if found.met else 4


def _needs_lines(found: Needs) -> Iterator[str]:
    from engine.redaction import one_line

    if not found.steps:
        yield f"{len(found.runbooks)} runbooks; none of their steps needs a key."
    for runbook, rows in groupby(found.steps, key=lambda row: row.runbook):
        yield runbook
        for (step, uses), asked in groupby(rows, key=lambda row: (row.step, row.uses)):
            yield one_line(f"  {step}: {uses}: {'; '.join(dict.fromkeys(map(_goes, asked)))}")
    for name, keys in found.usage.items():
        yield f"{name}:"
        for key in keys:
            yield from map(one_line, _usage_lines(key))
    yield from map(one_line, _missing_lines(found))
    yield "Nothing was sent."


def _goes(row: StepNeed) -> str:
    """The rights of a call, and the key it goes with."""
    rights = ", ".join(right for right in row.right.split("+") if "(" not in right)
    return f"{rights} → {row.connection}: {row.key or row.problem or 'a key of the emulator'}"


def _missing_lines(found: Needs) -> Iterator[str]:
    """The keys to make: of which kind, with which rights."""
    lacking: dict[tuple[str, tuple[str, ...]], list[StepNeed]] = {}
    for row in found.steps:
        if row.problem is not None:
            lacking.setdefault((row.connection, row.kinds), []).append(row)
    for (connection, kinds), rows in lacking.items():
        rights = dict.fromkeys(right for row in rows for right in row.right.split("+") if "(" not in right)
        steps = len({(row.runbook, row.step) for row in rows})
        yield f"missing in {connection}: a key of kind {' or '.join(kinds)} with {', '.join(rights)}, for {steps} step{'s' * (steps != 1)}"


def _usage_lines(key: KeyUsage) -> Iterator[str]:
    yield f"  {key.kind}{f' of {key.team}' if key.team else ''} ({key.reference}): {_asked(key)}"
    if key.beyond and key.used:
        unsaid = "" if key.granted is not None else " (the configuration does not say what it was granted)"
        yield f"    beyond that it may {', '.join(key.beyond)}{unsaid}"
    if key.weaker:
        yield f"    a key of kind {key.weaker} would do, where it covers what these runbooks touch"
    if key.beyond:
        yield f"    {'narrow it' if key.used else 'revoke it, or narrow it'}: {key.narrow}"


def _asked(key: KeyUsage) -> str:
    if not key.used:
        return "none of these runbooks needs it"
    return f"{len(key.used)} {'step needs' if len(key.used) == 1 else 'steps need'} {', '.join(key.needed)}"
