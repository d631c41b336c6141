"""Fake steps, and two ways to carry a runbook out: in memory over a virtual clock, or as the command line does it."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import textwrap
import threading
import types
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, settings

from engine import project, source
from engine.language import loader
from engine.catalog import Catalog
from engine.system.clock import VirtualClock
from engine.contracts import Call, Outcome, Reply
from engine.errors import InDoubt, StepError
from engine.execution.executor import Executor
from engine.audit.journal import Journal
from engine.system.tasks import drive, take_turns
from engine.state import LOG

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANYTHING = {"type": "object"}
settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)


def pytest_configure():
    """Signals as a shell leaves them, whatever started the tests: nohup and a background job ignore some, and so would every child."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class FakeStep:
    """A step made of a function of `with` and the context."""

    needs = ()

    def __init__(self, name, perform, inputs=ANYTHING, effect="read"):
        self.name, self._perform, self.inputs, self.effect = name, perform, inputs, effect
        self.summary = f"{name}, for tests."

    def outputs(self, written):
        return {"type": "object", "additionalProperties": {}}

    def listing(self):
        return {
            "name": self.name, "summary": self.summary, "method": None, "path": None, "effect": self.effect, "asynchronous": False, "keys": [],
            "right": None, "rate_limit_domain": None, "idempotency": "safe", "jsm": None,
        }  # fmt: skip

    def perform(self, given, context):
        return self._perform(given, context)


class FakeProvider:
    """Steps of the prefix `fake`; `seen` holds what each was given, in order."""

    settings_schema = {}
    notices = {}

    def __init__(self):
        self.seen, self.attempts, self.timeouts = [], [], []

    def forget(self):
        self.__init__()

    def steps(self):
        def say(given, context):
            self.seen.append(given.get("value"))
            self.timeouts.append(context.timeout)
            return dict(given)

        def fail(given, context):
            self.attempts.append((context.attempt, context.clock.now()))
            if len(self.attempts) > given.get("times", 10**6):
                return {"attempts": len(self.attempts)}
            raise StepError(
                given.get("message", "it broke"), code=given.get("code"), status=given.get("status"), again=given.get("again"),
                retry_after=given.get("retry_after"), hint=given.get("hint"),
            )  # fmt: skip

        def count(given, context):
            self.attempts.append((context.attempt, context.clock.now()))
            return {"n": len(self.attempts)}

        def doubt(given, context):
            raise InDoubt("whether it was done cannot be known")

        def write(given, context):
            def send():
                self.seen.append(given)
                return Reply(given)

            reply = context.call(Call("fake.write", "write", method="POST", url="https://fake.example/things", body=given), send)
            if reply is None:
                return {"id": context.unknown({"type": "string"}, "id")}
            return {"id": "made"}

        def boom(given, context):
            raise ZeroDivisionError("a fault of the step's own, holding s3cr3t-values")

        typed = {
            "type": "object",
            "required": ["n"],
            "properties": {"n": {"type": "integer"}, "colour": {"type": "string", "enum": ["red", "blue"]}, "note": {"type": "string"}},
            "additionalProperties": False,
        }
        made = [
            FakeStep("fake.boom", boom),
            FakeStep("fake.count", count),
            FakeStep("fake.doubt", doubt, effect="write"),
            FakeStep("fake.fail", fail),
            FakeStep("fake.say", say),
            FakeStep("fake.typed", say, typed),
            FakeStep("fake.write", write, effect="write"),
        ]
        return {step.name: step for step in made}

    def connect(self, name, settings, surroundings):
        return None

    def key_findings(self, settings, need):
        return None

    def commands(self):
        return ()


PROVIDER = FakeProvider()


@pytest.fixture
def fake(monkeypatch, tmp_path_factory):
    """The provider of `fake.*`, known to the whole application for this test."""
    package, module = types.ModuleType("opsbook_fake"), types.ModuleType("opsbook_fake.steps")
    package.__path__ = [str(tmp_path_factory.mktemp("fake"))]
    module.PROVIDER = PROVIDER
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(project.PROVIDERS, "fake", "opsbook_fake.steps:PROVIDER")
    PROVIDER.forget()
    return PROVIDER


class Context:
    """A step's context without a journal."""

    planning = False

    def __init__(self, backend, action):
        self.clock, self.attempt, self.timeout, self.item, self.step = (
            backend.clock,
            action.attempt,
            action.timeout,
            action.item,
            action.step,
        )
        self.log = lambda message, level="info": None

    def call(self, call, send):
        return send()


class MemoryBackend:
    """A backend without disk: a virtual clock, and everything it was told."""

    def __init__(self, find, chance=0.0):
        self.clock, self.find, self.chance = VirtualClock(START), find, chance
        self.told, self.actions = [], []

    def now(self):
        return self.clock.now()

    def random(self, key):
        return self.chance

    def begun(self, key):
        return False

    def wind_down(self):
        pass

    def shield(self):
        pass

    def heed(self):
        return False

    async def perform(self, action):
        self.actions.append(action)
        try:
            return Outcome(self.find(action.uses).perform(action.given, Context(self, action)))
        except StepError as error:
            return Outcome(None, error)

    async def moment(self, key):
        return self.clock.now()

    async def sleep_until(self, key, until):
        from engine.system.tasks import Sleep

        if until > self.clock.now():
            await Sleep(until)

    async def side_by_side(self, children, limit):
        return await take_turns(children, limit)

    def tell(self, event, key, **fields):
        self.told.append((event, key, fields))


