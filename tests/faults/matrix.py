"""The whole matrix, faults × operations: `python tests/faults/matrix.py [--sample N] [--only TEXT] [--jobs N]`.

Each cell is a runbook of one step, carried out by the command line in this process over real sockets, and judged by the account the
emulator keeps. Prints the counts; exits 1 when a cell broke a promise. The clock that steps see leaps over every wait; sockets keep real time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from engine.system import clock as clocks
from engine.cli import call
from steps import transport
from steps.operation import Idempotency
from steps.opsgenie.emulator import Emulator
from steps.opsgenie.emulator import Fault as EmulatedFault
from steps.opsgenie.operations import OPERATIONS
from tests.faults.faults import FAULTS, STORMS, Fault, stranger, strikes_of
from tests.faults.operations import CASES, STATE, Case, census
from tests.faults.server import EVER, FaultServer, Moment, server_context

TIMEOUT = 1.0
"""Seconds a step's attempt may take."""
GRACE = 0.5
"""Seconds a call may be late."""
MEMORY = 100 * 1024 * 1024
LONGEST_CELL = 30.0
KEY = "OPSBOOK_FAULTS_KEY"
EVERY = {**FAULTS, **STORMS}
OF_JSON = ("data_of_another_type", "next_page_elsewhere", "request_id_no_text")
"""Faults that change an answer's fields: an answer that is a text has none."""
HEAVY = ("endless_body", "endless_header", "gzip_bomb", "huge_body", "huge_header", "huge_length", "json_too_deep")
"""Faults that could fill the memory: measured in processes of their own."""


class LeapingClock:
    """Real time, except that every sleep is over at once and counts all the same."""

    def __init__(self) -> None:
        self._leapt = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._leapt)

    def monotonic(self) -> float:
        return time.monotonic() + self._leapt

    def sleep(self, seconds: float) -> None:
        self._leapt += max(0.0, seconds)
        self.on_sleep()


@dataclass(frozen=True, order=True)
class Cell:
    """One place of the matrix, by names, so that it can be sent to another process."""

    fault: str
    moment: Moment
    ever: bool
    case: str

    def __str__(self) -> str:
        return f"{self.fault}/{self.moment}/{'ever' if self.ever else 'once'} × {self.case}"


@dataclass
class Verdict:
    """What came of a cell."""

    cell: Cell
    status: int
    duplicates: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    overrun: float = -TIMEOUT
    seconds: float = 0.0
    error: str = ""

    @property
    def problems(self) -> list[str]:
        return [*self.duplicates, *self.silent, *self.wrong]


def cells() -> list[Cell]:
    """Every cell."""
    return [
        Cell(fault.name, moment, ever, case.name)
        for fault in EVERY.values()
        for moment in fault.moments
        for ever in (False, True)
        if (fault.ever if ever else fault.once)
        for case in CASES.values()
        if _applies(fault, case)
    ]


def _applies(fault: Fault, case: Case) -> bool:
    if fault.target == "request_status" or fault.emulated:
        return case.asynchronous
    return fault.name not in OF_JSON or OPERATIONS[case.target].frame is None


_FINDABLE = {Idempotency.KEYED, Idempotency.MARKED, Idempotency.CLASH, Idempotency.DELETE}
"""Kinds of which it may be found that it was done, though no answer to it ever comes whole."""
_NOTING = {Idempotency.MARKED, Idempotency.REPEATABLE}
_PLAIN = {"fine": {0}, "failed": {1}, "lie": {0, 1, 5, 7}, "storm": {0, 5, 7}}


