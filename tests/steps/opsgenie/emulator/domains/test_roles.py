from __future__ import annotations

import pytest


@pytest.fixture
def pilot(client):
    return client.json("POST", "/v2/roles", {"name": "Pilot", "grantedRights": ["fly"]}, status=201)["data"]["id"]


def test_a_role_is_found_by_id_and_name(client, pilot):
    expected = {"id": pilot, "name": "Pilot", "extendedRole": "user", "grantedRights": ["fly"], "disallowedRights": []}
    assert client.data(f"/v2/roles/{pilot}") == expected
    assert client.data("/v2/roles/Pilot", identifierType="name") == expected
    assert client.data("/v2/roles") == [expected]
    assert client.send("GET", "/v2/roles/Pilot").status == 404


def test_a_name_is_taken_once(client, pilot):
    assert client.send("POST", "/v2/roles", {"name": "pilot"}).status == 409
    client.json("POST", "/v2/roles", {"name": "Crew"}, status=201)
    assert client.send("PUT", "/v2/roles/Crew", {"name": "Pilot"}, identifierType="name").status == 409


def test_update(client, pilot):
    client.json("PUT", f"/v2/roles/{pilot}", {"name": "Captain", "disallowedRights": ["sleep"]})
    assert client.data(f"/v2/roles/{pilot}")["disallowedRights"] == ["sleep"]


def test_a_role_in_use_stays(client, pilot):
    client.json("POST", "/v2/users", {"username": "a@b.c", "fullName": "A", "role": {"id": pilot}}, status=201)
    assert client.send("DELETE", f"/v2/roles/{pilot}").status == 428
    client.json("DELETE", "/v2/users/a@b.c")
    client.json("DELETE", f"/v2/roles/{pilot}")
    assert client.send("DELETE", f"/v2/roles/{pilot}").status == 404
