"""Runs one command and says what it cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workloads import ROOT


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds of wall time, seconds of CPU (user and system), peak resident memory in MiB."""

    wall: float
    cpu: float
    memory: float

    @staticmethod
    def median(costs: Sequence[Cost]) -> Cost:
        return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")))


def environment(state: Path) -> dict[str, str]:
    """The processes' environment: bytecode may be written."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPSBOOK"))}
    return {**kept, "PYTHONPATH": str(ROOT), "OPSBOOK_STATE": str(state), "BENCH_KEY": "bench-0123456789"}


def measure(command: Sequence[str], environment: dict[str, str], folder: Path) -> Cost:
    """Runs a command to its end. Raises SystemExit when it fails."""
    log = folder / "output.txt"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{log.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
