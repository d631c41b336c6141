"""One scenario in a folder of its own: run, resumed, looked at, and held against an undisturbed run."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from engine import source
from engine.audit import journal
from engine.language import loader
from engine.state import history
from engine.system import clock
from engine.app import App, Options
from engine.system.clock import VirtualClock
from engine.runs.result import RunResult
from engine.state import LOG, State
from steps.opsgenie.emulator import Emulator, parse_faults
from tests.machine.processes import forked, spawned, wait_for_orphans
from tests.machine.scenarios import Scenario

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "OPSBOOK_MACHINE_KEY"
RUN = "20261123T120000-0000000"
NEW_RUN = State.new_run
EVIDENCE: Mapping[str, Callable[[Path], bool]] = {"ran": lambda place: (place / "output" / "ran").exists()}
"""By step: what a person sees who looks whether it was done. Any other: the service was asked to escalate."""


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: nobody pulls the plug here, so a real disk's syncs only cost time."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


class Bench:
    """A scenario, its state folder, and its service."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.scenario = scenario
        self.folder = folder
        self.path = scenario.path(folder)
        self.root = folder / "state"
        self.server: Server | None = None
        self.jump = 0.0

    def clean(self, *, several: bool = False) -> None:
        """An empty state folder, and a service as it was at the start. Unless several runs are to come, their ids are known."""
        self.close()
        shutil.rmtree(self.root, ignore_errors=True)
        os.environ["OPSBOOK_STATE"] = str(self.root)
        State.new_run = NEW_RUN if several else one_run
        if self.scenario.served:
            self.server = Server(self.scenario, self.folder)
        if self.scenario.retried:
            status = forked(self._begin)
            assert status == 1, status

    def close(self) -> None:
        """Ends the service."""
        if self.server:
            self.server.close()
        self.server = None

    @property
    def config(self) -> str:
        """The configuration file, "" for none."""
        if self.server:
            return str(self.server.config)
        if not self.scenario.settings:
            return ""
        file = self.folder / "opsbook.yaml"
        file.write_text(self.scenario.settings)
        return str(file)

    @property
    def options(self) -> Options:
        """Those of the run."""
        if self.server:
            return Options(config=self.config, folder=str(self.folder))
        scenario = self.scenario
        return Options(
            config=self.config,
            emulator=True,
            emulator_state=scenario.state or None,
            emulator_faults=scenario.faults,
            folder=str(self.folder),
        )

    def app(self) -> App:
        """What carries the run out; a clock that leaps over every wait, behind a socket too."""
        app = App(self.options)
        app.starts = START
        if self.server:
            leap()
        return app

    def arguments(self) -> list[str]:
        """The command line that begins it."""
        scenario = self.scenario
        if scenario.retried:
            return ["retry", self._first(), "--config", ""]
        inputs = [part for given in scenario.inputs for part in ("-i", given)]
        if self.server:
            return ["run", self.path, "--config", self.config, *inputs]
        state = self.folder / "account.yaml"
        state.write_text(json.dumps(scenario.state))
        faults = ["--faults", scenario.faults] if scenario.faults else []
        return ["run", self.path, "--config", self.config, "--emulator", "--emulator-state", str(state), *faults, *inputs]

    def run(self) -> int:
        """Carries it out; its exit code."""
        return App(Options(config="")).retry(self._first()).exit_status if self.scenario.retried else self._begin()

    def _first(self) -> str:
        """The run that is retried."""
        return State(self.root).every_run()[0].name

    def _begin(self) -> int:
        return self.app().run(self.path, self.scenario.inputs).exit_status

    def resume(self, on_doubt: str | None = None) -> int:
        """Goes on with what waits for it; the exit code."""
        statuses = []
        if self.server:
            leap(self.jump)
        for run, result in App(Options(config=self.config)).resume_all(on_doubt):
            assert isinstance(result, RunResult), f"{run}: {result}"
            statuses.append(result.exit_status)
        return next((status for status in statuses if status), 0)

    def go_on(self) -> str | None:
        """Resumes until the run is over, deciding what is in doubt as a person would; None when all is well."""
        decision: str | None = None
        if self.scenario.retried and not any(event["event"] == "run.started" and "retry_of" in event for event in self.events()):
            self.settle()
            return None if forked(self.run) == 0 else "could not be retried once more"  # killed before it began
        for _ in range(6):
            self.settle()
            status = forked(partial(self.resume, decision))
            if status in (0, 1):
                return None
            if status != 7:
                return f"resume ended with {status}"
            decision = "skip" if self._done() else "resend"
        return "still in doubt"

    def settle(self) -> None:
        """A program that a killed run left running has ended."""
        if not self.scenario.served:
            wait_for_orphans()

    def _done(self) -> bool:
        """What a person sees who looks for the effect of the step in doubt."""
        place = self.place()
        step = next(event["step"] for event in reversed(self.events()) if event["event"] == "step.ended" and event["status"] == "in_doubt")
        return EVIDENCE.get(step, lambda place: b"/escalate" in (place / "emulator.jsonl").read_bytes())(place)

    def finally_ids(self) -> list[str]:
        """The ids of the steps that are always done."""
        finds = App().catalog.find
        return [step.id for step in loader.read(source.load(self.path), finds).finally_]

    def problems(self) -> list[str]:
        """What `audit verify` finds."""
        return [problem.message for problem in history.verify(State(self.root)).problems]

    def copied(self, place: Path) -> bool | None:
        """Whether the log's second place has the very lines, but for its end where a crash came right before; None without such a place."""
        copy = self.root / "copy.jsonl"
        if not copy.exists():
            return None
        lines = [line for _, _, line in journal.placed(place / LOG)]
        whole = [line for line in copy.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        return whole in (lines, lines[:-1])

    def place(self) -> Path | None:
        """The newest run's folder."""
        return next(reversed(State(self.root).every_run()), None)

    def events(self) -> list[dict[str, Any]]:
        """The audit log's."""
        place = self.place()
        return list(journal.events(place / LOG)) if place else []

    def sent(self) -> list[str]:
        """Every request that reached the service and changed something."""
        place = self.place()
        told = place / "emulator.jsonl" if place else None
        if self.server or told is None or not told.exists():
            return []
        whole = told.read_bytes()
        lines = [json.loads(line) for line in whole[: whole.rfind(b"\n") + 1].splitlines()]
        return [f"{line['method']} {line['target'].partition('?')[0]}" for line in lines if "target" in line]

    def sent_before(self) -> list[bytes]:
        """What the service of the run that is retried was told."""
        return (State(self.root).run(self._first()) / "emulator.jsonl").read_bytes().splitlines() if self.scenario.retried else []

    def account(self) -> dict[str, Any]:
        """What stands in the account."""
        if self.server:
            return self.server.account()
        place = self.place()
        assert place is not None
        faults = parse_faults(self.scenario.faults) if self.scenario.faults else ()
        state = self.scenario.state or None
        return Emulator(clock=VirtualClock(START), state=state, faults=faults, journal=place / "emulator.jsonl").snapshot()

    def end(self) -> dict[str, Any]:
        """What stands in the account, in the log and in the run's own folder, apart from ids and times."""
        place = self.place()
        assert place is not None
        account, events = self.account(), self.events()
        ended = [{**event, "key": _nameless(event["key"])} for event in events if event["event"] in ("step.ended", "step.skipped")]
        final = [event["key"] for event in ended if event.get("status") != "in_doubt"]
        return {
            "status": history.left(place),
            "steps": {
                event["key"]: event.get("status", "skipped") for event in ended if not event["key"].startswith(f"{self.scenario.log}[")
            },
            "twice": [key for key, count in Counter(final).items() if count > 1],
            "problems": self.problems(),
            "copied": self.copied(place),
            "alerts": sorted((alert_view(alert) for alert in account["alerts"].values()), key=repr),
            "users": sorted(user["username"] for user in account["users"].values()),
            "files": sorted(file.name for file in (place / "output").glob("[!.]*")),
            "ran": (place / "output" / "ran").read_text() if (place / "output" / "ran").exists() else None,
        }

    def repeated_notes(self, wanted: Mapping[str, Any]) -> int:
        """Notes that came with a repeatable write and stand there once more than in an undisturbed run."""
        if self.place() is None:
            return 0
        return sum(_notes(self.account()).values()) - wanted["notes"]

    def notes(self) -> int:
        """How many notes stand in the account."""
        return sum(_notes(self.account()).values())

    def difference(self, wanted: Mapping[str, Any]) -> str | None:
        """What differs from an undisturbed run. Killed before it began, nothing may have been sent."""
        if not self.events():
            return "sent before it began" if self.sent() or (self.server and self.server.account()["alerts"]) else None
        found = self.end()
        wrong = [key for key in found if found[key] != wanted[key]]
        return None if not wrong else "; ".join(f"{key}: {found[key]} instead of {wanted[key]}" for key in wrong)

    def undisturbed(self) -> dict[str, Any]:
        """The end to be reached. The first run is this process's own: those forked later find every module imported."""
        self.clean()
        self.run()
        self.clean()
        status = forked(self.run)
        assert status in (0, 1), status
        doubts = sum(event["event"] == "step.doubt" for event in self.events())
        return {**self.end(), "notes": self.notes(), "doubts": doubts}


def _notes(account: Mapping[str, Any]) -> Counter[str]:
    return Counter(note["note"] for alert in account["alerts"].values() for note in alert["notes"])


def alert_view(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert; the note that comes with a repeatable write may stand there once more, a marked one may not."""
    fields = {key: alert["fields"].get(key) for key in ("message", "alias", "status", "count", "priority", "tags", "source")}
    notes = [re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", re.sub(r"ob:\w+", "ob", note["note"])) for note in alert["notes"]]
    notes = [note for at, note in enumerate(notes) if "[ob]" in note or note not in notes[:at]]
    view = {**fields, "notes": notes, "responders": [one["name"] for one in alert["responders"]]}
    return json.loads(_nameless(json.dumps(view)))


def _nameless(text: str) -> str:
    """The same without the run's id: a run begun anew has another."""
    return re.sub(RUN + r"\d", "RUN", text)


def one_run(state: State, now: datetime) -> Path:
    """Every first run has the same id, so that ends can be compared."""
    place = state.runs / f"{RUN}{len(list(state.runs.glob('*')))}"
    state._make(place)
    return place


def begin_at(start: datetime) -> None:
    """The command line's virtual clock begins at one moment, so that ends can be compared."""
    real = App.__init__

    def init(app: App, *given: Any, **named: Any) -> None:
        real(app, *given, **named)
        app.starts = start

    App.__init__ = init


def leap(leapt: float = 0.0) -> None:
    """From now on, a wait of this process costs no time: its real clock leaps. It may be ahead, or behind, to begin with."""

    def sleep(running: clock.RealClock, seconds: float) -> None:
        nonlocal leapt
        running._stop.check()
        leapt += max(0.0, seconds)

    clock.RealClock.sleep = sleep
    clock.RealClock.now = lambda _: datetime.now(UTC) + timedelta(seconds=leapt)
    clock.RealClock.monotonic = lambda _: time.monotonic() + leapt


class RealTime:
    """A served emulator's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Server:
    """A served emulator in a process of its own."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        asked, ask = os.pipe()
        answer, told = os.pipe()
        self._scenario = scenario
        self._child = spawned(lambda: self._serve(asked, ask, told))
        os.close(asked)
        os.close(told)
        self._ask, self._answers = os.fdopen(ask, "w"), os.fdopen(answer)
        ready = json.loads(self._answers.readline())
        os.environ[KEY] = ready["key"]
        self.config = folder / "opsbook.yaml"
        settings = {"url": ready["url"], "keys": [{"kind": "integration", "secret": f"env:{KEY}"}]}
        self.config.write_text(json.dumps({"connections": {"opsgenie": settings}}))

    def account(self) -> dict[str, Any]:
        """What stands there."""
        return self._told("account")

    def requests(self) -> list[str]:
        """What was asked, in order."""
        return self._told("requests")

    def close(self) -> None:
        """Ends it."""
        self._ask.close()
        self._answers.close()
        os.waitpid(self._child, 0)

    def _told(self, what: str) -> Any:
        print(what, file=self._ask, flush=True)
        return json.loads(self._answers.readline())

    def _serve(self, asked_end: int, ask: int, told_end: int) -> int:
        from steps.opsgenie.emulator.server import serve

        os.close(ask)
        faults = parse_faults(self._scenario.faults) if self._scenario.faults else ()
        emulator = Emulator(clock=RealTime(), state=self._scenario.state or None, faults=faults)
        server = serve(emulator)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        key = next(key.value for key in emulator.keys if key.kind == "integration")
        with os.fdopen(told_end, "w") as answers, os.fdopen(asked_end) as asked:
            print(json.dumps({"url": server.url, "key": key}), file=answers, flush=True)
            for line in asked:
                told = emulator.snapshot() if line == "account\n" else [f"{one.method} {one.path}" for one in emulator.requests]
                print(json.dumps(told, default=str), file=answers, flush=True)
        server.shutdown()
        return 0
