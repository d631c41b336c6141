"""A step's context with a journal in memory, a virtual clock, and transports that answer by a script or are an emulator."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.contracts import Call, Reply
from engine.errors import AnswerLost, StepError
from engine.secret import Credential, Secret
from steps.exchange import Request, Response
from steps.opsgenie.attempt import Service
from steps.opsgenie.buckets import Buckets
from steps.opsgenie.connection import Connection
from steps.opsgenie.emulator import Emulator, EmulatorTransport, Fault
from steps.opsgenie.keys import Key, KeyRing, least_privileged_first


class VirtualClock:
    def __init__(self) -> None:
        self.start = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class Stopped(BaseException):
    """The process ends here, as by kill -9."""


class FakeContext:
    """Journals calls as the engine does. `journal` outlives it: a second context over the same journal is a resumed run."""

    settings: Mapping[str, Any] = {}
    folder = Path()

    def __init__(
        self, connection: Connection, clock: VirtualClock, journal: dict[int, Any] | None = None, *, planning: bool = False
    ) -> None:
        self.opened = connection
        self.clock = clock
        self.journal = {} if journal is None else journal
        self.planning = planning
        self.runbook, self.run, self.step, self.item, self.attempt = "incident", "20261123T120000-1a2b3c4d", "create", None, 1
        self.identity = f"{self.runbook}/{self.run}/{self.step}"
        self.timeout = 30.0
        self.calls: list[Call] = []
        self.said: list[str] = []
        self.stop: Callable[[Call, str], None] = lambda _call, _moment: None

    def connection(self) -> Connection:
        return self.opened

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply | None:
        self.calls.append(call)
        if self.planning:
            return None
        number = len(self.calls)
        past = self.journal.get(number)
        if isinstance(past, Reply):
            return Reply(json.loads(json.dumps(past.value)), past.status, dict(past.headers))
        if isinstance(past, StepError):
            raise past
        if isinstance(past, datetime) and call.effect == "write":
            raise AnswerLost("an earlier process was stopped", since=past)
        self.journal[number] = self.clock.now()
        self.stop(call, "intent")
        try:
            reply = send()
        except StepError as error:
            if not isinstance(error, AnswerLost):
                self.journal[number] = error
            raise
        self.stop(call, "answer")
        self.journal[number] = reply
        return reply

    def goes_on(self):
        return True

    def unknown(self, schema: Any, name: str = "") -> Any:
        return {"unknown": name, "fields": sorted(schema.get("properties", {}))}

    def log(self, message: str, level: str = "info") -> None:
        self.said.append(f"{level}: {message}")


class ScriptedTransport:
    """Answers in turn; an exception is raised; a callable is asked."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.timeouts: list[float] = []

    def send(self, request: Request, *, timeout: float) -> Response:
        self.requests.append(request)
        self.timeouts.append(timeout)
        answer = self.answers.pop(0)
        if callable(answer) and not isinstance(answer, type):
            answer = answer(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        pass


def respond(status: int = 200, body: Any = None, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def accept(request_id: str = "r-1") -> Response:
    return respond(202, {"result": "Request will be processed", "took": 0.1, "requestId": request_id})


def processed(**data: Any) -> Response:
    return respond(200, {"data": {"success": True, "isSuccess": True, "status": "Done", **data}})


NOT_YET = respond(404, {"message": "Request not found"}, x_opsgenie_errortype="RequestNotProcessed")
KEYS = (Key("team", "env:TEAM"), Key("integration", "env:INTEGRATION"), Key("account", "env:ACCOUNT"))


class Bench:
    """A connection over a script."""

    def __init__(self, *answers: Any, keys: Sequence[Key] = KEYS, store: Mapping[str, str] | None = None) -> None:
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(answers)
        self.store = dict(store or {key.reference: f"value-of-{key.reference}" for key in keys})
        ring = KeyRing("opsgenie", least_privileged_first(keys), functools.cache(lambda reference: Credential(reference, self._read)))
        self.service = Service("opsgenie", "https://api.opsgenie.com", "us", ring, Buckets(), self.transport)
        self.connection = Connection(self.service)
        self.context = FakeContext(self.connection, self.clock)

    def _read(self, reference: str) -> Secret:
        return Secret(self.store[reference], reference)

    def perform(self, name: str, /, **given: Any) -> Any:
        from steps.opsgenie.operations import OPERATIONS

        return self.connection.perform(OPERATIONS[name], given, self.context)

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {request.url.removeprefix(self.service.base)}" for request in self.transport.requests]

    def body(self, index: int) -> Any:
        return json.loads(self.transport.requests[index].body or b"null")


class EmulatorBench:
    """A connection to an emulator, whose process can be stopped and resumed."""

    def __init__(self, *faults: Fault, state: Mapping[str, Any] | None = None) -> None:
        self.clock = VirtualClock()
        self.emulator = Emulator(clock=self.clock, state=state, faults=faults)
        keys = [Key(key.kind, f"emulator:{key.kind}") for key in self.emulator.keys]
        values = {f"emulator:{key.kind}": key.value for key in self.emulator.keys}
        ring = KeyRing(
            "opsgenie",
            least_privileged_first(keys),
            functools.cache(lambda reference: Credential(reference, lambda known: Secret(values[known], known))),
        )
        transport = EmulatorTransport(self.emulator)
        self.connection = Connection(Service("opsgenie", "http://emulator.invalid", None, ring, Buckets(), transport))
        self.journal: dict[int, Any] = {}
        self.context = FakeContext(self.connection, self.clock, self.journal)

    def resume(self) -> None:
        self.context = FakeContext(self.connection, self.clock, self.journal)

    def perform(self, name: str, /, **given: Any) -> Any:
        from steps.opsgenie.operations import OPERATIONS

        return self.connection.perform(OPERATIONS[name], given, self.context)

    def apart(self, name: str, /, **given: Any) -> Any:
        """The same as another step of another run would do it."""
        from steps.opsgenie.operations import OPERATIONS

        context = FakeContext(self.connection, self.clock)
        context.identity = f"other/run/step{self.clock.passed}"
        return self.connection.perform(OPERATIONS[name], given, context)

    def alerts(self) -> list[Any]:
        self.clock.passed += 1
        return self.apart("opsgenie.alert.list")["items"]


@pytest.fixture
def bench() -> type[Bench]:
    return Bench


@pytest.fixture
def emulated() -> type[EmulatorBench]:
    return EmulatorBench


@pytest.fixture
def say() -> SimpleNamespace:
    """Words for scripts."""
    return SimpleNamespace(respond=respond, accept=accept, processed=processed, NOT_YET=NOT_YET, Stopped=Stopped, Context=FakeContext)
