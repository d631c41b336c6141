"""Kills runs at every write to disk, goes on with them, and asks for the end of an undisturbed run.

    python tests/crash_points.py            every write of every scenario, before, within and after it, and as many pairs
    python tests/crash_points.py --sample 30

A point is killed in a forked process; another forked process resumes the run. Where a run ends in doubt, the script does what a person
would do: it looks at the service and says what it saw. Exits with 1 when any end differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import secrets
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import history  # noqa: E402
from engine.app import App, Options  # noqa: E402
from engine.clock import VirtualClock  # noqa: E402
from engine.live import RunResult  # noqa: E402
from engine.state import State  # noqa: E402
from steps.opsgenie.emulator import Emulator, parse_faults  # noqa: E402

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KILLED = 137
MODES = ("before", "within", "after")

LOOP = """
apiVersion: runbook/v1
name: loop
inputs: {hosts: {type: array, items: {type: string}}}
timeout: 1h
steps:
  - id: open
    for_each: "{{ inputs.hosts }}"
    as: host
    key: "{{ host }}"
    max_parallel: 2
    block:
      - {id: create, uses: opsgenie.alert.create, with: {message: "{{ host }} is down"}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "seen {{ now }}"}}
    always:
      - {id: tag, if: steps.create.status == "succeeded", uses: opsgenie.alert.add_tags, with: {identifier: "{{ steps.create.outputs.alertId }}", tags: [seen]}}
  - {id: pause, wait: 10m}
  - {id: report, uses: core.write, with: {path: report.json, json: "{{ steps.create.outputs }}"}}
  - id: close
    for_each: "{{ steps.create.outputs }}"
    as: made
    key: "{{ made.alias }}"
    uses: opsgenie.alert.close
    with: {identifier: "{{ made.alertId }}"}
finally:
  - id: last
    uses: opsgenie.alert.create
    with: {message: "run {{ run.status }}"}
"""

TROUBLE = """
apiVersion: runbook/v1
name: trouble
steps:
  - {id: create, uses: opsgenie.alert.create, with: {message: trouble}}
  - id: lookup
    uses: opsgenie.alert.get
    retry: {attempts: 5, delay: 2s}
    with: {identifier: "{{ steps.create.outputs.alertId }}"}
  - id: tried
    block:
      - {id: missing, uses: opsgenie.alert.get, with: {identifier: nobody}}
    rescue:
      - {id: sorry, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "{{ error.message }}"}}
  - {id: user, uses: opsgenie.user.create, with: {username: ana@example.com, fullName: Ana, role: {name: User}}}
  - {id: broken, fail: broken on purpose}
finally:
  - id: end
    if: steps.create.status == "succeeded"
    uses: opsgenie.alert.add_note
    with: {identifier: "{{ steps.create.outputs.alertId }}", note: "{{ run.status }}"}
"""


@dataclass(frozen=True)
class Scenario:
    """A runbook with its inputs and surroundings."""

    name: str
    runbook: str
    inputs: tuple[str, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    faults: str | None = None

    def path(self, folder: Path) -> str:
        if (ROOT / self.runbook.splitlines()[0]).is_file():
            return str(ROOT / self.runbook)
        file = folder / f"{self.name}.yaml"
        file.write_text(self.runbook)
        return str(file)


SCENARIOS = (
    Scenario(
        "incident",
        "runbooks/incident-response.yaml",
        ("summary=db down", "service=db", "team=dba", "priority=P1", "ack_within=3m"),
        {"teams": [{"name": "dba"}], "escalations": [{"name": "dba_escalation", "team": "dba"}]},
    ),
    Scenario("loop", LOOP, ('hosts=["a", "b", "c"]',)),
    Scenario("trouble", TROUBLE, (), {}, "opsgenie.alert.create=lost,opsgenie.alert.get=http_503*2,opsgenie.user.create=lost"),
)


class Bench:
    """One scenario in a folder of its own."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.folder = folder
        self.path = scenario.path(folder)
        self.root = folder / "state"
        self.options = Options(
            config="", emulator=True, emulator_state=scenario.state or None, emulator_faults=scenario.faults, folder=str(folder)
        )

    def clean(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self) -> int:
        app = App(self.options)
        app.starts = START
        return app.run(self.path, self.scenario.inputs).exit_status

    def resume(self, on_doubt: str | None = None) -> int:
        statuses = []
        for run, result in App(Options(config="")).resume_all(on_doubt):
            assert isinstance(result, RunResult), f"{run}: {result}"
            statuses.append(result.exit_status)
        return next((status for status in statuses if status), 0)

    def place(self) -> Path | None:
        return next(iter(State(self.root).every_run()), None)

    def end(self) -> dict[str, Any]:
        """What stands in the account, in the log and in the run's own folder, apart from ids and times."""
        place = self.place()
        assert place is not None
        summary = history.summary(place)
        faults = parse_faults(self.scenario.faults) if self.scenario.faults else ()
        state = self.scenario.state or None
        emulator = Emulator(clock=VirtualClock(START), state=state, faults=faults, journal=place / "emulator.jsonl")
        account = emulator.snapshot()
        verified = history.verify(State(self.root))
        events = [json.loads(line) for line in (place / history.LOG).read_bytes().splitlines()]
        ended = Counter(event["key"] for event in events if event["event"] in ("step.ended", "step.skipped"))
        statuses = {event["key"]: event.get("status", "skipped") for event in events if event["event"] in ("step.ended", "step.skipped")}
        return {
            "status": summary["status"],
            "steps": statuses,
            "twice": [key for key, count in ended.items() if count > 1 and set(events_of(events, key)) - {"in_doubt"}],
            "problems": [problem.message for problem in verified.problems],
            "alerts": sorted((alert_view(alert) for alert in account["alerts"].values()), key=repr),
            "users": sorted(account["users"] and [user["username"] for user in account["users"].values()]),
            "files": sorted(file.name for file in (place / "output").iterdir()),
        }

    def escalated(self) -> bool:
        """What a person sees who looks at the service."""
        place = self.place()
        assert place is not None
        return b"/escalate" in (place / "emulator.jsonl").read_bytes()


