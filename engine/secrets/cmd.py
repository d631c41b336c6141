"""`cmd:PROGRAM ARGUMENTS`: what a program writes, such as `cmd:op read op://ops/opsgenie/key`; pass, vault, sops, aws are called alike."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import KeyProblem, StepError
from engine.secret import told

FORM = "cmd:PROGRAM ARGUMENTS"
NAME = r"\S(.*\S)?"

TIME_LIMIT = 30.0
"""Seconds from the program's start to its end."""

OUTPUT_LIMIT = 65536
"""Most bytes it may write; a key is far shorter."""

PASSED_ON = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME",
    "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
"""Variables of the environment that the program sees, where they are set."""

PASSED_ON_PREFIXES = ("AWS_", "OP_", "PASSWORD_STORE_", "SOPS_", "VAULT_")
"""Variables that it sees too: those by which the usual programs find their store."""


def read(name: str) -> str:
    """What the program writes to standard output.

    Its standard error is shown to nobody: it may hold the secret.

    Raises:
        KeyProblem: it cannot be started, fails, is late, or writes too much.
    """
    from engine.system.process import run

    shown, argv = told(f"cmd:{name}"), _argv(name)
    try:
        ended = run(argv, env=_environment(), stdin=None, cwd=Path(), timeout=TIME_LIMIT, limit=OUTPUT_LIMIT)
    except StepError as error:
        raise KeyProblem(f"{shown} gives no key: {_fault(error)}", hint=_ADVICE.get(error.code)) from None
    if ended.exit_code != 0:
        how = f"exit code {ended.exit_code}" if ended.exit_code > 0 else f"signal {-ended.exit_code}"
        raise KeyProblem(f"{shown} gives no key: the program ended with {how}", hint=f"{_BY_HAND}; its standard error may hold the key")
    return ended.stdout.decode(errors="surrogateescape")


_BY_HAND = "run it by hand to see what it says, which is not shown here"
_ADVICE = {
    "command_not_found": "install it, or give its absolute path: cron and systemd know a short PATH",
    "command_not_started": "check that it may be executed",
    "timeout": f"{_BY_HAND}; a program that asks for a password finds nobody here",
    "output_too_large": "let it write the key alone",
}


def _fault(error: StepError) -> str:
    return f"the program did not end within {TIME_LIMIT:g} s and was stopped" if error.code == "timeout" else error.message


def _argv(name: str) -> list[str]:
    """The words of a command line, split as a shell would; no shell ever reads them. Raises KeyProblem."""
    import shlex

    try:
        program, *arguments = shlex.split(name)
    except ValueError:
        raise KeyProblem(f"{told(f'cmd:{name}')} is no command line", hint="close its quotes") from None
    program = os.path.expanduser(program)  # noqa: PTH111 - Path's raises where there is no home
    if "/" in program and not program.startswith("/"):
        raise KeyProblem(
            f"{told(f'cmd:{name}')} names its program by a relative path, which another folder would change",
            hint="give its absolute path, or a name that PATH finds",
        )
    return [program, *arguments]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)}
