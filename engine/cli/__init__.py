"""Words → verbs, errors → exit codes."""

from __future__ import annotations

import sys
from typing import NoReturn

from engine.cli.group import root
from engine.cli.provided import ProvidedSession
from engine.cli.session import to_nobody


def main() -> NoReturn:
    """The command `opsbook`; ends the process with the documented exit code, never with a traceback."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Carries out one command line and returns its exit code."""
    import click

    session = ProvidedSession()
    try:
        result = root.main(arguments, prog_name="opsbook", standalone_mode=False, obj=session)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        if session.json:
            session.print_json({"error": {"message": error.format_message(), "code": "usage", "hint": None}})
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # `opsbook steps list | head`
        to_nobody(sys.stdout)
        return 0
    except Exception as error:  # noqa: BLE001 - whatever happens, a user sees one clear message
        return session.fail(error)
    return result if isinstance(result, int) else 0
