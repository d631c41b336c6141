"""Signals at every event of a run and in mid-request, `cancel` from another shell, clock jumps, and many starts at once.

    python tests/signal_points.py                          all of it: some minutes
    python tests/signal_points.py --sample 12              some of it, and ten starts at once instead of fifty
    python tests/signal_points.py --only starts            fifty starts at once

SIGTERM and SIGHUP must park the run (exit 14) so that a resume ends as an undisturbed run does; SIGINT must end it as cancelled (exit 130)
after its `finally`, which runs once, with no further step begun; a second signal ends the process at once. Nothing may be called in doubt that
is not. Exits with 1 when any of it does not hold.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.state import history  # noqa: E402
from engine.cli import call  # noqa: E402
from engine.audit.journal import Journal  # noqa: E402
from engine.state.memory import step_of  # noqa: E402
from engine.state import LOG  # noqa: E402
from tests.machine import matrix, processes  # noqa: E402
from tests.machine.bench import START, Bench, begin_at, leap, scratch  # noqa: E402
from tests.machine.processes import Kill, ended, forked, spawned  # noqa: E402
from tests.machine.scenarios import SCENARIOS, SERVED, Scenario  # noqa: E402

SIGNALS = {signal.SIGTERM: 14, signal.SIGHUP: 14, signal.SIGINT: 130}
PATIENCE = 20.0
"""Seconds until a test gives up waiting for something."""
AT_ONCE = 1.0
"""Seconds within which a second signal ends the process, on a busy machine."""
SLOW = replace(SERVED, name="slow", faults="POST /v2/alerts=slow(0.4s)*9")
IN_PROCESS = ("incident-response", "every", "trouble")
BY_NAME: dict[str, Scenario] = {one.name: one for one in (*SCENARIOS, SERVED, SLOW)}
JUMPS = {"a day back": -86400.0, "an hour back": -3600.0, "an hour forward": 3600.0, "two days forward": 2 * 86400.0}


@dataclass(frozen=True)
class Case:
    """One disturbance.

    Attributes:
        kind: a name of KINDS.
        number: of an event, a request or a send.
    """

    kind: str
    scenario: str
    number: int
    signal: int = signal.SIGTERM
    jump: str = ""

    def __str__(self) -> str:
        how = self.jump or signal.Signals(self.signal).name
        return f"{self.kind}, {self.scenario}, {how} at {self.number}"


class Judge:
    """A bench for each scenario, in a folder of this process's own."""

    def __init__(self, folder: str, wanted: dict[str, dict[str, Any]]) -> None:
        own = Path(folder) / str(os.getpid())
        self._benches = {name: Bench(scenario, own / name) for name, scenario in BY_NAME.items()}
        self._wanted = wanted
        processes.adopt_orphans()
        begin_at(START)

    def flaw(self, case: Case) -> str | None:
        """What does not hold; None when all is well."""
        bench = self._benches[case.scenario]
        bench.clean()
        try:
            flaw = KINDS[case.kind](bench, self._wanted[case.scenario], case)
            return f"{case}: {flaw}" if flaw else None
        finally:
            bench.close()


