"""Other programs that are told of a schedule: called without a shell, with a time limit, in plain English."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from engine.errors import UsageError

PATIENCE = 60
"""Seconds that a program may take."""


def call(words: Sequence[str], text: bytes = b"", environment: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
    """Exit status, standard output and the words on standard error of a program. Raises UsageError: it cannot be run, or hangs."""
    surroundings = {**os.environ, "LC_ALL": "C", **(environment or {})}
    try:
        done = subprocess.run(words, input=text, capture_output=True, timeout=PATIENCE, check=False, env=surroundings)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{' '.join(words[:2])} does not answer: {error}") from error
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip() or f"ended with {done.returncode}"
