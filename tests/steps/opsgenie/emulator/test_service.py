from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from steps.exchange import Request
from steps.opsgenie.emulator import EmulatorTransport, Fault, service
from steps.opsgenie.operations import OPERATIONS

EXAMPLES = Path(__file__).parents[4].parent / "shared" / "opsgenie" / "examples"


def example(name):
    if not EXAMPLES.is_dir():
        pytest.skip("the vendor's examples are not here")
    return json.loads((EXAMPLES / f"{name}.json").read_text())["response"]


def same(given, expected, *, but=()):
    """Equal, apart from what differs with every answer."""
    return {name: value for name, value in given.items() if name not in (*but, "took", "requestId")} == {
        name: value for name, value in expected.items() if name not in (*but, "took", "requestId")
    }


@pytest.fixture
def peopled(made):
    return made(state={"teams": [{"name": "sre", "members": [{"username": "ana@example.com"}]}]})


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "key"),
    [
        ("doc-alert-create-accepted", "POST", "/v2/alerts", {"message": "m"}, "integration"),
        ("err-403-account-key", "POST", "/v2/alerts", {"message": "m"}, "account"),
        ("err-422-priority", "POST", "/v2/alerts", {"message": "m", "priority": "critical"}, "integration"),
        ("err-422-offset-window", "GET", "/v2/alerts?offset=20000&limit=100", None, "integration"),
        ("err-409-name-clash", "POST", "/v2/teams", {"name": "sre"}, "integration"),
        ("java-user-DeleteUser", "DELETE", "/v2/users/ana@example.com", None, "integration"),
        ("java-user-UpdateUser", "PATCH", "/v2/users/ana@example.com", {"fullName": "Ana"}, "integration"),
        ("java-team-DeleteTeam", "DELETE", "/v2/teams/sre?identifierType=name", None, "integration"),
    ],
)
def test_an_answer_is_that_of_the_example(peopled, name, method, path, body, key):
    expected = example(name)
    response = peopled.send(method, path, body, key=key)
    assert response.status == expected["status"]
    assert same(json.loads(response.body), expected["body"])


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("java-team-AddTeam", "POST", "/v2/teams", {"name": "web"}),
        ("java-team-GetTeam", "GET", "/v2/teams/sre?identifierType=name", None),
        ("java-team-AddTeamMember", "POST", "/v2/teams/sre/members?teamIdentifierType=name", {"user": {"username": "ana@example.com"}}),
        ("java-team-ListTeamLogs", "GET", "/v2/teams/sre/logs?identifierType=name", None),
        ("java-user-AddUser", "POST", "/v2/users", {"username": "b@example.com", "fullName": "B", "role": {"name": "user"}}),
    ],
)
def test_the_data_has_the_fields_of_the_example(peopled, name, method, path, body):
    expected = example(name)["body"]
    given = json.loads(peopled.send(method, path, body).body)
    assert set(given) == set(expected)
    assert set(given["data"]) == set(expected["data"])
    assert given.get("result") == expected.get("result")


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("rec-alert-create-status", "POST", "/v2/alerts", {"message": "m"}),
        ("rec-alert-close-missing-status", "POST", "/v2/alerts/nowhere/close", {}),
        ("doc-alert-request-status-ack-missing", "POST", "/v2/alerts/nowhere/acknowledge", {}),
        ("rec-incident-close-status", "POST", "/v1/incidents/nowhere/close", {}),
    ],
)
def test_a_request_status_is_that_of_the_example(client, name, method, path, body):
    expected = example(name)["body"]["data"]
    given = client.done(method, path, body)
    assert set(given) == set(expected)
    assert {one: given[one] for one in ("success", "isSuccess", "action")} == {
        one: expected[one] for one in ("success", "isSuccess", "action")
    }


def test_every_request_is_in_the_log(made):
    client, seen = made(faults=[Fault("GET /v2/account", "http_500")]), []
    client.emulator.watch = seen.append
    client.send("GET", "/v2/alerts", query="status: open")
    client.send("POST", "/v2/alerts", {"message": "m"}, key="account")
    client.send("GET", "/v2/account")
    for header in ({}, {"Authorization": "Basic x"}, {"Authorization": "GenieKey x"}, {"Authorization": f"GenieKey {uuid4()}"}):
        client.emulator.handle(Request("GET", "/v2/alerts", header))
    assert [(line.method, line.path, line.status, line.key_kind, line.authorization) for line in client.emulator.requests] == [
        ("GET", "/v2/alerts?query=status%3A+open", 200, "integration", "integration"),
        ("POST", "/v2/alerts", 403, "account", "account"),
        ("GET", "/v2/account", 500, None, "integration"),
        ("GET", "/v2/alerts", 401, None, "no key"),
        ("GET", "/v2/alerts", 401, None, "no key"),
        ("GET", "/v2/alerts", 422, None, "malformed key"),
        ("GET", "/v2/alerts", 401, None, "unknown key"),
    ]
    assert seen == client.emulator.requests


def test_the_log_does_not_grow_for_ever(made, monkeypatch):
    monkeypatch.setattr(service, "LOGGED", 3)
    client = made()
    for number in range(20):
        client.send("GET", f"/v2/alerts/{number}")
        assert len(client.emulator.requests) <= 6
        assert client.emulator.requests[-1].path == f"/v2/alerts/{number}"


def test_a_url_without_a_host_is_below_the_base_url(made):
    client = made(base_url="http://emulator.test")
    request = client.request("GET", "/v2/alerts")
    response = client.emulator.handle(Request("GET", "/v2/alerts", request.headers, None, "GenieKey "))
    assert json.loads(response.body)["paging"]["first"].startswith("http://emulator.test/v2/alerts?")


def test_the_transport_brings_the_same_answer(client):
    response = EmulatorTransport(client.emulator).send(client.request("GET", "/v2/alerts"), timeout=1)
    assert (response.status, json.loads(response.body)["data"]) == (200, [])


def test_a_snapshot_is_a_copy(client):
    client.alert()
    client.emulator.snapshot()["alerts"].clear()
    assert len(client.data("/v2/alerts")) == 1


def test_what_it_answers_is_what_the_rows_declare(made):
    state = {
        "teams": [{"name": "sre", "members": [{"username": "ana@example.com"}]}],
        "alerts": [{"message": "m", "teams": ["sre"], "tags": ["t"], "details": {"k": "v"}}],
        "incidents": [{"message": "m", "description": "d", "service": "shop", "responders": [{"type": "team", "name": "sre"}]}],
        **{kind: [{"name": "n", "users": ["ana@example.com"]}] for kind in ("escalations", "schedules")},
    }
    client = made(state=state)
    where = {"alert": client.data("/v2/alerts")[0]["id"], "incident": client.data("/v1/incidents", query="m")[0]["id"]}
    where |= {"user": "ana@example.com", "contact": "ana@example.com", "team": client.data("/v2/teams")[0]["id"]}
    where |= {"schedule": client.data("/v2/schedules")[0]["id"]}
    told = 0
    for row in OPERATIONS.values():
        kind = row.name.split(".")[1]
        if (
            row.method != "GET"
            or row.frame
            or set(row.path_names) - {"identifier"}
            or (row.path_names and (kind not in where or "saved" in row.name))
        ):
            continue
        query = {"query": "m"} if row.name == "opsgenie.incident.list" else {}
        data = client.data(row.path_template.format(identifier=where.get(kind)), **query, key="account")
        items = (data[row.listing.items] if row.listing.items else data) if row.listing else [data]
        assert [set(item) - row.data["properties"].keys() for item in items] == [set()] * len(items), row.name
        told += len(items)
    assert told >= 14
