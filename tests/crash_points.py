"""Kills runs at every write, fsync and send, goes on with them, and asks for the end of an undisturbed run.

    python tests/crash_points.py                  every point of every scenario, and pairs of them: some minutes
    python tests/crash_points.py --sample 30      some of them
    python tests/crash_points.py --only every     one scenario

A run dies within and after each of its writes (in a forked process that counts them), and before each system call that leaves something on a
disk or a wire (by strace's injection of SIGKILL; without strace, before each write only). A pair kills the resumed run, too. Another
process then resumes it. Where a run ends in doubt, the script does what a person would do: it looks, and says what it saw. Exits with 1
when any end differs.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.machine import matrix, processes  # noqa: E402
from tests.machine.bench import Bench, scratch  # noqa: E402
from tests.machine.processes import Kill  # noqa: E402
from tests.machine.scenarios import SCENARIOS, SERVED, Scenario  # noqa: E402


@dataclass(frozen=True)
class Case:
    """One way to kill one scenario."""

    scenario: str
    kills: tuple[Kill, ...]


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes:
        died: how often the run was killed.
        notes: notes that stand in the account once more than in an undisturbed run.
    """

    case: Case
    died: int
    flaw: str | None
    notes: int

    def __str__(self) -> str:
        return f"{self.case.scenario}, killed at {' and at '.join(map(str, self.case.kills))}: {self.flaw}"


class Judge:
    """A bench for each scenario, in a folder of this process's own."""

    def __init__(self, folder: str, wanted: dict[str, dict[str, Any]]) -> None:
        own = Path(folder) / str(os.getpid())
        self._benches = {scenario.name: Bench(scenario, own / scenario.name) for scenario in (*SCENARIOS, SERVED)}
        self._wanted = wanted
        processes.adopt_orphans()

    def verdict(self, case: Case) -> Verdict:
        """Kills, goes on, compares."""
        bench, wanted = self._benches[case.scenario], self._wanted[case.scenario]
        bench.clean()
        died = 0
        for kill, work in zip(case.kills, (bench.run, bench.resume), strict=False):
            died += processes.killed(work, kill)
            bench.settle()
        flaw = ("was not killed" if not died else None) or bench.go_on() or bench.difference(wanted)
        notes = max(0, bench.repeated_notes(wanted)) if bench.events() else 0
        bench.close()
        return Verdict(case, died, flaw, notes)


def cases(scenarios: list[Scenario], folder: Path, chance: random.Random, *, strace: bool) -> tuple[list[Case], dict[str, Any]]:
    """Every case, and the undisturbed end of each scenario."""
    found, wanted = [], {}
    for scenario in scenarios:
        bench = Bench(scenario, folder / scenario.name)
        wanted[scenario.name] = bench.undisturbed()
        points = _points(bench, strace=strace)
        pairs = [(first, _second(first, points, chance)) for first in chance.choices(points, k=len(points) // 3)]
        found += [Case(scenario.name, kills) for kills in [*((point,) for point in points), *pairs]]
        bench.close()
    return found, wanted


def _points(bench: Bench, *, strace: bool) -> list[Kill]:
    bench.clean()
    if not strace:
        return processes.writes_of(bench.run)
    points = processes.writes_of(bench.run, ("within", "after"))
    bench.clean()
    return points + processes.calls_of(bench.run)


def _second(first: Kill, points: list[Kill], chance: random.Random) -> Kill:
    """A point of the resumed run: it has at most about as many left as the first run had."""
    chosen = chance.choice(points)
    calls = sum(point.call == chosen.call and point.mode == chosen.mode for point in points)
    left = calls * (1 - first.number / max(point.number for point in points if point.call == first.call))
    return Kill(chosen.call, chance.randint(1, max(3, int(left * 0.8))), chosen.mode)


def _report(verdicts: list[Verdict], seconds: float) -> int:
    """Prints the counts; 1 when anything is wrong."""
    wrong = [verdict for verdict in verdicts if verdict.flaw]
    for verdict in wrong:
        print(verdict)
    died = Counter(verdict.died for verdict in verdicts)
    for name in sorted({verdict.case.scenario for verdict in verdicts}):
        own = [verdict for verdict in verdicts if verdict.case.scenario == name]
        print(f"{name}: {sum(one.died == 1 for one in own)} single, {sum(one.died == 2 for one in own)} double")
    kinds = Counter("os.write" if kill.call == "os.write" else "system call" for verdict in verdicts for kill in verdict.case.kills)
    print(f"killed by: {', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}")
    print(f"repeated notes of a repeatable write: {sum(verdict.notes for verdict in verdicts)}")
    print(f"{died[1]} single and {died[2]} double crash points in {seconds:.1f} s, {len(wrong)} wrong")
    return 1 if wrong else 0


def main(arguments: list[str] | None = None) -> int:
    every = (*SCENARIOS, SERVED)
    asked = matrix.read(__doc__, arguments, [scenario.name for scenario in every])
    chance, began = random.Random(asked.seed), time.monotonic()
    strace = processes.traced_here()
    if not strace:
        print("strace is not there (apt-get install strace), or may not trace: system calls are left out")
    scenarios = [scenario for scenario in every if asked.only in (None, scenario.name)]
    with scratch() as folder:
        found, wanted = cases(scenarios, Path(folder), chance, strace=strace)
        verdicts = matrix.judged(lambda: Judge(folder, wanted).verdict, matrix.sample(found, asked.sample, chance), asked.workers)
    return _report(verdicts, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