class Carried:
    """A run in memory, and what it left."""

    def __init__(self, text, inputs, fake, chance):
        catalog = Catalog(project.PROVIDERS)
        runbook = loader.read(source.read(textwrap.dedent(text), "test.yaml"), catalog.find)
        self.backend = MemoryBackend(catalog.get, chance)
        facts = {"id": "run-1", "started_at": "2026-03-01T12:00:00.000Z", "trigger": "test"}
        executor = Executor(runbook, self.backend, catalog.get, inputs, facts)
        self.ending = drive(executor.run(), self.backend.clock.advance_to)
        self.seen, self.attempts = fake.seen, fake.attempts

    @property
    def status(self):
        return self.ending.status

    @property
    def error(self):
        return self.ending.error

    @property
    def outputs(self):
        return self.ending.outputs

    def step(self, name):
        return self.ending.steps[name]

    @property
    def statuses(self):
        return {name: state["status"] for name, state in self.ending.steps.items()}

    @property
    def elapsed(self):
        return (self.backend.clock.now() - START).total_seconds()


UNLIKE = frozenset({"seq", "time", "monotonic", "run", "prev", "hash"})
"""Fields in which two events of a kind always differ."""
FITTING = set()


@functools.cache
def _published():
    import jsonschema

    from engine.audit import events

    return jsonschema.Draft7Validator(events.schema())


@pytest.fixture(autouse=True)
def audited(monkeypatch):
    """Every event that any test writes to a run's audit log fits the published schema. One that read the same before does."""
    written, append = [], Journal.append

    def kept(journal, event, **fields):
        made = append(journal, event, **fields)
        written.extend([made] if journal.path.name == LOG and "boot" in made else [])
        return made

    monkeypatch.setattr(Journal, "append", kept)
    yield
    new = {json.dumps({name: value for name, value in event.items() if name not in UNLIKE}): event for event in written}
    fresh = [event for key, event in new.items() if key not in FITTING]
    problems = [f"{event['event']}: {problem.message}" for event in fresh for problem in _published().iter_errors(event)]
    assert problems == []
    FITTING.update(new)


class Ears(list):
    """A listener that keeps each event with its fields."""

    flushed = 0

    def __call__(self, event, fields):
        self.append((event, dict(fields)))

    def flush(self):
        self.flushed += 1


@pytest.fixture
def ears():
    return Ears()


HEAD = "apiVersion: runbook/v1\nname: test\n"


@pytest.fixture
def carry_out(fake):
    """Carries a runbook out in memory: the text of its steps (and whatever else), its inputs."""

    def carry_out(text, inputs=None, chance=0.0):
        fake.forget()
        return Carried(HEAD + textwrap.dedent(text), inputs or {}, fake, chance)

    return carry_out


@pytest.fixture
def emulators(monkeypatch):
    """Every embedded Opsgenie that is made during this test, in order; each knows what it was asked and what it holds."""
    import steps.opsgenie.emulator as package

    made = []

    class Kept(package.Emulator):
        def __init__(self, **how):
            super().__init__(**how)
            made.append(self)

        def writes(self):
            return [f"{line.method} {line.path}" for line in self.requests if line.method != "GET"]

        def alerts(self):
            return list(self.snapshot()["alerts"].values())

    monkeypatch.setattr(package, "Emulator", Kept)
    return made


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Carries out a command line in this process, in a folder and a state of its own; gives code, out, err."""
    from engine import config
    from engine.cli import call

    for name in list(os.environ):
        if name.startswith(("OPSBOOK_", "OTEL_")) or name in ("NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPSBOOK_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(config, "MACHINE_WIDE", tmp_path / "etc" / "opsbook.yaml")
    monkeypatch.chdir(tmp_path)
    return Command(tmp_path, capsys, call)


class Command:
    def __init__(self, folder, capsys, call):
        self.folder, self._capsys, self._call = folder, capsys, call

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    def runbook(self, text, name="book.yaml"):
        return self.write(name, HEAD + textwrap.dedent(text))

    def __call__(self, *arguments):
        self._capsys.readouterr()
        code = self._call([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return types.SimpleNamespace(code=code, out=captured.out, err=captured.err, both=captured.out + captured.err)


class Served:
    """An emulator as a server on this machine, on a clock of its own."""

    def __init__(self, emulator, url):
        self.emulator, self.url = emulator, url

    def key(self, kind, number=0):
        return [key for key in self.emulator.keys if key.kind == kind][number].value

    @property
    def requests(self):
        return [f"{line.method} {line.path.partition('?')[0]}" for line in self.emulator.requests]


@pytest.fixture
def served():
    """Serves an embedded Opsgenie of a state until the test is over."""
    from steps.opsgenie.emulator import Emulator
    from steps.opsgenie.emulator.server import serve

    servers = []

    def served(**state):
        server = serve(Emulator(clock=VirtualClock(START), state={"teams": [{"name": "dba"}], **state}))
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return Served(server.emulator, server.url)

    yield served
    for server, thread in servers:
        server.shutdown()
        thread.join()
