from __future__ import annotations

import pytest

from steps.exchange import Request
from steps.opsgenie.emulator import Emulator, EmulatorKey
from steps.opsgenie.emulator.keys import made_key

UNKNOWN = "GenieKey 00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("header", "status", "message"),
    [
        (None, 401, "Could not authenticate"),
        ("Bearer 1234", 401, "Could not authenticate"),
        (UNKNOWN, 401, "Could not authenticate"),
        ("GenieKey abc", 422, "Key format is not valid!"),
        ("GenieKey ", 422, "Key format is not valid!"),
    ],
)
def test_a_key_must_be_there_well_formed_and_known(client, header, status, message):
    headers = {} if header is None else {"authorization": header}
    response = client.emulator.handle(Request("GET", "/v2/alerts", headers))
    assert response.status == status
    assert message.encode() in response.body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v2/alerts"), ("POST", "/v2/alerts/1/acknowledge"), ("POST", "/v2/alerts/1/close"), ("POST", "/v2/alerts/1/notes")],
)
def test_four_calls_want_an_integration_key(client, method, path):
    refused = client.refused(403, method, path, {"message": "m", "note": "n"}, key="account")
    assert (refused["code"], refused["message"]) == (40301, "To perform this action, use an API key from an API integration.")


def test_an_account_key_may_do_the_rest(client):
    alert = client.alert()
    assert client.data(f"/v2/alerts/{alert}", key="account")["id"] == alert
    assert client.done("POST", f"/v2/alerts/{alert}/tags", {"tags": ["t"]}, key="account")["isSuccess"]


@pytest.mark.parametrize(
    ("rights", "method", "path", "wanted"),
    [
        (("create_and_update",), "GET", "/v2/alerts", "read"),
        (("read",), "POST", "/v2/alerts", "write"),
        (("read", "create_and_update"), "DELETE", "/v2/alerts/1", "delete"),
        (("read", "create_and_update"), "GET", "/v2/teams", "configuration"),
        (("read", "create_and_update"), "GET", "/v1/incidents/", "configuration"),
        (("read", "create_and_update"), "GET", "/v2/account", "configuration"),
    ],
)
def test_a_right_that_lacks_is_named(made, rights, method, path, wanted):
    client = made(keys=[made_key("integration", rights=rights)])
    refused = client.refused(403, method, path, {"message": "m"} if method == "POST" else None)
    assert (refused["code"], refused["message"]) == (40301, f"API Key is not granted with {wanted} access.")


def test_an_account_key_asks_for_incidents_without_the_right_to_configure(made):
    client = made(keys=[made_key("account", rights=("read",))])
    assert client.data("/v1/incidents/", key="account", query="status:open") == []
    client.refused(403, "GET", "/v2/heartbeats/x/ping", key="account")


def test_an_integration_key_pings_without_the_right_to_configure(made):
    assert made(keys=[made_key("integration", rights=("read",))]).send("GET", "/v2/heartbeats/x/ping").status == 202


def test_a_heartbeat_key_pings_and_reads_no_alerts(made):
    client = made(keys=[made_key("heartbeat")])
    assert client.send("POST", "/v2/heartbeats/x/ping", key="heartbeat").status == 202
    assert client.send("GET", "/v2/alerts", key="heartbeat").status == 403


def test_keys_are_the_same_every_time_and_all_different(clock):
    first, second = Emulator(clock=clock).keys, Emulator(clock=clock).keys
    assert first == second
    assert [key.kind for key in first] == ["account", "integration", "team"]
    assert len({key.value for key in first}) == 3


def test_keys_of_the_state(made):
    state = {
        "teams": [{"name": "ops"}],
        "keys": [{"kind": "team", "team": "db"}, {"kind": "team"}, {"kind": "integration", "rights": ["read"]}],
    }
    keys = made(state=state).emulator.keys
    assert [(key.kind, key.team, key.rights[:2]) for key in keys] == [
        ("team", "db", ("read", "create_and_update")),
        ("team", "ops", ("read", "create_and_update")),
        ("integration", None, ("read",)),
    ]
    assert all(isinstance(key, EmulatorKey) for key in keys)
    assert len({key.value for key in keys}) == 3
