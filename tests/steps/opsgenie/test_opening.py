"""From settings to a connection: what is opened late, what is shared, and what is given back."""

from __future__ import annotations

import pytest

from engine.contracts import Surroundings
from engine.secret import Credential, Secret
from steps.exchange import Request, Response
from steps.opsgenie import opening
from steps.opsgenie.opening import LazyTransport, open_connection
from steps.transport import HttpTransport


class Transport:
    def __init__(self):
        self.closed = 0

    def send(self, request, *, timeout):
        return Response(200, {"sent": request.url, "timeout": str(timeout)}, b"")

    def close(self):
        self.closed += 1


def test_a_transport_is_made_at_the_first_send_and_once():
    made = []
    lazy = LazyTransport(lambda: made.append(Transport()) or made[-1])
    lazy.close()
    assert made == []
    for _ in range(2):
        assert lazy.send(Request("GET", "u"), timeout=3).headers == {"sent": "u", "timeout": "3"}
    lazy.close()
    assert [one.closed for one in made] == [1]


def test_threads_that_send_at_the_same_time_make_one(monkeypatch):
    made = []
    lazy = LazyTransport(lambda: made.append(Transport()) or made[-1])
    first = lazy._make_once()
    assert lazy._make_once() is first
    assert len(made) == 1


def test_certificates_and_proxy_come_from_the_settings(monkeypatch, tmp_path):
    given = {}
    monkeypatch.setattr(HttpTransport, "__init__", lambda self, **how: given.update(how))
    monkeypatch.setattr(HttpTransport, "send", lambda self, request, *, timeout: Response(200, {}, b""))
    monkeypatch.setattr(HttpTransport, "close", lambda self: None)
    secret = Credential("env:K", lambda reference: Secret("value-of-it", reference))
    surroundings = Surroundings(clock=None, credential=lambda _: secret)
    connection = open_connection("opsgenie", {"ca_file": "/ca.pem", "proxy": "http://p:1"}, surroundings)
    assert given == {}
    connection._service.transport.send(Request("GET", "https://x.example"), timeout=1)
    assert given == {"ca_file": "/ca.pem", "proxy": "http://p:1"}
    connection.close()


@pytest.mark.parametrize("faults", [None, "opsgenie.alert.list=http_503"])
def test_the_connections_of_a_run_share_its_emulator_and_have_keys_of_their_own(bench, say, faults):
    surroundings = Surroundings(clock=bench().clock, credential=None, emulate=True, emulator_faults=faults)
    services = [opening.open_service(name, {}, surroundings) for name in ("one", "two")]
    emulator = surroundings.shared["emulator"]
    assert len({key.value for key in emulator.keys}) == len(emulator.keys) == 4
    assert [key.kind for key in emulator.keys] == ["integration", "account"] * 2
    request = Request("GET", "http://emulator.invalid/v2/alerts", {"Authorization": f"GenieKey {emulator.keys[0].value}"})
    assert emulator.deliver(request).response.status == (503 if faults else 200)
    assert {service.region for service in services} == {None}
