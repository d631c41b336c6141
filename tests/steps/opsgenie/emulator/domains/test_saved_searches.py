from __future__ import annotations

import pytest

SEARCH = {"name": "urgent", "query": "priority: P1", "owner": {"type": "user", "username": "ana@example.com"}}
BASE = "/v2/alerts/saved-searches"


@pytest.fixture
def saved(client):
    return client.json("POST", BASE, SEARCH, status=201)["data"]["id"]


def test_a_saved_search_is_kept_and_found_by_name(client, saved):
    found = client.data(f"{BASE}/urgent", identifierType="name")
    assert (found["id"], found["query"]) == (saved, "priority: P1")
    assert client.data(BASE) == [{"id": saved, "name": "urgent"}]


def test_a_saved_search_filters_alerts(client, saved):
    urgent = client.alert(priority="P1")
    client.alert(priority="P2")
    assert [one["id"] for one in client.data("/v2/alerts", searchIdentifier="urgent", searchIdentifierType="name")] == [urgent]
    assert client.data("/v2/alerts/count", searchIdentifier=saved) == {"count": 1}
    assert client.send("GET", "/v2/alerts", searchIdentifier="nowhere").status == 404


def test_a_name_is_taken_once(client, saved):
    assert client.send("POST", BASE, SEARCH | {"name": "URGENT"}).status == 409


def test_a_query_must_be_one(client):
    assert client.send("POST", BASE, SEARCH | {"query": "((("}).status == 422


def test_update_and_delete(client, saved):
    updated = client.json("PATCH", f"{BASE}/{saved}", SEARCH | {"query": "priority: P2"})
    assert updated["data"]["query"] == "priority: P2"
    client.json("DELETE", f"{BASE}/{saved}")
    assert client.send("GET", f"{BASE}/{saved}").status == 404
