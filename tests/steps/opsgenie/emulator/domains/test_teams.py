from __future__ import annotations

import pytest

STATE = {
    "users": [{"username": "ana@example.com"}, {"username": "ben@example.com"}],
    "teams": [{"name": "ops", "members": [{"username": "ana@example.com", "role": "admin"}]}, {"name": "db"}],
    "schedules": [{"name": "nights"}],
}


@pytest.fixture
def client(made):
    return made(state=STATE)


@pytest.fixture
def ops(client):
    return client.data("/v2/teams/ops", identifierType="name")["id"]


def members(client):
    return [(one["user"]["username"], one["role"]) for one in client.data("/v2/teams/ops", identifierType="name")["members"]]


def test_teams_are_listed_without_members(client):
    assert [sorted(one) for one in client.data("/v2/teams")] == [["description", "id", "name"]] * 2


def test_create(client):
    answer = client.json("POST", "/v2/teams", {"name": "web", "members": [{"user": {"username": "ben@example.com"}}]}, status=201)
    assert (answer["result"], answer["data"]["name"]) == ("Created", "web")
    assert client.data(f"/v2/teams/{answer['data']['id']}")["members"][0]["role"] == "user"
    assert client.send("POST", "/v2/teams", {"name": "x", "members": [{"user": {"username": "nobody"}}]}).status == 404


@pytest.mark.parametrize("name", ["ops", "OPS", "nights"])
def test_a_name_is_taken_once_by_teams_and_schedules(client, name):
    assert client.refused(409, "POST", "/v2/teams", {"name": name})["message"] == "There is already one Team with same name"


def test_update(client, ops):
    assert client.json("PATCH", f"/v2/teams/{ops}", {"description": "d", "members": []})["result"] == "Updated"
    assert members(client) == []
    assert client.send("PATCH", f"/v2/teams/{ops}", {"name": "db"}).status == 409


def test_members_come_and_go(client, ops):
    for role in ("user", "admin"):
        added = client.json("POST", f"/v2/teams/{ops}/members", {"user": {"username": "ben@example.com"}, "role": role})
        assert (added["result"], added["data"]["name"]) == ("Added", "ops")
    assert members(client) == [("ana@example.com", "admin"), ("ben@example.com", "admin")]
    assert client.json("DELETE", "/v2/teams/ops/members/ana@example.com", teamIdentifierType="name")["result"] == "Removed"
    assert members(client) == [("ben@example.com", "admin")]
    assert client.send("DELETE", f"/v2/teams/{ops}/members/ana@example.com").status == 404
    assert client.send("POST", f"/v2/teams/{ops}/members", {"user": {"username": "nobody"}}).status == 404


def test_logs(client, ops):
    client.json("PATCH", f"/v2/teams/{ops}", {"description": "d"})
    page = client.data(f"/v2/teams/{ops}/logs", limit=1)
    assert [one["log"] for one in page["logs"]] == ["Updated team"]
    rest = client.data(f"/v2/teams/{ops}/logs", offset=page["offset"])
    assert [one["log"] for one in rest["logs"]] == ["Created team"]
    assert client.data(f"/v2/teams/{ops}/logs", offset=rest["offset"]) == {"offset": "", "logs": []}


def test_delete(client, ops):
    client.json("DELETE", "/v2/teams/ops", identifierType="name")
    assert client.send("GET", f"/v2/teams/{ops}").status == 404


def test_a_team_key_sees_its_own_team_only(client, ops):
    assert client.data(f"/v2/teams/{ops}", key="team")["name"] == "ops"
    for path in ("/v2/teams/db?identifierType=name", "/v2/teams"):
        assert client.send("GET", path, key="team").status == 403
