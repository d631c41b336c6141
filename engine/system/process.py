"""The only file that starts processes: no shell, one deadline for all, bounded output, nothing left running."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.errors import StepError
from engine.secret import Secret, no_core_dumps

OUTPUT_LIMIT = 1024 * 1024
"""Most bytes of stdout, and of stderr, unless a caller wants fewer."""

_TICK = 0.05
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended: exit code (minus the signal's number when a signal ended it) and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str], *, env: Mapping[str, str | Secret], stdin: bytes | None, cwd: Path, timeout: float, limit: int = OUTPUT_LIMIT
) -> Finished:
    """Runs a program in a session of its own and waits for its end, `timeout` seconds at most; each output may have `limit` bytes.

    What it leaves in its process group is ended with it. Raises StepError: `command_not_found`, `command_not_started`,
    `timeout`, `output_too_large`.
    """
    no_core_dumps()  # children inherit it
    process = _start(argv, env, stdin, cwd)
    try:
        return _Exchange(process, stdin or b"", time.monotonic() + timeout, limit).finish()
    finally:
        _end(process)


def _start(argv: Sequence[str], env: Mapping[str, str | Secret], stdin: bytes | None, cwd: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - an argument list from the runbook's author is what this is for
            list(argv),
            env={name: value.reveal() if isinstance(value, Secret) else value for name, value in env.items()},
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        raise _not_started(argv[0], cwd, exc) from exc


def _not_started(program: str, cwd: Path, exc: Exception) -> StepError:
    if isinstance(exc, FileNotFoundError) and cwd.is_dir():
        return StepError(
            f"the program {program!r} was not found",
            code="command_not_found",
            again="never",
            hint="install it, or give its absolute path; only PATH is searched",
        )
    reason = exc.strerror if isinstance(exc, OSError) else "an argument holds a NUL or is not valid Unicode"
    return StepError(f"the program {program!r} could not be started in {cwd}: {reason}", code="command_not_started", again="never")


class _Exchange:
    """Feeds stdin and gathers both outputs until the program ends."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, deadline: float, limit: int) -> None:
        self.process = process
        self.stdin = memoryview(stdin)
        self.deadline = deadline
        self.limit = limit
        self.gathered = {"stdout": bytearray(), "stderr": bytearray()}

    def finish(self) -> Finished:
        """Waits for the end of the program. Raises StepError."""
        with selectors.DefaultSelector() as selector:
            self._register(selector)
            while selector.get_map():
                ended = self.process.poll() is not None
                ready = selector.select(0 if ended else min(_TICK, self._left()))
                if ended and not ready:
                    break
                for key, _ in ready:
                    self._move(selector, key.fileobj, key.data)
        try:
            exit_code = self.process.wait(self._left())
        except subprocess.TimeoutExpired as exc:
            raise _too_slow() from exc
        return Finished(exit_code, bytes(self.gathered["stdout"]), bytes(self.gathered["stderr"]))

    def _register(self, selector: selectors.BaseSelector) -> None:
        for name in self.gathered:
            selector.register(getattr(self.process, name), selectors.EVENT_READ, name)
        if self.process.stdin:
            os.set_blocking(self.process.stdin.fileno(), False)
            selector.register(self.process.stdin, selectors.EVENT_WRITE, "stdin")

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise _too_slow()
        return left

    def _move(self, selector: selectors.BaseSelector, stream: Any, name: str) -> None:
        done = self._feed(stream) if name == "stdin" else self._gather(stream, name)
        if done:
            selector.unregister(stream)
            stream.close()

    def _feed(self, stream: IO[bytes]) -> bool:
        with contextlib.suppress(BlockingIOError):
            try:
                self.stdin = self.stdin[os.write(stream.fileno(), self.stdin[:65536]) :]
            except BrokenPipeError:
                return True
        return not self.stdin

    def _gather(self, stream: IO[bytes], name: str) -> bool:
        chunk = os.read(stream.fileno(), 65536)
        self.gathered[name] += chunk
        if len(self.gathered[name]) > self.limit:
            raise StepError(
                f"the program wrote more than {self.limit} bytes to {name} and was stopped",
                code="output_too_large",
                again="never",
                hint="let it write less, or into a file",
            )
        return not chunk


def _too_slow() -> StepError:
    return StepError("the program did not end in time and was stopped", code="timeout", hint="raise the step's `timeout`")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the process group: TERM, and KILL after a moment."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
