"""What every backend must do: one suite, one row a port.

The same runbooks over the same world, killed before and after every effect, in every wait, and at pairs of them; each comes to the end of an
undisturbed run. A port is added by an adapter (`Port`) and a row in `PORTS`; nothing else here knows how a run is carried out.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Never, Protocol

import pytest

from engine import app, project
from engine.audit import journal
from engine.state import history
from engine.app import App, Options
from engine.system.clock import VirtualClock
from engine.contracts import Call, Reply
from engine.control import CONSTRUCTS
from engine.errors import AnswerLost, InDoubt, Refused
from engine.runs.result import RunResult
from engine.modifiers import MODIFIERS
from engine.state import LOG, State
from tests.machine.bench import scratch

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIRS = 5
"""Double crashes of each runbook."""


# -- ports ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class End:
    """How a run was left: its document, as `run --json` prints it."""

    status: str
    outputs: Mapping[str, Any]
    steps: Mapping[str, str]
    error: str | None


@dataclass(frozen=True)
class Waited:
    """A wait, told once: until when, and when it was over."""

    key: str
    until: datetime
    over: datetime | None


class Port(Protocol):
    """A backend, as far as this suite asks it. One object is one run; None stands for a run whose process died."""

    def start(self, runbook: str) -> End | None:
        """Carries a runbook out, from its text."""

    def go_on(self, on_doubt: str | None = None) -> End | None:
        """Goes on with a run whose process died, that is in doubt or was told to stop, as another process."""

    def again(self) -> End | None:
        """Starts a new run from one that has ended: what was done is kept."""

    def die(self) -> Never:
        """Kills whatever carries the run, in the middle of what it does."""

    def cancel(self) -> End | None:
        """Asks for the run's end, from outside: returns at once while it is under way, else as `go_on`."""

    def sleeping(self, wakes: Callable[[], None]) -> None:
        """Calls this each time that a wait begins."""

    def waits(self) -> list[Waited]:
        """Every wait that was told, in order."""

    def problems(self) -> list[str]:
        """What is wrong with what is kept of the run."""


class Died(BaseException):
    """What kill -9 is to a process, to a call stack: nothing catches it."""


