from __future__ import annotations

import pytest


def opened(client, **fields):
    status = client.done("POST", "/v1/incidents/create", {"message": "down", "serviceId": "s", **fields})
    assert (status["isSuccess"], status["action"]) == (True, "Create")
    assert "alertId" not in status
    return status["incidentId"]


def test_an_incident_is_opened_read_and_closed(client):
    made = opened(client, priority="P1", tags=["t"], details={"k": "v"})
    found = client.data(f"/v1/incidents/{made}")
    assert (found["status"], found["priority"], found["tags"], found["extraProperties"]) == ("open", "P1", ["t"], {"k": "v"})
    assert client.data("/v1/incidents/1", identifierType="tiny")["id"] == made
    for _ in range(2):
        assert client.done("POST", f"/v1/incidents/{made}/close", {"note": "n"})["isSuccess"]
    assert client.data(f"/v1/incidents/{made}")["status"] == "closed"


def test_an_incident_needs_a_service(client):
    assert client.refused(422, "POST", "/v1/incidents/create", {"message": "m"})["errors"] == {"serviceId": "can not be empty"}


def test_where_there_are_services_it_must_be_one_of_them(made):
    client = made(state={"services": [{"name": "shop", "id": "s"}]})
    opened(client)
    status = client.done("POST", "/v1/incidents/create", {"message": "m", "serviceId": "other"})
    assert (status["isSuccess"], status["status"], status["incidentId"]) == (False, "Service does not exist", "")


def test_incidents_are_never_deduplicated(client):
    assert opened(client) != opened(client)


def test_a_list_needs_a_query(client):
    made = opened(client)
    assert "query" in client.refused(422, "GET", "/v1/incidents/")["errors"]
    assert [one["id"] for one in client.data("/v1/incidents", query="status: open AND message: down")] == [made]
    assert client.data("/v1/incidents/", query="status: closed") == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/incidents/nowhere/close"), ("DELETE", "/v1/incidents/nowhere")])
def test_an_incident_that_is_not_there_fails_later(client, method, path):
    status = client.done(method, path, {} if method == "POST" else None)
    assert (status["isSuccess"], status["status"], status["incidentId"]) == (False, "Incident does not exist", "")


def test_delete(client):
    made = opened(client)
    assert client.done("DELETE", f"/v1/incidents/{made}")["isSuccess"]
    assert client.send("GET", f"/v1/incidents/{made}").status == 404


def test_notes_are_read_newest_first(client):
    made = opened(client, note="first")
    client.done("POST", f"/v1/incidents/{made}/close", {"note": "second"})
    assert [one["note"] for one in client.data(f"/v1/incidents/{made}/notes")] == ["second", "first"]
    assert [one["note"] for one in client.data("/v1/incidents/1/notes", identifierType="tiny", order="asc")] == ["first", "second"]
    assert client.send("GET", "/v1/incidents/nowhere/notes").status == 404