def events_of(events: list[dict[str, Any]], key: str) -> list[str]:
    """The statuses a step was left in before its last."""
    return [event["status"] for event in events if event["event"] == "step.ended" and event["key"] == key][:-1]


def alert_view(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert; the note that comes with a repeatable write (a close) may stand there once more, a marked one may not."""
    fields = {key: alert["fields"].get(key) for key in ("message", "alias", "status", "count", "priority", "tags", "source")}
    notes = [re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", re.sub(r"ob:\w+", "ob", note["note"])) for note in alert["notes"]]
    notes = [note for at, note in enumerate(notes) if "[ob]" in note or note not in notes[:at]]
    return {**fields, "notes": notes, "responders": [one["name"] for one in alert["responders"]]}


def crash_at(number: int, mode: str) -> None:
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


def forked(work: Callable[[], int]) -> int:
    """The exit status of work done in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed(work: Callable[[], int], number: int, mode: str) -> int:
    def doomed() -> int:
        crash_at(number, mode)
        return work()

    return forked(doomed)


def writes_of(work: Callable[[], int]) -> int:
    """How often work writes."""
    read, told = os.pipe()

    def counted() -> int:
        real, count = os.write, 0

        def write(file: int, data: bytes) -> int:
            nonlocal count
            count += 1
            return real(file, data)

        os.write = write
        status = work()
        real(told, str(count).encode())
        return status

    forked(counted)
    os.close(told)
    with os.fdopen(read) as pipe:
        return int(pipe.read())


def go_on(bench: Bench) -> str | None:
    """Resumes until the run is over; None when all is well."""
    for _ in range(3):
        status = forked(bench.resume)
        if status != 7:
            return None if status in (0, 1) else f"resume ended with {status}"
        decision = "skip" if bench.escalated() else "resend"
        status = forked(lambda decision=decision: bench.resume(decision))
        if status in (0, 1):
            return None
    return f"still in doubt: {status}"


def compare(bench: Bench, wanted: dict[str, Any]) -> str | None:
    place = bench.place()
    if place is None or not (place / history.LOG).read_bytes().count(b"\n"):  # killed before it began: nothing may have been sent
        sent = place is not None and (place / "emulator.jsonl").exists() and b'"target"' in (place / "emulator.jsonl").read_bytes()
        return "sent before it began" if sent else None
    found = bench.end()
    wrong = [key for key in wanted if found[key] != wanted[key]]
    return None if not wrong else "; ".join(f"{key}: {found[key]} instead of {wanted[key]}" for key in wrong)


def single(bench: Bench, wanted: dict[str, Any], number: int, mode: str) -> str | None:
    bench.clean()
    if killed(bench.run, number, mode) != KILLED:
        return "was not killed"
    return go_on(bench) or compare(bench, wanted)


def double(bench: Bench, wanted: dict[str, Any], first: int, second: int, mode: str) -> str | None:
    bench.clean()
    killed(bench.run, first, mode)
    killed(bench.resume, second, mode)
    return go_on(bench) or compare(bench, wanted)


def points(writes: int, chance: random.Random) -> list[tuple[int, ...]]:
    """Every single point, and as many doubles."""
    singles = [(number,) for number in range(1, writes + 1)]
    doubles = [(chance.randint(1, writes), chance.randint(1, max(2, writes // 2))) for _ in singles]
    return [*singles, *doubles]


@dataclass(frozen=True)
class Case:
    """One way to kill one scenario."""

    bench: Bench
    wanted: dict[str, Any]
    point: tuple[int, ...]
    mode: str

    def flaw(self) -> str | None:
        os.environ["OPSBOOK_STATE"] = str(self.bench.root)
        try_point = single if len(self.point) == 1 else double
        flaw = try_point(self.bench, self.wanted, *self.point, self.mode)
        return f"{self.bench.scenario.name} at write {self.point}, {self.mode}: {flaw}" if flaw else None


def cases(folder: Path, chance: random.Random) -> list[Case]:
    """Every case, after one undisturbed run of each scenario."""
    found = []
    for scenario in SCENARIOS:
        (folder / scenario.name).mkdir()
        bench = Bench(scenario, folder / scenario.name)
        os.environ["OPSBOOK_STATE"] = str(bench.root)
        writes = writes_of(bench.run)
        wanted = bench.end()
        found += [Case(bench, wanted, point, mode) for point in points(writes, chance) for mode in MODES]
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many points, spread over all")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    chance, began = random.Random(asked.seed), time.monotonic()
    secrets.token_hex = lambda size=4: "0" * 2 * size  # one run id, so that ends can be compared
    with tempfile.TemporaryDirectory() as folder:
        todo = cases(Path(folder), chance)
        todo = chance.sample(todo, min(asked.sample, len(todo))) if asked.sample else todo
        wrong = [flaw for flaw in (case.flaw() for case in todo) if flaw]
    doubles = sum(len(case.point) == 2 for case in todo)
    for line in wrong:
        print(line)
    print(f"{len(todo) - doubles} single and {doubles} double crash points in {time.monotonic() - began:.1f} s, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