class Local:
    """backends/local.py: a run in this process on a virtual clock, with its journal on disk."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSBOOK_STATE", str(folder / "state"))
        self._state, self._file, self._patch = State(folder / "state"), folder / "book.yaml", monkeypatch
        self._run: Path | None = None
        self._app: App | None = None

    def start(self, runbook: str) -> End | None:
        self._file.write_text(runbook)
        return self._begun(lambda app: app.run(str(self._file)))

    def go_on(self, on_doubt: str | None = None) -> End | None:
        return self._lived(lambda app: app.resume(self._place.name, on_doubt))

    def again(self) -> End | None:
        return self._begun(lambda app: app.retry(self._place.name))

    def die(self) -> Never:
        raise Died

    def cancel(self) -> End | None:
        if self._app is None:
            return self._lived(lambda app: app.cancel(self._place.name))
        self._app.stop.cancel()
        return None

    def sleeping(self, wakes: Callable[[], None]) -> None:
        slept = VirtualClock.sleep

        def sleep(clock: VirtualClock, seconds: float) -> None:
            wakes()
            slept(clock, seconds)

        self._patch.setattr(VirtualClock, "sleep", sleep)

    def waits(self) -> list[Waited]:
        told = list(journal.events(self._place / LOG))
        over = {event["key"]: datetime.fromisoformat(event["time"]) for event in told if event["event"] == "wait.ended"}
        begun = [event for event in told if event["event"] == "wait.started"]
        return [Waited(event["key"], datetime.fromisoformat(event["until"]), over.get(event["key"])) for event in begun]

    def problems(self) -> list[str]:
        return [problem.message for problem in history.verify(self._state, self._place).problems]

    @property
    def _place(self) -> Path:
        assert self._run is not None
        return self._run

    def _begun(self, work: Callable[[App], RunResult]) -> End | None:
        earlier = self._state.every_run()
        try:
            return self._lived(work)
        finally:
            (self._run,) = set(self._state.every_run()) - set(earlier)

    def _lived(self, work: Callable[[App], RunResult]) -> End | None:
        self._app = App(Options(config="", emulator=True))
        self._app.starts = START
        try:
            document = work(self._app).document
        except Died:
            return None
        finally:
            self._app = None
        steps = {step["id"]: step["status"] for step in document["steps"]}
        return End(document["status"], document["outputs"], steps, (document["error"] or {}).get("message"))


PORTS: dict[str, Callable[[Path, pytest.MonkeyPatch], Port]] = {
    "local": Local,
}


# -- the world -----------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """What runs act upon, and what outlives them: each effect in the order it was had, and by whom.

    Attributes:
        asked: how often it was read or acted upon.
        befalls: what happens the nth time, before or after it is done.
        began: the moment it was first asked.
        moments: of the effects.
    """

    effects: list[dict[str, Any]] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    asked: int = 0
    befalls: dict[tuple[int, str], Callable[[], object]] = field(default_factory=dict)
    began: datetime | None = None

    def have(self, identity: str, given: Mapping[str, Any], now: datetime) -> Reply:
        """An effect; it may be the last thing a process does."""
        with self._once_more():
            self.effects.append({"by": identity, **given})
            self.moments.append(now)
        return Reply({"number": len(self.effects)})

    def ask(self, now: datetime, ready: float) -> Reply:
        """How many seconds have passed since it was first asked. Refuses before `ready`."""
        with self._once_more():
            self.began = self.began or now
            passed = (now - self.began).total_seconds()
        if passed < ready:
            raise Refused("not yet", status=503, again="safe")
        return Reply({"passed": passed})

    @contextmanager
    def _once_more(self) -> Iterator[None]:
        self.asked += 1
        number = self.asked
        self.befalls.get((number, "before"), lambda: None)()
        yield
        self.befalls.get((number, "after"), lambda: None)()

    def had(self, identity: str, since: datetime) -> Reply:
        """What an identity came to since a moment, None when it was not seen."""
        had = zip(itertools.count(1), self.effects, self.moments, strict=False)
        numbers = [number for number, effect, moment in had if effect["by"] == identity and moment >= since]
        return Reply({"number": numbers[-1]} if numbers else None)


WORLD = World()


def _do(given: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Keyed: a lost answer is looked up, as often as it is lost."""
    while True:
        try:
            return dict(context.call(Call("world.do", "write", body=dict(given)), lambda: _had(given, context)).value)
        except AnswerLost as lost:
            since = lost.since
        found = context.call(Call("world.had", "read"), lambda since=since: WORLD.had(context.identity, since))
        if found.value is not None:
            return dict(found.value)


def _had(given: Mapping[str, Any], context: Any) -> Reply:
    return WORLD.have(context.identity, given, context.clock.now())