def at_event(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """A signal right after an event is written."""
    status = forked(_signalled(bench, {case.number: case.signal}))
    late = _sent_late(bench, case.number)
    return f"went on to {late}" if late else _parked_or_over(bench, wanted, case, status)


def twice(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """A second signal, while the first is being seen to."""
    status = forked(_signalled(bench, {case.number: case.signal, case.number + 1: case.signal}))
    if status not in (128 + case.signal, SIGNALS[case.signal], *_done(wanted)):
        return f"exit code {status}"
    if case.signal == signal.SIGINT:
        forked(lambda: bench.resume())
        return _cancelled(bench) if history.left(bench.place()) == "cancelled" else _ended_as(bench, wanted)
    return bench.go_on() or bench.difference(wanted)


def ignored(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """Under nohup, a SIGHUP is no news."""
    work = _signalled(bench, {case.number: signal.SIGHUP})

    def nohup() -> int:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return work()

    status = forked(nohup)
    return f"exit code {status}" if status not in _done(wanted) else bench.difference(wanted)


def cancelled_later(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """A parked run, cancelled from another shell."""
    status = forked(_signalled(bench, {case.number: signal.SIGTERM}))
    if status != 14:
        return _ended_as(bench, wanted)
    status = forked(lambda: _quietly(bench, ["cancel", bench.place().name]))
    return f"exit code of cancel {status}" if status else _cancelled(bench)


def in_request(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """A signal while a request is under way."""
    child = _begun(bench, case.number)
    os.kill(child, case.signal)
    return _parked_or_over(bench, wanted, case, ended(child))


def twice_in_request(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """A second signal while a request is under way: the process ends without its answer, and the resumed run finds out."""
    child = _begun(bench, case.number)
    os.kill(child, case.signal)
    time.sleep(0.05)
    began = time.monotonic()
    os.kill(child, case.signal)
    status, took = ended(child), time.monotonic() - began
    if status != 128 + case.signal or took > AT_ONCE:
        return f"exit code {status} after {took:.2f} s"
    return bench.go_on() or bench.difference(wanted)


def cancelled_in_request(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """`cancel` from another shell while a request is under way."""
    child = _begun(bench, case.number)
    told = forked(lambda: _quietly(bench, ["cancel", bench.place().name]))
    status = ended(child)
    return f"exit codes {told} and {status}" if (told, status) != (0, 130) else _cancelled(bench)


def jumped(bench: Bench, wanted: dict[str, Any], case: Case) -> str | None:
    """The clock is set anew between a crash and the resume."""
    processes.killed(bench.run, Kill("sendto", case.number) if case.signal == signal.SIGKILL else Kill("os.write", case.number, "after"))
    bench.jump = JUMPS[case.jump]
    try:
        return bench.go_on() or bench.difference(wanted)
    finally:
        bench.jump = 0.0


KINDS: dict[str, Callable[[Bench, dict[str, Any], Case], str | None]] = {
    "at an event": at_event,
    "cancelled in a request": cancelled_in_request,
    "cancelled when parked": cancelled_later,
    "clock jump": jumped,
    "in a request": in_request,
    "twice": twice,
    "twice in a request": twice_in_request,
    "under nohup": ignored,
}


def _signalled(bench: Bench, signals: dict[int, int]) -> Callable[[], int]:
    """A run that sends itself signals, each after an event of that number is in its log."""

    def work() -> int:
        append = Journal.append

        def appended(log: Journal, event: str, **fields: Any) -> dict[str, Any]:
            made = append(log, event, **fields)
            if log.path.name == LOG and made["seq"] in signals:
                os.kill(os.getpid(), signals[made["seq"]])
            return made

        Journal.append = appended
        return _quietly(bench, bench.arguments())

    return work


def _quietly(bench: Bench, arguments: Sequence[str]) -> int:
    """A command line in this process; what it says goes to a file."""
    handle = os.open(bench.folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    if bench.server:
        leap()
    return call([*arguments])


def _begun(bench: Bench, number: int) -> int:
    """A run in another process, whose write of that number has just reached the slow service."""
    child = spawned(lambda: _quietly(bench, bench.arguments()))
    patience = time.monotonic() + PATIENCE
    while sum(line.startswith("POST") for line in bench.server.requests()) < number:
        assert time.monotonic() < patience, "the request never came"
        time.sleep(0.01)
    return child


def _parked_or_over(bench: Bench, wanted: dict[str, Any], case: Case, status: int) -> str | None:
    """A signal that came too late changes nothing; one in time parks the run or cancels it."""
    bench.settle()
    if status != SIGNALS[case.signal]:
        return f"exit code {status}" if status not in _done(wanted) else _ended_as(bench, wanted)
    false = sum(event["event"] == "step.doubt" for event in bench.events()) - wanted["doubts"]
    if false > 0:
        return "called in doubt what was not"
    if case.signal == signal.SIGINT:
        return _cancelled(bench)
    begun = [step for step in _begun_steps(bench) if step in bench.finally_ids()]
    if history.left(bench.place()) != "interrupted" or begun and wanted["status"] == "succeeded" and not _main_is_over(bench):
        return f"left {history.left(bench.place())}, with finally begun: {begun}"
    return bench.go_on() or bench.difference(wanted)


def _sent_late(bench: Bench, number: int) -> list[str]:
    """Steps that began after a signal and made a call all the same, before the run was parked, cancelled or over."""
    events = bench.events()
    begun = {event["key"] for event in events[:number] if event["event"] == "step.started"}
    later = itertools.takewhile(lambda event: event["event"] != "run.cancelling", events[number:])
    return [event["key"] for event in later if event["event"] == "step.intent" and step_of(event["key"].rpartition("@")[0]) not in begun]


def _main_is_over(bench: Bench) -> bool:
    """Whether every step before `finally` had ended when it began: a signal may come within it, too."""
    rows = history.steps(bench.place())
    last = bench.finally_ids()
    return all(row["status"] != "running" for row in rows if row["id"] not in last)


def _begun_steps(bench: Bench) -> list[str]:
    return [event["step"] for event in bench.events() if event["event"] == "step.started"]


def _ended_as(bench: Bench, wanted: dict[str, Any]) -> str | None:
    """The run was over before the signal could be seen to."""
    return bench.difference(wanted) if bench.events() and history.left(bench.place()) == wanted["status"] else "neither parked nor over"


def _cancelled(bench: Bench) -> str | None:
    """Cancelled: after the word no step of the main part begins, `finally` ends once, and there is nothing to go on with."""
    events, last = bench.events(), bench.finally_ids()
    word = next((at for at, event in enumerate(events) if event["event"] == "run.cancelling"), len(events))
    later = [event["step"] for event in events[word:] if event["event"] == "step.started" and event["step"] not in last]
    over = Counter(event["step"] for event in events if event["event"] in ("step.ended", "step.skipped") and event["step"] in last)
    problems = bench.problems()
    if history.left(bench.place()) != "cancelled" or later or problems:
        return f"left {history.left(bench.place())}; begun later: {later}; {problems}"
    return None if over == Counter(last) else f"finally: {dict(over)} instead of {last}, each once"


def _done(wanted: dict[str, Any]) -> tuple[int, ...]:
    return (0,) if wanted["status"] == "succeeded" else (1,)


def cases(folder: Path, only: str | None, *, strace: bool) -> tuple[list[Case], dict[str, Any]]:
    """Every case, and the undisturbed end of each scenario."""
    found, wanted = [], {}
    for name in (*IN_PROCESS, "slow", "wire"):
        if only in (None, name):
            bench = Bench(SERVED if name == "slow" else BY_NAME[name], folder / name)
            wanted[name] = bench.undisturbed()
            found += _SERVED[name](bench, strace) if bench.server else _in_process(bench)
            bench.close()
    return found, wanted


def _in_process(bench: Bench) -> list[Case]:
    name, events = bench.scenario.name, range(1, len(bench.events()) + 1)
    return [
        *(Case("at an event", name, number, one) for number in events for one in SIGNALS),
        *(Case("twice", name, number, one) for number in events[::5] for one in SIGNALS),
        *(Case("under nohup", name, number) for number in events[::12]),
        *(Case("cancelled when parked", name, number) for number in events[::3]),
    ]


def _slow(bench: Bench, _strace: bool) -> list[Case]:
    requests = range(1, sum(line.startswith("POST") for line in bench.server.requests()) + 1)
    return [
        *(Case(kind, "slow", number, one) for kind in ("in a request", "twice in a request") for number in requests for one in SIGNALS),
        *(Case("cancelled in a request", "slow", number) for number in requests),
    ]


def _wire(_bench: Bench, strace: bool) -> list[Case]:
    return [
        *(Case("clock jump", "wire", number, jump=jump) for number in range(4, 60, 4) for jump in JUMPS),
        *(Case("clock jump", "wire", number, signal.SIGKILL, jump) for number in range(1, 6) for jump in JUMPS if strace),
    ]


_SERVED = {"slow": _slow, "wire": _wire}


# -- many starts at once ---------------------------------------------------------------------------------------------

GROUP = """
apiVersion: runbook/v1
name: group
inputs: {shared: {type: string}}
concurrency: {group: one, on_conflict: ON_CONFLICT}
steps:
  - id: alone
    uses: core.command
    with:
      argv: [sh, -c, 'echo in >> "$0/order"; while [ ! -e "$0/go" ]; do sleep 0.02; done; echo out >> "$0/order"', "{{ inputs.shared }}"]
"""


def starts_at_once(folder: Path, on_conflict: str, number: int) -> str | None:
    """So many starts of one group at the same moment: one runs, and the others do as the runbook says."""
    bench = Bench(Scenario(f"group-{on_conflict}", GROUP.replace("ON_CONFLICT", on_conflict)), folder / on_conflict)
    shared = bench.folder / "shared"
    shared.mkdir()
    bench.clean(several=True)
    bench.scenario = replace(bench.scenario, inputs=(f"shared={shared}",))
    arguments = bench.arguments()
    gate, key = os.pipe()

    def start() -> int:
        os.close(key)
        os.read(gate, 1)  # all begin as the gate falls
        return _quietly(bench, arguments)

    children = [spawned(start) for _ in range(number)]
    os.close(gate)
    os.close(key)
    if on_conflict == "queue":
        (shared / "go").touch()
    refused = [_next_ended(children) for _ in range(number - 1)]
    (shared / "go").touch()
    statuses = Counter([*refused, _next_ended(children)])
    order = (shared / "order").read_text().split()
    runs = number if on_conflict == "queue" else 1
    wanted = {"fail": Counter({11: number - 1, 0: 1}), "skip": Counter({0: number}), "queue": Counter({0: number})}[on_conflict]
    if statuses != wanted or order != ["in", "out"] * runs:
        return f"{number} starts, {on_conflict}: exit codes {dict(statuses)}, order {order}"
    return "; ".join(bench.problems()) or None


def _next_ended(children: list[int]) -> int:
    """The exit status of the child that ends next."""
    while True:
        child, status = os.waitpid(-1, 0)
        if child in children:
            return os.waitstatus_to_exitcode(status)


def main(arguments: list[str] | None = None) -> int:
    asked = matrix.read(__doc__, arguments, [*IN_PROCESS, "slow", "wire", "starts"])
    chance, began = random.Random(asked.seed), time.monotonic()
    processes.adopt_orphans()
    with scratch() as folder:
        found, wanted = cases(Path(folder), asked.only, strace=processes.traced_here())
        todo = matrix.sample(found, asked.sample, chance)
        flaws = list(filter(None, matrix.judged(lambda: Judge(folder, wanted).flaw, todo, asked.workers)))
        number = 10 if asked.sample else 50
        ways = ("fail", "skip", "queue") if asked.only in (None, "starts") else ()
        flaws += filter(None, [starts_at_once(Path(folder), on_conflict, number) for on_conflict in ways])
    for flaw in flaws:
        print(flaw)
    for kind, count in sorted(Counter(case.kind for case in todo).items()):
        print(f"{kind}: {count}")
    for on_conflict in ways:
        print(f"{number} starts at once, on_conflict {on_conflict}")
    print(f"{len(todo)} signals and jumps in {time.monotonic() - began:.1f} s, {len(flaws)} wrong")
    return 1 if flaws else 0


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT):  # as a shell leaves them, whatever started this
        signal.signal(number, signal.SIG_DFL if number == signal.SIGHUP else signal.default_int_handler)
    sys.exit(main())
