from __future__ import annotations

import pytest

ANA = {"username": "ana@example.com", "fullName": "Ana", "role": {"name": "User"}}


@pytest.fixture
def ana(client):
    return client.json("POST", "/v2/users", ANA, status=201)["data"]["id"]


def test_a_user_is_found_by_id_and_name(client, ana):
    found = client.data(f"/v2/users/{ana}")
    assert (found["username"], found["role"]) == ("ana@example.com", {"id": "User", "name": "User"})
    assert client.data("/v2/users/ana@example.com")["id"] == ana
    assert client.data("/v2/users/ana%40example.com")["id"] == ana


def test_contacts_come_when_asked_for(client, ana):
    assert "userContacts" not in client.data(f"/v2/users/{ana}")
    contacts = client.data(f"/v2/users/{ana}", expand="contact")["userContacts"]
    assert [(one["contactMethod"], one["to"], one["enabled"]) for one in contacts] == [("email", "ana@example.com", True)]


def test_a_username_is_taken_once_in_any_case(client, ana):
    assert client.send("POST", "/v2/users", ANA | {"username": "ANA@example.com"}).status == 409
    client.json("POST", "/v2/users", ANA | {"username": "ben@example.com"}, status=201)
    assert client.send("PATCH", "/v2/users/ben@example.com", {"username": "ana@example.com"}).status == 409


def test_a_role_must_exist(client):
    assert client.send("POST", "/v2/users", ANA | {"role": {"name": "Pilot"}}).status == 422
    client.json("POST", "/v2/roles", {"name": "Pilot"}, status=201)
    client.json("POST", "/v2/users", ANA | {"role": {"name": "Pilot"}}, status=201)
    assert client.data("/v2/users/ana@example.com")["role"]["name"] == "Pilot"


@pytest.mark.parametrize(
    ("body", "field"), [({"username": "nobody"}, "username"), ({"username": "a@" + "b" * 99}, "username"), ({"fullName": ""}, "fullName")]
)
def test_a_bad_field_is_named(client, body, field):
    assert field in client.refused(422, "POST", "/v2/users", ANA | body)["errors"]


def test_update_changes_only_what_is_given(client, ana):
    assert client.json("PATCH", f"/v2/users/{ana}", {"role": {"name": "admin"}, "timeZone": "Europe/Berlin"})["result"] == "Updated"
    found = client.data(f"/v2/users/{ana}")
    assert (found["role"]["name"], found["timeZone"], found["fullName"]) == ("Admin", "Europe/Berlin", "Ana")


def test_delete_leaves_the_teams(client, ana):
    client.json("POST", "/v2/teams", {"name": "ops", "members": [{"user": {"username": "ana@example.com"}}]}, status=201)
    assert [one["name"] for one in client.data(f"/v2/users/{ana}/teams")] == ["ops"]
    client.json("DELETE", f"/v2/users/{ana}")
    assert client.send("DELETE", f"/v2/users/{ana}").status == 404
    assert client.data("/v2/teams/ops", identifierType="name")["members"] == []


def test_list(client, ana):
    client.json("POST", "/v2/users", ANA | {"username": "ben@example.com", "role": {"name": "Admin"}}, status=201)
    page = client.json("GET", "/v2/users", limit=1)
    assert (page["totalCount"], page["data"][0]["username"]) == (2, "ana@example.com")
    assert "offset=1" in page["paging"]["next"]
    assert [one["username"] for one in client.data("/v2/users", query="role: admin")] == ["ben@example.com"]
    assert [one["username"] for one in client.data("/v2/users", order="desc")] == ["ben@example.com", "ana@example.com"]


@pytest.mark.parametrize("what", ["escalations", "forwarding-rules", "schedules"])
def test_a_user_is_on_nothing_else(client, ana, what):
    assert client.data(f"/v2/users/{ana}/{what}") == []
    assert client.send("GET", f"/v2/users/nobody/{what}").status == 404


@pytest.mark.parametrize("kind", ["escalations", "schedules"])
def test_a_user_stands_in_what_the_state_says(made, kind):
    client = made(
        state={kind: [{"name": "nights", "users": ["ana@example.com", "ben@example.com"]}, {"name": "days", "users": ["ben@example.com"]}]}
    )
    held = {user: [one["name"] for one in client.data(f"/v2/users/{user}@example.com/{kind}")] for user in ("ana", "ben")}
    assert held == {"ana": ["nights"], "ben": ["nights", "days"]}


def test_a_user_may_take_a_free_name(client, ana):
    client.json("PATCH", f"/v2/users/{ana}", {"username": "anna@example.com"})
    assert client.data("/v2/users/anna@example.com")["id"] == ana
