"""Work in processes of its own, and ways to end them: at a write, or by strace at any system call."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

KILLED = 137
MODES = ("before", "within", "after")
CALLS = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "link", "unlink", "mkdir", "sendto")
"""The system calls that leave something on a disk or on a wire."""

Work = Callable[[], int]


@dataclass(frozen=True)
class Kill:
    """A point at which a process dies.

    Attributes:
        call: a system call, before which strace kills; or "os.write", of which mode says when.
        number: which one of them.
    """

    call: str
    number: int
    mode: str = "before"

    def __str__(self) -> str:
        return f"{self.call} {self.number}" + (f" ({self.mode})" if self.call == "os.write" else "")


def forked(work: Work) -> int:
    """The exit status of work done in a process of its own; minus the signal that ended it."""
    return ended(spawned(work))


def spawned(work: Work) -> int:
    """The id of a process that does the work."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    return child


def ended(child: int) -> int:
    """The exit status of a process, once it is over; minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(work: Work, kill: Kill) -> bool:
    """Whether the work was killed, rather than done before its point came."""
    status = _write_killed(work, kill) if kill.call == "os.write" else _traced(work, f"inject={kill.call}:signal=KILL:when={kill.number}")
    return status in (KILLED, -9)


def _write_killed(work: Work, kill: Kill) -> int:
    def doomed() -> int:
        _crash_at(kill.number, kill.mode)
        return work()

    return forked(doomed)


def _crash_at(number: int, mode: str) -> None:
    """From now on, the process dies at its write of that number."""
    real, count = os.write, 0

    def write(file: int, data: bytes) -> int:
        nonlocal count
        count += 1
        if count < number:
            return real(file, data)
        if mode != "before":
            real(file, data[: len(data) // 2] if mode == "within" else data)
        os._exit(KILLED)

    os.write = write


def writes_of(work: Work, modes: Sequence[str] = MODES) -> list[Kill]:
    """Every write of some work: before it, within it and after it."""
    with tempfile.NamedTemporaryFile() as told:
        forked(lambda: _counted(work, told.name))
        writes = int(Path(told.name).read_text())
    return [Kill("os.write", number, mode) for number in range(1, writes + 1) for mode in modes]


def calls_of(work: Work) -> list[Kill]:
    """Every system call of some work, as strace counts them: for each thread by itself, so the busiest thread's count."""
    with tempfile.TemporaryDirectory() as folder:
        _traced(work, "trace=" + ",".join(CALLS), Path(folder) / "trace")
        counts: Counter[str] = Counter()
        for file in Path(folder).iterdir():
            counts |= Counter(re.findall(r"^(\w+)\(", file.read_text(), re.MULTILINE))
    return [Kill(call, number) for call in CALLS for number in range(1, counts[call] + 1)]


def _counted(work: Work, told: str) -> int:
    real, count = os.write, 0

    def write(file: int, data: bytes) -> int:
        nonlocal count
        count += 1
        return real(file, data)

    os.write = write
    status = work()
    Path(told).write_text(str(count))
    return status


def traced_here() -> bool:
    """Whether strace is there and may look at this user's processes."""
    return shutil.which("strace") is not None and _traced(lambda: 3, "trace=write") == 3


def _traced(work: Work, expression: str, into: Path | None = None) -> int:
    """The exit status of work under strace, which is there before the work begins: attaching to a warm process costs no start."""
    gate, key = os.pipe()

    def gated() -> int:
        os.close(key)
        ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # PR_SET_PTRACER: any process of this user
        os.read(gate, 1)
        return work()

    child = spawned(gated)
    os.close(gate)
    output = ["-ff", "-o", str(into)] if into else ["-f", "-o", "/dev/null"]
    tracer = subprocess.Popen(
        ["strace", *output, "-e", "signal=none", "-e", expression, "-p", str(child)], stderr=subprocess.PIPE, text=True
    )
    try:
        while (line := tracer.stderr.readline()) and "attached" not in line:
            pass
        os.write(key, b"!") if line else os.kill(child, 9)
        return ended(child)
    finally:
        os.close(key)
        tracer.communicate()


def adopt_orphans() -> None:
    """What a killed process leaves running becomes this one's child."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def wait_for_orphans() -> None:
    """A program that outlives the run that began it has then ended, too."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
