"""A context that records calls, and can plan, lose answers and forget."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import AnswerLost
from engine.secret import Credential, Secret


class Placeholder:
    """What only a real run would know."""

    def __init__(self, name=""):
        self.name = name

    def __bool__(self):
        raise AssertionError("a placeholder was asked for its truth")

    __iter__ = __len__ = __bool__

    def __str__(self):
        return f"<{self.name}>"


class FixedClock:
    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


class RecordingContext:
    runbook, run, step, item, attempt, identity = "book", "r1", "s", None, 1, "book/r1/s"

    def __init__(self, folder, *, planning=False, settings=None, timeout=5.0, interrupted=0, store=None):
        self.store, self.credentials = store or {}, {}
        self.folder, self.planning, self.settings, self.timeout = folder, planning, settings or {}, timeout
        self.clock = FixedClock()
        self.interrupted = interrupted
        self.calls, self.said = [], []

    def credential(self, named):
        if named.name not in self.credentials:
            values = iter(self.store[named.name])
            self.credentials[named.name] = Credential(f"env:{named.name}", lambda known: Secret(next(values), known))
        return self.credentials[named.name]

    def connection(self):
        raise AssertionError("core steps use no connection")

    def call(self, call, send):
        self.calls.append(call)
        if self.interrupted:
            self.interrupted -= 1
            raise AnswerLost("stopped while it was under way")
        return None if self.planning and call.effect == "write" else send()

    def goes_on(self):
        return True

    def unknown(self, schema, name=""):
        assert self.planning
        return Placeholder(name)

    def log(self, message, level="info"):
        self.said.append((level, message))


@pytest.fixture
def placeholder():
    return Placeholder("steps.x.outputs.y")


@pytest.fixture
def new_context(tmp_path):
    return lambda **how: RecordingContext(tmp_path / "run", **how)


class KeptValues:
    """What a runbook keeps, in memory."""

    def __init__(self, values):
        self._values = {name: {"value": value, "set_at": "2026-01-01T00:00:00.000+00:00"} for name, value in values.items()}

    def get(self, name):
        return self._values.get(name)

    def set(self, name, value, at):
        self._values[name] = {"value": value, "set_at": at.isoformat(timespec="milliseconds")}
        return self._values[name]["set_at"]


@pytest.fixture
def kept():
    return KeptValues
