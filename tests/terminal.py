"""A program on a terminal of its own: what it shows, and what a person types there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which a program that shows nothing more is stuck."""


class Terminal:
    """A program that was started on a terminal; `shown` is what it has shown."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.shown = b""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode() + b"\n")

    def until(self, words: str) -> None:
        """Waits for these words to be the last."""
        while not self.shown.endswith(words.encode()):
            assert self._read(), f"{words!r} never came: {self.shown.decode()}"

    def end(self) -> int:
        """Waits for the end, and gives the exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], PATIENCE)[0]:
            self.process.kill()
            return False
        try:
            part = os.read(self._ours, 4096)
        except OSError:  # the other end was closed
            return False
        self.shown += part
        return bool(part)