def allowed(case: Case, fault: Fault, moment: Moment, *, ever: bool) -> set[int]:
    """The exit codes that are right."""
    if fault.name == "kept_connection_closed" and case.idempotency is Idempotency.ONCE:
        return {0, 7}  # the request may cross the end of the connection on the wire
    if fault.fate in _PLAIN:
        return _PLAIN[fault.fate]
    if fault.fate != "lost" or OPERATIONS[case.target].effect == "read":
        return {5} if ever else {0}
    if moment == "accept":  # it strikes what comes first, which may be a read
        return {5, 7} if ever else {0, 7} if case.idempotency is Idempotency.ONCE else {0}
    if case.idempotency is Idempotency.ONCE:
        # where nothing came before it there is no kept connection; of several operations another one's status may be struck
        return {0, 7} if fault.reused or (fault.target == "request_status" and case.composite and not ever) else {7}
    if not ever:
        # a note the service has accepted and is late with is not sent again: it might be there twice
        return {7} if fault.name == "never_processed" and case.idempotency in _NOTING and case.notes else {0}
    found = case.idempotency in _FINDABLE or case.notes
    return {0, 7} if found and (moment == "after" or fault.target == "request_status") else {7}


class Bench:
    """What all cells of one process share: the leaping clock, the measured transport, a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.clock = LeapingClock()
        self.calls: list[tuple[float, float]] = []

    @contextlib.contextmanager
    def installed(self) -> Iterator[Bench]:
        """The clock and the measured transport in their places."""
        send, clock = transport.HttpTransport.send, self.clock

        def measured(self_: Any, request: Any, *, timeout: float) -> Any:
            began = time.monotonic()
            try:
                return send(self_, request, timeout=timeout)
            finally:
                self.calls.append((timeout, time.monotonic() - began))

        with (
            mock.patch.object(clocks.RealClock, "now", lambda _self: clock.now()),
            mock.patch.object(clocks.RealClock, "monotonic", lambda _self: clock.monotonic()),
            mock.patch.object(clocks.RealClock, "sleep", lambda _self, seconds: clock.sleep(seconds)),
            mock.patch.object(transport.HttpTransport, "send", measured),
        ):
            yield self

    def judge(self, cell: Cell) -> Verdict:
        """Carries a cell out and judges it."""
        case, fault = CASES[cell.case], EVERY[cell.fault]
        emulator, server = _service(cell, self.clock)
        before, guests = emulator.snapshot(), stranger().visits
        if fault.endpoint == "deaf" and not cell.ever:
            self.clock.on_sleep = server.recover
        self.calls.clear()
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                status, document, said = _carried_out(case, before, _address(fault, server), emulator, Path(folder))
        finally:
            server.close()
            self.clock.on_sleep = lambda: None
        verdict = Verdict(cell, status, seconds=time.monotonic() - began)
        verdict.overrun = max((took - timeout for timeout, took in self.calls), default=-TIMEOUT)
        verdict.error = str((document.get("error") or {}).get("message", ""))
        self.clock.sleep(5.0)  # what was accepted is processed
        _weigh(verdict, case, before, emulator.snapshot(), document)
        _look_over(verdict, said, emulator, guests)
        if fault.act and not server.struck and not fault.reused:
            verdict.wrong.append("the fault never struck")
        return verdict


def _service(cell: Cell, clock: LeapingClock) -> tuple[Emulator, FaultServer]:
    """The account and the server before it."""
    case, fault = CASES[cell.case], EVERY[cell.fault]
    times = EVER if cell.ever else 1
    emulated = [EmulatedFault(case.target, fault.emulated, times=times)] if fault.emulated else []
    emulator = Emulator(clock=clock, state=case.state, faults=emulated)
    target = case.target if fault.target == "call" else fault.target
    return emulator, FaultServer(
        emulator, strikes_of(fault, cell.moment, target, times), tls=fault.endpoint == "untrusted", deaf=fault.endpoint == "deaf"
    )


def _address(fault: Fault, server: FaultServer) -> str:
    if fault.endpoint == "unresolved":
        return "https://nobody.invalid"
    scheme = "https" if fault.endpoint in ("untrusted", "plain_on_https") else "http"
    return f"{scheme}://127.0.0.1:{server.port}"


def _carried_out(case: Case, account: Mapping[str, Any], url: str, emulator: Emulator, folder: Path) -> tuple[int, Mapping[str, Any], str]:
    """The command's exit code, its JSON document, and everything it said."""
    arguments = prepared(case, account, url, emulator, folder)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = call(arguments)
    try:
        document = json.loads(out.getvalue())
    except ValueError:
        document = {}
    return status, document, out.getvalue() + err.getvalue()


