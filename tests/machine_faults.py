"""Lets the disk fail a run at every open, write and sync of its own files, and asks that nothing is sent which is not on disk.

    python tests/machine_faults.py               every place of every scenario: some minutes
    python tests/machine_faults.py --sample 20   some of them

In a forked process, the Nth call upon one file fails with ENOSPC, EIO, EROFS or EACCES; a write may first get half of its bytes out. The
command line then has to end with exit code 13 and one clear message; every request that reached the service must have its intent in that part
of the audit log that was synced; and a later resume (or, where nothing had begun, a new run) must end as an undisturbed run does. Exits with
1 when any of it does not hold.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.audit import segments  # noqa: E402
from engine.cli import call  # noqa: E402
from tests.machine import matrix, processes  # noqa: E402
from tests.machine.bench import START, Bench, begin_at, scratch  # noqa: E402
from tests.machine.processes import Kill, forked  # noqa: E402
from tests.machine.scenarios import SCENARIOS, Scenario  # noqa: E402

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES)
CALLS = {"flock": fcntl} | dict.fromkeys(("open", "write", "pwrite", "fdatasync", "fsync", "ftruncate", "mkdir", "link"), os)
"""Calls upon a file, each with the module that has it."""
PHASES = ("run", "resume")


@dataclass(frozen=True)
class Fault:
    """One call that fails.

    Attributes:
        file: the kind of file it is made upon.
        half: a write gets half of its bytes out first.
    """

    file: str
    call: str
    number: int
    error: int
    half: bool = False

    def __str__(self) -> str:
        return f"{self.call} {self.number} of {self.file} fails with {errno.errorcode[self.error]}{' after half' if self.half else ''}"


@dataclass(frozen=True)
class Case:
    """A fault in a run, or in the resume of a run that was killed."""

    scenario: str
    phase: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario}, {self.phase}: {self.fault}"


def file_of(root: Path, call: str, target: Any, folder: int | None) -> str | None:
    """The kind of file that a call is made upon; None for what is not the state's own."""
    path = Path(os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.fspath(target))
    if folder is not None or not path.is_relative_to(root) or path.name == "emulator.jsonl":
        return None
    below = path.relative_to(root).parts
    if below[:1] == ("cache",) or "output" in below[:-1] or (path.name == "output" and path.is_dir()):
        return None
    if path.is_dir():
        return "a folder" if call != "mkdir" else None  # there is nothing to make
    if below[:1] in (("locks",), ("runs",)) and len(below) == 2:
        return "a group's lock" if below[0] == "locks" else "a run's folder"
    return re.sub(r"^\.(.+)\.[0-9a-f]{16}$", r"a new \1", path.name.partition(".key")[0])