def _once(given: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Nobody can tell afterwards whether it was done."""
    try:
        return dict(context.call(Call("world.once", "write"), lambda: _had(given, context)).value)
    except AnswerLost as error:
        raise InDoubt("whether it was done cannot be known") from error


def _ask(given: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """A read."""
    reply = context.call(Call("world.ask", "read"), lambda: WORLD.ask(context.clock.now(), given.get("ready", 0)))
    return dict(reply.value)


class _Step:
    needs = ()
    inputs: Mapping[str, Any] = {"type": "object"}

    def __init__(self, name: str, effect: str, perform: Callable[[Mapping[str, Any], Any], Mapping[str, Any]]) -> None:
        self.name, self.effect, self.perform = name, effect, perform
        self.summary = f"{name}, for tests."

    def outputs(self, written: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"type": "object", "additionalProperties": {}}

    def listing(self) -> Mapping[str, Any]:
        return {"idempotency": {"world.ask": "safe", "world.do": "keyed", "world.once": "once"}[self.name]}


class _Provider:
    settings_schema: Mapping[str, Any] = {}

    def steps(self) -> Mapping[str, _Step]:
        steps = [
            _Step("world.ask", "read", _ask),
            _Step("world.do", "write", _do),
            _Step("world.once", "write", _once),
        ]
        return {step.name: step for step in steps}

    def connect(self, name: str, settings: Mapping[str, Any], surroundings: Any) -> None:
        return None

    def key_findings(self, settings: Mapping[str, Any], need: Any) -> None:
        return None

    def commands(self) -> tuple[()]:
        return ()


@pytest.fixture(autouse=True)
def _provided(monkeypatch, tmp_path):
    package, module = types.ModuleType("opsbook_world"), types.ModuleType("opsbook_world.steps")
    package.__path__ = [str(tmp_path)]
    module.PROVIDER = _Provider()
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(project.PROVIDERS, "world", "opsbook_world.steps:PROVIDER")
    monkeypatch.delenv("OPSBOOK_CONFIG", raising=False)


# -- runbooks ------------------------------------------------------------------------------------------------------------

BOOKS = {
    "sequence": """
        vars: {began: "{{ now }}"}
        steps:
          - {id: a, uses: world.do, with: {n: 1, at: "{{ vars.began }}"}}
          - {id: b, uses: world.do, with: {n: "{{ steps.a.outputs.number + 1 }}", at: "{{ now }}"}}
          - {id: c, if: steps.b.outputs.number == 3, uses: world.do, with: {n: never}}
          - {id: d, uses: world.do, expect: [result.number == 3], with: {n: 3, at: "{{ vars.began }}"}}
        finally:
          - {id: last, uses: world.do, with: {status: "{{ run.status }}"}}
        outputs: {numbers: {type: array, value: ["{{ steps.a.outputs.number }}", "{{ steps.d.outputs.number }}"]}}
    """,
    "block": """
        steps:
          - id: tried
            block:
              - {id: first, uses: world.do, with: {n: 1}}
              - {id: broken, if: steps.first.outputs.number > 0, fail: "broken after {{ steps.first.outputs.number }}"}
              - {id: unseen, uses: world.do, with: {n: never}}
            rescue: [{id: sorry, uses: world.do, with: {why: "{{ error.message }}"}}]
            always: [{id: anyway, uses: world.do, with: {n: 3}}]
          - id: fine
            block: [{id: inner, block: [{id: deep, uses: world.do, with: {n: 4}}], always: [{id: deeper, uses: world.do, with: {n: 5}}]}]
          - {id: passed, continue_on_error: true, block: [{id: half, uses: world.do, with: {n: 6}}, {id: lost, fail: "no"}]}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "for_each": """
        steps:
          - id: each
            for_each: [{name: ana, n: 1}, {name: bo, n: 2}, {name: cy, n: 3}]
            as: person
            key: "{{ person.name }}"
            block:
              - {id: made, uses: world.do, with: {name: "{{ person.name }}"}}
              - {id: seen, if: person.n != 2, uses: world.do, with: {after: "{{ steps.made.outputs.number }}"}}
          - {id: count, uses: world.do, with: {made: "{{ steps.made.outputs | length }}"}}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "side by side": """
        steps:
          - id: each
            for_each: [3, 1, 2]
            key: "k{{ item }}"
            max_parallel: 3
            fail_fast: false
            block:
              - {id: pause, wait: "{{ item }}m"}
              - {id: made, uses: world.do, with: {item: "{{ item }}", at: "{{ now }}"}}
        outputs: {items: {type: array, value: "{{ steps.made.outputs | map(attribute='number') }}"}}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "fail_fast": """
        steps:
          - id: each
            for_each: [1, 2, 3]
            block:
              - {id: made, uses: world.do, with: {item: "{{ item }}"}}
              - {id: no, if: item == 2, fail: "no {{ item }}"}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "until": """
        steps:
          - {id: polled, uses: world.ask, until: {condition: result.passed >= 90, every: 30s, timeout: 5m}}
          - {id: tired, uses: world.ask, until: {condition: result.passed > 999, every: 1m, timeout: 2m, on_timeout: continue}}
          - {id: after, uses: world.do, with: {passed: "{{ steps.tired.outputs.passed }}", at: "{{ now }}"}}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "retry": """
        steps:
          - {id: a, uses: world.ask}
          - {id: b, retry: {attempts: 4, delay: 10s, backoff: exponential, jitter: false}, uses: world.ask, with: {ready: 25}}
          - id: block
            retry: {attempts: 2, delay: 5s, jitter: false, if: 'error.code == "fail"'}
            block: [{id: inner, uses: world.do, with: {passed: "{{ steps.b.outputs.passed }}", at: "{{ now }}"}}, {id: no, fail: always}]
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "wait": """
        steps:
          - {id: a, uses: world.do, with: {at: "{{ now }}"}}
          - {id: pause, wait: 10m}
          - {id: b, uses: world.do, with: {at: "{{ now }}", until: "{{ steps.pause.outputs.until }}"}}
          - {id: later, wait: {until: "2026-03-01T14:00:00Z"}}
          - {id: c, uses: world.do, with: {at: "{{ now }}"}}
        finally: [{id: rest, wait: 1m}, {id: last, uses: world.do, with: {status: "{{ run.status }}", at: "{{ now }}"}}]
    """,
    "timeout": """
        timeout: 15m
        steps:
          - {id: a, uses: world.do, with: {n: 1}}
          - {id: limited, timeout: 5m, continue_on_error: true, block: [{id: short, wait: 10m}, {id: unseen, uses: world.do, with: {n: never}}]}
          - {id: b, uses: world.do, with: {n: 2, at: "{{ now }}"}}
          - {id: long, wait: 1h}
          - {id: never, uses: world.do, with: {n: never}}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
    """,
    "return": """
        steps:
          - {id: a, uses: world.do, with: {n: 1}}
          - {id: done, if: steps.a.outputs.number == 1, return: {number: "{{ steps.a.outputs.number }}"}}
          - {id: never, uses: world.do, with: {n: never}}
        finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
        outputs: {number: {type: integer, value: 99}}
    """,
    "fail": """
        checks: [{that: "1 < 2", message: numbers}]
        steps:
          - {id: a, uses: world.do, with: {n: 1}}
          - {id: no, if: steps.a.outputs.number == 1, fail: "enough: {{ steps.a.outputs.number }}"}
          - {id: never, uses: world.do, with: {n: never}}
        finally:
          - {id: told, uses: world.do, with: {status: "{{ run.status }}"}}
          - {id: worse, fail: an end of its own}
    """,
}
ONCE = """
    steps:
      - {id: a, uses: world.do, with: {n: 1}}
      - {id: page, uses: world.once, with: {n: 2}}
      - {id: each, for_each: [x, y], key: "{{ item }}", uses: world.once, with: {item: "{{ item }}"}}
      - {id: b, uses: world.do, with: {n: 5}}
    finally: [{id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
"""


def book(text: str) -> str:
    return "apiVersion: runbook/v1\nname: conformance\n" + textwrap.dedent(text)


# -- what is asked of every port -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crash:
    """Where a process dies: before or after the world is asked for the nth time, or as the nth wait begins."""

    number: int
    when: str


class Trial:
    """A port and its own world."""

    def __init__(self, port: Port) -> None:
        self.port, self.waits, self._at = port, 0, set[int]()
        WORLD.__init__()
        port.sleeping(self._falls_asleep)

    def _falls_asleep(self) -> None:
        self.waits += 1
        if self.waits in self._at:
            self.port.die()

    def dies(self, *crashes: Crash) -> None:
        """Where it is going to."""
        for crash in crashes:
            if crash.when == "asleep":
                self._at.add(crash.number)
            else:
                WORLD.befalls[crash.number, crash.when] = self.port.die

    def points(self) -> list[Crash]:
        """Every place where the run it has carried out could have died."""
        asked = [Crash(number, when) for number in range(1, WORLD.asked + 1) for when in ("before", "after")]
        return asked + [Crash(number, "asleep") for number in range(1, self.waits + 1)]

    def lived(self, end: End | None, decide: Callable[[], str] | None = None) -> End:
        """The end, by as many other processes as it takes; a person decides what is in doubt."""
        for _ in range(9):
            if end is not None and (end.status != "in_doubt" or decide is None):
                return end
            end = self.port.go_on(decide() if end is not None and decide is not None else None)
        raise AssertionError("it comes to no end")

    def outcome(self, end: End) -> Any:
        """All that is compared; moments by the order in which they were first seen."""
        waits = self.port.waits()
        assert self.port.problems() == []
        assert len({wait.key for wait in waits}) == len(waits), "a wait is told once"
        assert [wait.key for wait in waits if wait.over not in (None, wait.until)] == [], "a wait ends when it was to end"
        effects = [{**effect, "by": effect["by"].split("/", 2)[2]} for effect in WORLD.effects]
        return _momentless({**asdict(end), "effects": effects, "waits": [wait.key for wait in waits]})


def _momentless(value: Any) -> Any:
    seen: dict[str, str] = {}
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", lambda found: seen.setdefault(found[0], f"T{len(seen)}"), json.dumps(value))
    return json.loads(text)


@pytest.fixture(params=sorted(PORTS))
def trial(request, monkeypatch):
    """Begins a trial of a port, as often as one likes."""
    with scratch() as folder:

        @contextmanager
        def begun() -> Iterator[Trial]:
            with monkeypatch.context() as patch:
                yield Trial(PORTS[request.param](Path(folder), patch))

        yield begun


def undisturbed(trial, text):
    """The outcome to be reached, and every place to die at."""
    with trial() as calm:
        return calm.outcome(calm.lived(calm.port.start(text))), calm.points()


@pytest.mark.parametrize("name", sorted(BOOKS))
def test_killed_anywhere_it_comes_to_the_same_end(trial, name):
    text = book(BOOKS[name])
    wanted, points = undisturbed(trial, text)
    pairs = random.Random(name).sample(list(itertools.combinations(points, 2)), PAIRS)
    for crashes in [*((point,) for point in points), *pairs]:
        with trial() as killed:
            killed.dies(*crashes)
            first = killed.port.start(text)
            assert first is None, f"{crashes} kills nothing"
            assert killed.outcome(killed.lived(first)) == wanted, crashes


def test_the_ends_are_those_the_runbooks_ask_for(trial):
    """So that equal ends are not equally wrong."""
    ends = {}
    for name, text in BOOKS.items():
        ends[name], _ = undisturbed(trial, book(text))
    assert {name: end["status"] for name, end in ends.items() if end["status"] != "succeeded"} == {
        "fail": "failed", "fail_fast": "failed", "retry": "failed", "timeout": "failed",
    }  # fmt: skip
    assert [effect.get("n", "last") for effect in ends["block"]["effects"]] == [1, "last", 3, 4, 5, 6, "last"]
    assert [effect["item"] for effect in ends["side by side"]["effects"][:3]] == [1, 2, 3]  # whoever wakes first
    assert ends["side by side"]["outputs"] == {"items": [3, 1, 2]}  # in the order of the items
    assert ends["return"]["outputs"] == {"number": 1}
    assert ends["sequence"]["steps"] == {"a": "succeeded", "b": "succeeded", "c": "skipped", "d": "succeeded", "last": "succeeded"}
    assert [effect["by"] for effect in ends["fail_fast"]["effects"]] == ["made/0", "made/1", "last"]
    assert ends["until"]["effects"][0]["passed"] == 210
    assert all("never" not in effect.values() for end in ends.values() for effect in end["effects"])
    assert [end["effects"][-1]["by"] for end in ends.values() if end["effects"][-1]["by"] not in ("last", "told")] == []


@pytest.mark.parametrize("name", sorted({*CONSTRUCTS, *MODIFIERS}))
def test_every_construct_is_carried_out_on_every_port(name):
    assert any(f"{name}:" in text for text in BOOKS.values())


def test_what_cannot_be_known_waits_for_a_decision_and_is_then_done_once(trial):
    text = book(ONCE)
    wanted, points = undisturbed(trial, text)
    doubts = 0
    for crash in points:
        with trial() as killed:
            killed.dies(crash)
            end = killed.lived(killed.port.start(text))
            doubts += end.status == "in_doubt"
            before = len(WORLD.effects)
            assert end.status in ("succeeded", "in_doubt")
            assert end.status == "succeeded" or WORLD.effects[-1]["by"].rpartition("/")[2] not in ("b", "last"), "nothing follows a doubt"
            decision = "skip" if crash.when == "after" else "resend"
            outcome = killed.outcome(killed.lived(end, lambda decision=decision: decision))
            assert outcome["effects"] == wanted["effects"], (crash, before)
            assert outcome["status"] == "succeeded"
    assert doubts == 6  # before and after each of the three


def test_a_doubt_that_is_taken_for_a_failure_ends_the_run_after_its_finally(trial):
    with trial() as killed:
        killed.dies(Crash(2, "after"))
        end = killed.lived(killed.port.start(book(ONCE)), lambda: "fail")
        assert (end.status, end.steps["b"], end.steps["last"]) == ("failed", "pending", "succeeded")
        assert [effect.get("status", effect.get("n")) for effect in WORLD.effects] == [1, 2, "failed"]


CANCELLED = ("for_each", "sequence", "side by side", "wait")
"""Runbooks whose `finally` has one effect, the last of all."""


def assert_cancelled(ended: Trial, end: End, wanted: Any, told: object) -> None:
    """What was done before stays, nothing else is begun, and `finally` is done once."""
    outcome = ended.outcome(end)
    done = [effect for effect in outcome["effects"] if effect["by"] != "last"]
    assert outcome["status"] == "cancelled", told
    assert done == wanted["effects"][: len(done)], told
    assert len(outcome["effects"]) == len(done) + 1, told


@pytest.mark.parametrize("name", CANCELLED)
def test_cancelled_anywhere_it_ends_after_its_finally_even_over_a_crash(trial, name):
    text = book(BOOKS[name])
    wanted, points = undisturbed(trial, text)
    before_finally = [point for point in points if point.when != "asleep"][:-2]
    deaths = (None, "before", "after") if name == "sequence" else (None,)
    for point, death in itertools.product(before_finally, deaths):
        with trial() as asked:
            WORLD.befalls[point.number, point.when] = asked.port.cancel
            if death:
                asked.dies(Crash(point.number + 1, death))
            assert_cancelled(asked, asked.lived(asked.port.start(text)), wanted, (point, death))


@pytest.mark.parametrize("name", CANCELLED)
def test_cancelled_after_it_was_killed_only_its_finally_is_left(trial, name):
    text = book(BOOKS[name])
    wanted, points = undisturbed(trial, text)
    for point in points[1::2]:
        with trial() as killed:
            killed.dies(point)
            assert killed.port.start(text) is None
            before = len(WORLD.effects)
            end = killed.port.cancel()
            assert end is not None
            assert_cancelled(killed, end, wanted, point)
            assert len(WORLD.effects) <= before + 2, "what was under way is settled, and finally done"


FAILS_ONCE = """
    steps:
      - {id: a, uses: world.do, with: {n: 1}}
      - id: each
        for_each: [x, y, z]
        key: "{{ item }}"
        fail_fast: false
        block:
          - {id: looked, uses: world.ask}
          - {id: made, uses: world.do, with: {item: "{{ item }}"}}
          - {id: ready, if: item == "y", uses: world.ask, retry: {attempts: 1}, with: {ready: 60}}
          - {id: sent, uses: world.do, with: {sent: "{{ item }}"}}
      - {id: b, uses: world.do, with: {n: 2}}
    finally: [{id: rest, wait: 2m}, {id: last, uses: world.do, with: {status: "{{ run.status }}"}}]
"""


def test_a_run_that_failed_is_started_again_from_what_was_not_done(trial):
    with trial() as failed:
        end = failed.lived(failed.port.start(book(FAILS_ONCE)))
        assert (end.status, len(WORLD.effects)) == ("failed", 7)
        points = failed.points()
    for crash in [None, *points]:
        with trial() as failed:
            failed.lived(failed.port.start(book(FAILS_ONCE)))
            asked = WORLD.asked
            if crash is not None:
                failed.dies(Crash(crash.number + (failed.waits if crash.when == "asleep" else asked), crash.when))
            end = failed.lived(failed.port.again())
            assert end.status == "succeeded", crash
            assert failed.port.problems() == []
            had = [effect.get("sent", effect.get("item", effect.get("n", effect.get("status")))) for effect in WORLD.effects]
            assert had == [1, "x", "x", "y", "z", "z", "failed", "y", 2, "succeeded"], crash
