from __future__ import annotations

import pytest

BEN = {"type": "user", "username": "ben@example.com"}
OVERRIDE = {"alias": "leave", "user": BEN, "startDate": "2026-03-02T09:00:00+01:00", "endDate": "2026-03-03T09:00:00+01:00"}


@pytest.fixture
def client(made):
    people = [{"username": "ana@example.com"}, {"username": "ben@example.com"}]
    return made(state={"users": people, "schedules": [{"name": "duty", "users": ["ana@example.com"]}]})


@pytest.fixture
def duty(client):
    return f"/v2/schedules/{client.data('/v2/schedules')[0]['id']}/overrides"


def test_an_override_comes_changes_and_goes(client, duty):
    assert client.json("POST", duty, OVERRIDE, status=201)["data"] == {"alias": "leave"}
    found = client.data(f"{duty}/leave")
    assert (found["_parent"]["name"], found["user"]["username"], found["startDate"], found["rotations"]) == (
        "duty",
        "ben@example.com",
        "2026-03-02T08:00:00.000Z",
        [],
    )
    assert client.json("PUT", f"{duty}/leave", OVERRIDE | {"user": {"type": "none"}})["data"] == {"alias": "leave"}
    assert client.data("/v2/schedules/duty/overrides", scheduleIdentifierType="name")[0]["user"] == {"type": "none"}
    assert client.json("DELETE", f"{duty}/leave")["result"] == "Deleted"
    assert client.data(duty) == []
    assert client.send("GET", f"{duty}/leave").status == 404


def test_an_alias_is_made_when_none_is_given_and_taken_once(client, duty):
    plain = {name: value for name, value in OVERRIDE.items() if name != "alias"}
    aliases = [client.json("POST", duty, plain, status=201)["data"]["alias"] for _ in range(2)]
    assert len(set(aliases)) == 2
    client.json("POST", duty, OVERRIDE, status=201)
    assert client.send("POST", duty, OVERRIDE).status == 409


def test_form(client, duty):
    assert "endDate" in client.refused(422, "POST", duty, OVERRIDE | {"endDate": OVERRIDE["startDate"]})["errors"]
    assert "startDate" in client.refused(422, "POST", duty, OVERRIDE | {"startDate": "1200-01-01T00:00:00Z"})["errors"]
    assert client.send("POST", duty, OVERRIDE | {"rotations": [{"name": "nobody"}]}).status == 404
    assert client.send("POST", duty, OVERRIDE | {"user": {"type": "user", "username": "nobody"}}).status == 404


def test_it_may_concern_one_rotation_alone(client, duty):
    rotation = {
        "name": "second",
        "startDate": "2026-02-23T00:00:00Z",
        "type": "weekly",
        "participants": [{"type": "user", "username": "ana@example.com"}],
    }
    schedule = duty.removesuffix("/overrides")
    client.json("POST", f"{schedule}/rotations", rotation, status=201)
    client.json("POST", duty, OVERRIDE | {"rotations": [{"name": "second"}]}, status=201)
    asked = {"flat": "true", "date": "2026-03-02T12:00:00Z"}
    assert client.data(f"{schedule}/on-calls", **asked)["onCallRecipients"] == ["ana@example.com", "ben@example.com"]