def prepared(case: Case, account: Mapping[str, Any], url: str, emulator: Emulator, folder: Path) -> list[str]:
    """Writes runbook and configuration, sets the environment, and returns the command line."""
    ids = {f"${team['name']}": team["id"] for team in account["teams"].values()}
    given = {name: ids.get(value, value) if isinstance(value, str) else value for name, value in case.given.items()}
    runbook = {
        "apiVersion": "runbook/v1",
        "name": "cell",
        "steps": [{"id": "it", "uses": case.uses, "with": given, "timeout": f"{TIMEOUT:g}s", "retry": {"attempts": 3, "delay": "100ms"}}],
        "outputs": {"it": {"type": "object", "value": "{{ steps.it.outputs }}"}},
    }
    config = {"connections": {"opsgenie": {"url": url, "keys": [{"kind": "integration", "secret": f"env:{KEY}"}]}}}
    (folder / "cell.yaml").write_text(json.dumps(runbook))
    (folder / "opsbook.yaml").write_text(json.dumps(config))
    os.environ[KEY] = next(key.value for key in emulator.keys if key.kind == "integration")
    os.environ["OPSBOOK_STATE"] = str(folder / "state")
    return ["--json", "--config", str(folder / "opsbook.yaml"), "run", str(folder / "cell.yaml")]


def _weigh(verdict: Verdict, case: Case, before: Mapping[str, Any], after: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """What was said against what is there."""
    fault, cell = EVERY[verdict.cell.fault], verdict.cell
    new = Counter(census(after))
    new.subtract(census(before))
    for kind, number in sorted(new.items()):
        most = case.makes.get(kind, 0) + case.slack.get(kind, 0)
        if number > most:
            verdict.duplicates.append(f"{number} more {kind}, at most {most} is right")
    there = case.done(after) if case.done else _right(case, document)
    lied = fault.fate == "lie"
    if verdict.status == 0 and not there and not lied:
        verdict.silent.append("reported success, and the effect is not there")
    if verdict.status in (1, 4, 5) and case.done and there and not case.composite and not lied:
        verdict.silent.append(f"reported exit {verdict.status}, and the effect is there")
    right = allowed(case, fault, cell.moment, ever=cell.ever)
    if verdict.status not in right:
        verdict.wrong.append(f"exit {verdict.status}, right is {' or '.join(map(str, sorted(right)))}: {verdict.error}")


def _right(case: Case, document: Mapping[str, Any]) -> bool:
    """Whether a read brought what is true."""
    assert case.right is not None
    try:
        return case.right(document["outputs"]["it"])
    except (KeyError, TypeError):
        return False


def _look_over(verdict: Verdict, said: str, emulator: Emulator, guests: int) -> None:
    """Time, other hosts, the key, and how it was said."""
    if verdict.overrun > GRACE:
        verdict.wrong.append(f"a call was {verdict.overrun:.2f} s late")
    if verdict.seconds > LONGEST_CELL:
        verdict.wrong.append(f"the run took {verdict.seconds:.1f} s")
    if stranger().visits != guests:
        verdict.wrong.append("another host was called")
    if any(key.value in said for key in emulator.keys):
        verdict.wrong.append("the key was shown")
    if "Traceback" in said or "itself has a fault" in said:
        verdict.wrong.append(f"a fault of its own: {said[-300:]}")


# -- many cells ----------------------------------------------------------------------------------------------------------------


def carried_out(chosen: Sequence[Cell]) -> list[Verdict]:
    """The verdicts of some cells, one after the other, in this process."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder, Bench(folder).installed() as bench:
        return [bench.judge(cell) for cell in chosen]


def possible(chosen: Sequence[Cell]) -> list[Cell]:
    """Those for which this machine has what they need."""
    try:
        server_context()
    except (OSError, subprocess.CalledProcessError):
        return [cell for cell in chosen if EVERY[cell.fault].endpoint != "untrusted"]
    return list(chosen)


def in_processes(chosen: Sequence[Cell], jobs: int) -> list[Verdict]:
    """All cells, some processes at a time: most of a slow cell's time is waiting."""
    shuffled = random.Random(1).sample(chosen, len(chosen))
    size = max(1, min(25, len(shuffled) // jobs))
    parts = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(carried_out, part) for part in parts]):
            verdicts += done.result()
            if sys.stderr.isatty():
                print(f"\r{len(verdicts)}/{len(chosen)}", end="", file=sys.stderr, flush=True)
    return verdicts


MEASURED = """
import resource, sys
from engine.cli import call
status = call(sys.argv[1:])
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")] if sys.platform == "linux" else []
kib = int(peak[0].split()[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{status} {kib}", file=sys.stderr)
"""


def peak_memory(case: Case, fault: Fault) -> tuple[int, int]:
    """Exit code and the most bytes a process of its own held. Its clock is the real one."""
    emulator, server = _service(Cell(fault.name, "after", False, case.name), LeapingClock())
    emulator_clock = emulator.clock
    assert isinstance(emulator_clock, LeapingClock)
    try:
        with tempfile.TemporaryDirectory() as folder:
            arguments = prepared(case, emulator.snapshot(), _address(fault, server), emulator, Path(folder))
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
            )
    finally:
        server.close()
    status, kib = done.stderr.split()[-2:]
    return int(status), int(kib) * 1024


