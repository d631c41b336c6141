"""`env:NAME`: an environment variable."""

from __future__ import annotations

import os

from engine.errors import KeyProblem

FORM = "env:NAME"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"


def read(name: str) -> str:
    """The variable's value. Raises KeyProblem when it is not set."""
    value = os.environ.get(name)
    if value is None:
        raise KeyProblem(
            f"the environment variable {name} is not set", hint=f"set {name} before the run; cron starts with an empty environment"
        )
    return value
