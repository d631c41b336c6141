"""A service that echoes keys, and a project whose configuration names it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.system.clock import RealClock
from steps.transport import HttpTransport
from tests.security.canaries import KEY, Echo


@pytest.fixture
def echoing():
    service = Echo()
    yield service
    service.close()


@pytest.fixture
def wires(monkeypatch):
    """Closes what a command leaves open until its process ends."""
    made, begin = [], HttpTransport.__init__
    monkeypatch.setattr(HttpTransport, "__init__", lambda self, **how: (made.append(self), begin(self, **how))[1])
    yield
    for transport in made:
        transport.close()


@pytest.fixture
def leaping(monkeypatch):
    """The clock that steps see leaps over every wait; sockets keep real time."""
    leapt = [0.0]
    now, monotonic = RealClock.now, RealClock.monotonic
    monkeypatch.setattr(RealClock, "now", lambda self: now(self) + timedelta(seconds=leapt[0]))
    monkeypatch.setattr(RealClock, "monotonic", lambda self: monotonic(self) + leapt[0])
    monkeypatch.setattr(RealClock, "sleep", lambda _self, seconds: leapt.__setitem__(0, leapt[0] + max(0.0, seconds)))


@pytest.fixture
def project(command, echoing, wires, leaping, monkeypatch):
    """The command line in a folder whose configuration names the echoing service and a key in the environment."""
    monkeypatch.setenv("CANARY", KEY)
    command.write("opsbook.yaml", f"""\
        connections:
          opsgenie:
            url: {echoing.url}
            keys: [{{kind: integration, secret: "env:CANARY"}}]
        http: {{allow: ["{echoing.url}"]}}
        """)  # fmt: skip
    return command
