"""A virtual clock, and an emulator with a client of few words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from engine.secret import Secret
from steps.exchange import Request, Response
from steps.opsgenie.emulator import Emulator


class VirtualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Client:
    """Calls an emulator and reads JSON."""

    def __init__(self, clock: VirtualClock, **made_with: Any) -> None:
        self.clock = clock
        self.emulator = Emulator(clock=clock, **made_with)

    def request(self, method: str, path: str, body: Any = None, *, key: str = "integration", **query: Any) -> Request:
        value = next(one.value for one in self.emulator.keys if one.kind == key)
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": Secret(value, "env:KEY"), "Content-Type": "application/json"}
        return Request(method, f"https://api.example.com{target}", headers, content, "GenieKey ")

    def send(self, method: str, path: str, body: Any = None, **how: Any) -> Response:
        return self.emulator.handle(self.request(method, path, body, **how))

    def json(self, method: str, path: str, body: Any = None, *, status: int = 200, **how: Any) -> Any:
        response = self.send(method, path, body, **how)
        assert response.status == status, response.body
        return json.loads(response.body)

    def data(self, path: str, **how: Any) -> Any:
        return self.json("GET", path, **how)["data"]

    def refused(self, status: int, method: str, path: str, body: Any = None, **how: Any) -> Any:
        return self.json(method, path, body, status=status, **how)

    def done(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """Sends an asynchronous write, waits, and reads its request status."""
        accepted = self.json(method, path, body, status=202, **how)
        assert accepted["result"] == "Request will be processed"
        self.clock.sleep(0.06)
        family = "/".join(path.split("/")[:3])
        return self.data(f"{family}/requests/{accepted['requestId']}")

    def alert(self, **fields: Any) -> str:
        """Makes an alert and returns its id."""
        status = self.done("POST", "/v2/alerts", {"message": "disk full", **fields})
        assert status["isSuccess"]
        return str(status["alertId"])


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def client(clock: VirtualClock) -> Client:
    return Client(clock)


@pytest.fixture
def made(clock: VirtualClock):
    """Makes a client of an emulator with given arguments."""
    return lambda **made_with: Client(clock, **made_with)


@pytest.fixture(scope="session")
def fresh():
    """Makes a client with a clock of its own unless given one."""
    return lambda clock=None, **made_with: Client(clock or VirtualClock(), **made_with)
