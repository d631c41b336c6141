from __future__ import annotations

import pytest

ANA = {"type": "user", "username": "ana@example.com"}
ROTATION = {"name": "days", "startDate": "2026-03-02T09:00:00Z", "type": "weekly", "participants": [ANA]}


@pytest.fixture
def client(made):
    return made(state={"users": [{"username": "ana@example.com"}], "schedules": [{"name": "duty"}]})


@pytest.fixture
def duty(client):
    return f"/v2/schedules/{client.data('/v2/schedules')[0]['id']}/rotations"


def test_a_rotation_comes_changes_and_goes(client, duty):
    created = client.json("POST", duty, ROTATION, status=201)
    assert (created["result"], created["data"]["name"]) == ("Created", "days")
    place = f"{duty}/{created['data']['id']}"
    assert client.data(place)["_parent"]["name"] == "duty"
    assert client.json("PATCH", place, {"length": 2, "endDate": "2026-05-01T00:00:00Z"})["result"] == "Updated"
    found = client.data(duty)[0]
    assert (found["length"], found["endDate"], found["type"]) == (2, "2026-05-01T00:00:00.000Z", "weekly")
    assert client.json("DELETE", place)["result"] == "Deleted"
    assert client.data(duty) == []
    for method in ("GET", "PATCH", "DELETE"):
        assert client.send(method, place, {} if method == "PATCH" else None).status == 404


def test_asked_twice_it_makes_two(client, duty):
    for _ in range(2):
        client.json("POST", duty, ROTATION, status=201)
    assert len(client.data("/v2/schedules/duty/rotations", scheduleIdentifierType="name")) == 2


def test_form(client, duty):
    assert client.refused(422, "POST", duty, {"participants": []})["errors"] == {
        "participants": "can not be empty",
        "startDate": "can not be empty",
        "type": "can not be empty",
    }
    place = f"{duty}/{client.json('POST', duty, ROTATION, status=201)['data']['id']}"
    assert "endDate" in client.refused(422, "PATCH", place, {"endDate": "2026-03-01T00:00:00Z"})["errors"]