class Disk:
    """Stands between the process and its disk: counts the calls, fails one, and knows what is synced."""

    def __init__(self, bench: Bench, fault: Fault | None, found: Path) -> None:
        self._root, self._fault, self._found = bench.root, fault, found
        self._before = Counter(map(_sent, bench.sent_before()))
        self.counts: Counter[tuple[str, str]] = Counter()
        older = [log for first in self._root.glob("runs/*/audit.jsonl") for log in list(segments.every(first))[:-1]]
        self._synced = {str(log): log.stat().st_size for log in older}  # each was synced before the log went on in the next
        self._real: dict[str, Callable[..., Any]] = {name: getattr(module, name) for name, module in CALLS.items()}

    def install(self) -> None:
        for name, module in CALLS.items():
            setattr(module, name, self._wrapped(name, self._real[name]))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call_of(target: Any, *rest: Any, **how: Any) -> Any:
            file = file_of(self._root, name, rest[0] if name == "link" else target, how.get("dir_fd"))
            if file is None:
                self._watch(name, target, rest)
                return real(target, *rest, **how)
            self.counts[file, name] += 1
            if self._fault and (file, name, self.counts[file, name]) == (self._fault.file, self._fault.call, self._fault.number):
                self._fail(self._fault, target, rest)
            done = real(target, *rest, **how)
            if name == "fdatasync":
                self._synced[os.readlink(f"/proc/self/fd/{target}")] = os.fstat(target).st_size
            return done

        return call_of

    def _fail(self, fault: Fault, target: Any, rest: Any) -> None:
        self._found.with_suffix(".struck").touch()
        if fault.half:
            self._real["write"](target, rest[0][: len(rest[0]) // 2])
        raise OSError(fault.error, os.strerror(fault.error))

    def _watch(self, name: str, target: Any, rest: Any) -> None:
        """A request reaches the service as it is written to the emulator's journal: its intent must be on disk by then."""
        if name != "write" or b'"target"' not in rest[0]:
            return
        place = Path(os.readlink(f"/proc/self/fd/{target}")).parent
        before = (place / "emulator.jsonl").read_bytes().splitlines()
        logs = [log for log in segments.every(place / "audit.jsonl") if log.exists()]
        synced = b"".join(log.read_bytes()[: self._synced.get(str(log), 0)] for log in logs)
        missing = Counter(map(_sent, [*before, rest[0]])) - self._before - Counter(map(_intended, synced.splitlines()))
        missing.pop(None, None)
        if missing:
            with self._found.open("a") as found:
                found.write(f"sent without an intent on disk: {dict(missing)}\n")


def _sent(line: bytes) -> str | None:
    told = json.loads(line)
    return f"{told['method']} {unquote(told['target'].partition('?')[0])}" if "target" in told else None


def _intended(line: bytes) -> str | None:
    event = json.loads(line)
    if event["event"] != "step.intent" or event["effect"] != "write" or "path" not in event:
        return None
    path = event["path"]
    for name, value in event["ids"].items():
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return f"{event['method']} {unquote(path)}"


class Judge:
    """A bench for each scenario, in a folder of this process's own."""

    def __init__(self, folder: str, wanted: dict[str, dict[str, Any]]) -> None:
        own = Path(folder) / str(os.getpid())
        self._benches = {scenario.name: Bench(scenario, own / scenario.name) for scenario in SCENARIOS}
        self._wanted = wanted
        processes.adopt_orphans()
        begin_at(START)

    def flaw(self, case: Case) -> str | None:
        """What does not hold; None when all is well."""
        bench = self._benches[case.scenario]
        bench.clean()
        prepare(bench, case.phase)
        found = bench.folder / "found"
        for file in (found, found.with_suffix(".struck")):
            file.unlink(missing_ok=True)
        status, said = command(bench, case.phase, case.fault, found)
        wrong = [found.read_text()] if found.exists() else []
        if not found.with_suffix(".struck").exists():
            wrong.append("the fault did not strike")
        if status != 13:
            wrong.append(f"exit code {status} instead of 13")
        if "Traceback" in said or "has a fault" in said or os.strerror(case.fault.error) not in said:
            wrong.append(f"no clear message: {said!r}")
        flaws = "; ".join(filter(None, [*wrong, self._afterwards(bench)]))
        return f"{case}: {flaws}" if flaws else None

    def _afterwards(self, bench: Bench) -> str | None:
        """How it ends when the disk is well again."""
        wanted = self._wanted[bench.scenario.name]
        if not bench.events() and not bench.scenario.retried:
            if bench.sent():
                return "sent before it began"
            status = forked(bench.run)
            if status not in (0, 1):
                return f"a new run ended with {status}"
        return bench.go_on() or bench.difference(wanted)


def prepare(bench: Bench, phase: str) -> None:
    """The cache's folder, without which a run does as well; for the resume, a run that was killed half way."""
    (bench.root / "cache").mkdir(parents=True, exist_ok=True)
    if phase == "resume":
        processes.killed(bench.run, Kill("os.write", 24, "within"))
        bench.settle()


def command(bench: Bench, phase: str, fault: Fault | None, found: Path, counted: Path | None = None) -> tuple[int, str]:
    """Exit code and words of the command line, on a disk that fails."""
    said = bench.folder / "said"

    def work() -> int:
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        disk = Disk(bench, fault, found)
        disk.install()
        status = call(_arguments(bench, phase))
        if counted:
            counted.write_text(json.dumps([[*key, count] for key, count in disk.counts.items()]))
        return status

    return forked(work), said.read_text()


def _arguments(bench: Bench, phase: str) -> list[str]:
    return bench.arguments() if phase == "run" else ["resume", "--all", "--config", bench.config]


def cases(scenarios: Sequence[Scenario], folder: Path, chance: random.Random) -> tuple[list[Case], dict[str, Any]]:
    """Every case, and the undisturbed end of each scenario."""
    found, wanted = [], {}
    for scenario in scenarios:
        bench = Bench(scenario, folder / scenario.name)
        wanted[scenario.name] = bench.undisturbed()
        for phase in PHASES:
            bench.clean()
            prepare(bench, phase)
            counted = bench.folder / "counted"
            command(bench, phase, None, bench.folder / "found", counted)
            found += [Case(scenario.name, phase, fault) for fault in _faults(json.loads(counted.read_text()), chance)]
    return found, wanted


def _faults(counts: list[tuple[str, str, int]], chance: random.Random) -> list[Fault]:
    plain = [Fault(file, name, number, chance.choice(ERRORS)) for file, name, count in counts for number in range(1, count + 1)]
    halves = [Fault(one.file, one.call, one.number, errno.ENOSPC, half=True) for one in plain if one.call == "write"]
    return plain + halves


def main(arguments: list[str] | None = None) -> int:
    asked = matrix.read(__doc__, arguments, [scenario.name for scenario in SCENARIOS])
    chance, began = random.Random(asked.seed), time.monotonic()
    processes.adopt_orphans()
    with scratch() as folder:
        found, wanted = cases([one for one in SCENARIOS if asked.only in (None, one.name)], Path(folder), chance)
        todo = matrix.sample(found, asked.sample, chance)
        flaws = list(filter(None, matrix.judged(lambda: Judge(folder, wanted).flaw, todo, asked.workers)))
    for flaw in flaws:
        print(flaw)
    for what, counts in (("files", Counter(case.fault.file for case in todo)), ("calls", Counter(case.fault.call for case in todo))):
        print(f"{what}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}")
    print(f"{len(todo)} faults of the disk in {time.monotonic() - began:.1f} s, {len(flaws)} wrong")
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main())
