"""Standard output and error that can always be written to: what becomes of a message must never decide what becomes of a run."""

from __future__ import annotations

import codecs
import io
import json
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ESCAPED = "opsbook-escaped"
"""Name of the error handler that spells what an encoding lacks as JSON does: as such the text is for people and stays a document."""


class Sink(io.FileIO):
    """A descriptor whose errors are remembered instead of raised.

    Attributes:
        error: why something was lost, or None.
    """

    error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes, waiting for a descriptor that does not block; what cannot be written is lost."""
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self.error = self.error or error
            return memoryview(data).nbytes
        return written


def prepare() -> None:
    """Makes both streams safe to write to, at the start of the process; one that is closed goes to nobody."""
    codecs.register_error(ESCAPED, _escaped)
    for number in range(3):  # a free one would be given to the next file that is opened
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - what stands in for the closed one, for as long as the process lives
    sys.stdout, sys.stderr = _stream(1, sys.stdout), _stream(2, sys.stderr)


def lost(stream: TextIO) -> str | None:
    """Why something that was written got lost, or None. A reader that had enough (`opsbook steps list | head`) lost nothing."""
    stream.flush()
    sink = getattr(getattr(stream, "buffer", None), "raw", None)
    error = sink.error if isinstance(sink, Sink) else None
    return None if error is None or isinstance(error, BrokenPipeError) else error.strerror


def _stream(number: int, before: TextIO | None) -> TextIO:
    buffer = io.BufferedWriter(Sink(number, "w", closefd=False))
    encoding, by_line = ("utf-8", False) if before is None else (before.encoding, getattr(before, "line_buffering", False))
    return io.TextIOWrapper(buffer, encoding=encoding, errors=ESCAPED, line_buffering=by_line)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
