"""Words → verbs, errors → exit codes."""

from __future__ import annotations

import io
import os
import sys
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

from engine.cli import streams
from engine.cli.group import root
from engine.cli.provided import ProvidedSession
from engine.cli.session import Session

if TYPE_CHECKING:
    import click


def main() -> NoReturn:
    """The command `opsbook`; ends the process with the documented exit code, never with a traceback."""
    streams.prepare()
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code."""
    session = ProvidedSession()
    session.json = "--json" in takewhile(lambda word: word != "--", arguments)  # an error before it is reached is a document too
    code = _carry_out(session, arguments)
    lost = streams.lost(sys.stdout)
    if lost is None:
        return code
    session.error(f"standard output could not be written: {lost}", None)
    return code if session.acts else code or 1


def _carry_out(session: Session, arguments: list[str]) -> int:
    import click

    try:
        result = root.main(arguments, prog_name="opsbook", standalone_mode=False, obj=session)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        _explain_usage(session, error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:  # noqa: BLE001 - whatever happens, a user sees one clear message
        return session.fail(_understood(error))
    return result if isinstance(result, int) else 0


def _understood(error: Exception) -> Exception:
    """The error, or what lies behind it: a current folder that was deleted meets every path, and is no fault of ours."""
    from engine.errors import UsageError

    try:
        os.getcwd()  # noqa: PTH109 - Path's is the same
    except FileNotFoundError:
        return UsageError("the current folder is gone", hint="cd to one that is there")
    return error


def _explain_usage(session: Session, error: click.ClickException) -> None:
    """Says what is wrong with a command line, without a key that was typed where none belongs."""
    from engine.secret import without_keys

    if session.json:
        session.print_json({"error": {"message": without_keys(error.format_message()), "code": "usage", "hint": None}})
    said = io.StringIO()
    error.show(file=said)
    print(without_keys(said.getvalue()), end="", file=sys.stderr)
