from __future__ import annotations

import pytest

BASE = "/v2/users/ana@example.com/contacts"


@pytest.fixture
def client(made):
    return made(state={"users": [{"username": "ana@example.com"}]})


@pytest.fixture
def phone(client):
    return client.json("POST", BASE, {"method": "sms", "to": "1-5550100"}, status=201)["data"]["id"]


def test_a_contact_is_added_after_the_mail_address(client, phone):
    assert [(one["method"], one["applyOrder"]) for one in client.data(BASE)] == [("email", 0), ("sms", 1)]
    assert client.data(f"{BASE}/{phone}") == {
        "id": phone,
        "method": "sms",
        "to": "1-5550100",
        "status": {"enabled": True, "disabledReason": ""},
    }


def test_the_same_contact_twice_clashes(client, phone):
    assert client.send("POST", BASE, {"method": "sms", "to": "1-5550100"}).status == 409


def test_enable_and_disable_may_be_repeated(client, phone):
    for verb, enabled in [("disable", False), ("disable", False), ("enable", True)]:
        client.json("POST", f"{BASE}/{phone}/{verb}")
        assert client.data(f"{BASE}/{phone}")["status"]["enabled"] is enabled


def test_update_and_delete(client, phone):
    client.json("PATCH", f"{BASE}/{phone}", {"to": "1-5550101"})
    assert client.data(f"{BASE}/{phone}")["to"] == "1-5550101"
    client.json("DELETE", f"{BASE}/{phone}")
    assert client.send("DELETE", f"{BASE}/{phone}").status == 404


def test_a_bad_method_is_named(client):
    assert "method" in client.refused(422, "POST", BASE, {"method": "pigeon", "to": "x"})["errors"]