def main() -> int:
    """Carries the matrix out and prints its counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="only so many cells, chosen at random")
    parser.add_argument("--only", default="", help="only cells whose name holds this text")
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    chosen = [cell for cell in possible(cells()) if options.only in str(cell)]
    if options.sample:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    if not chosen:
        parser.error("no cell is called so")
    verdicts = in_processes(chosen, options.jobs)
    bad = sorted((verdict for verdict in verdicts if verdict.problems), key=lambda verdict: verdict.cell)
    for verdict in bad:
        print(f"{verdict.cell}: {'; '.join(verdict.problems)}")
    heavy = (
        []
        if options.sample or options.only
        else [(name, case, *peak_memory(CASES[case], FAULTS[name])) for name in HEAVY for case in ("get", "close")]
    )
    for name, case, status, peak in heavy:
        if peak > MEMORY or status != 0:
            print(f"{name} × {case}: exit {status}, {peak / 2**20:.0f} MiB")
    faults = {(cell.fault, cell.moment, cell.ever) for cell in chosen if cell.fault in FAULTS}
    storms = {cell.fault for cell in chosen} & set(STORMS)
    print(
        f"cells                 {len(verdicts)} ({len({one[0] for one in faults})} faults in {len(faults)} forms, {len(storms)} storms, {len({cell.case for cell in chosen})} operations)"
    )
    print(f"duplicates            {sum(bool(verdict.duplicates) for verdict in verdicts)}")
    print(f"silent successes      {sum(bool(verdict.silent) for verdict in verdicts)}")
    print(f"wrong in another way  {sum(bool(verdict.wrong) for verdict in verdicts)}")
    print(f"worst overrun         {max(verdict.overrun for verdict in verdicts):.3f} s past a call's deadline")
    print(f"longest run           {max(verdict.seconds for verdict in verdicts):.1f} s")
    print(f"exit codes            {dict(sorted(Counter(verdict.status for verdict in verdicts).items()))}")
    if heavy:
        print(f"peak memory           {max(peak for *_, peak in heavy) / 2**20:.0f} MiB in {len(heavy)} runs")
    print(f"took                  {time.monotonic() - began:.0f} s")
    return 1 if bad or any(peak > MEMORY or status for *_, status, peak in heavy) else 0


if __name__ == "__main__":
    sys.exit(main())
