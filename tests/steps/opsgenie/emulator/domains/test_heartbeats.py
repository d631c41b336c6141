from __future__ import annotations

import pytest

NIGHTLY = {"name": "nightly", "interval": 10, "intervalUnit": "minutes", "enabled": True}
SRE = {"teams": [{"name": "sre"}]}


@pytest.fixture
def heartbeat(client):
    """A client with one heartbeat, pinged at the start."""
    client.json("POST", "/v2/heartbeats", NIGHTLY, status=201)
    ping(client)
    return client


def ping(client, name="nightly", **how):
    return client.json("GET", f"/v2/heartbeats/{name}/ping", status=202, **how)


def shown(client, name="nightly"):
    return client.data(f"/v2/heartbeats/{name}")


def alerts(client):
    return [(one["message"], one["status"]) for one in client.data("/v2/alerts", sort="tinyId", order="asc")]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["nightly", "nobody"])
def test_a_ping_of_any_name_is_taken(heartbeat, method, name):
    answer = heartbeat.json(method, f"/v2/heartbeats/{name}/ping", status=202)
    assert answer["result"] == "PONG - Heartbeat received"


def test_a_new_heartbeat_shows_what_it_was_given_and_what_is_usual(made):
    client = made(state=SRE)
    created = client.json("POST", "/v2/heartbeats", NIGHTLY | {"ownerTeam": {"name": "sre"}}, status=201)["data"]
    usual = {"description": "", "alertMessage": "nightly is expired", "alertTags": [], "alertPriority": "P3", "expired": False}
    assert created == NIGHTLY | usual | {"ownerTeam": {"id": client.data("/v2/teams")[0]["id"], "name": "sre"}}
    assert shown(client, "NIGHTLY") == created
    assert client.data("/v2/heartbeats") == {"heartbeats": [created]}


def test_a_name_is_taken_once(heartbeat):
    assert "already one Heartbeat" in heartbeat.refused(409, "POST", "/v2/heartbeats", NIGHTLY | {"name": "Nightly"})["message"]


def test_a_teams_key_makes_heartbeats_of_its_team(made):
    client = made(state={"teams": [{"name": "sre"}, {"name": "dba"}]})
    body = NIGHTLY | {"ownerTeam": {"name": "dba"}}
    assert client.json("POST", "/v2/heartbeats", body, key="team", status=201)["data"]["ownerTeam"]["name"] == "sre"


def test_form(client):
    refused = client.refused(422, "POST", "/v2/heartbeats", NIGHTLY | {"interval": 0, "intervalUnit": "weeks"})
    assert sorted(refused["errors"]) == ["interval", "intervalUnit"]


@pytest.mark.parametrize(("unit", "seconds"), [("minutes", 60), ("hours", 3600), ("days", 86400)])
def test_it_expires_an_interval_after_its_last_ping(client, unit, seconds):
    client.json("POST", "/v2/heartbeats", NIGHTLY | {"interval": 2, "intervalUnit": unit}, status=201)
    ping(client)
    client.clock.sleep(2 * seconds - 1)
    assert shown(client)["expired"] is False
    client.clock.sleep(1)
    assert shown(client)["expired"] is True
    assert alerts(client) == [("nightly is expired", "open")]


def test_the_alert_is_the_one_that_was_asked_for(made):
    given = {"alertMessage": "No backup", "alertTags": ["backup"], "alertPriority": "P1", "ownerTeam": {"name": "sre"}}
    client = made(state=SRE | {"heartbeats": [NIGHTLY | given | {"lastPingTime": {"ago": "1h"}}]})
    (alert,) = client.data("/v2/alerts")
    assert (alert["message"], alert["tags"], alert["priority"]) == ("No backup", ["backup"], "P1")
    assert alert["teams"] == [{"id": client.data("/v2/teams")[0]["id"]}]
    assert alert["createdAt"] == "2026-03-01T11:10:00.000Z"


def test_a_ping_in_time_puts_it_off(heartbeat):
    for _ in range(3):
        heartbeat.clock.sleep(599)
        ping(heartbeat)
    assert shown(heartbeat)["expired"] is False
    assert shown(heartbeat)["lastPingTime"] == "2026-03-01T12:29:57.000Z"
    assert alerts(heartbeat) == []


def test_a_ping_closes_the_alert_and_the_next_expiry_opens_another(heartbeat):
    heartbeat.clock.sleep(3600)
    assert alerts(heartbeat) == [("nightly is expired", "open")]
    ping(heartbeat)
    assert shown(heartbeat)["expired"] is False
    assert alerts(heartbeat) == [("nightly is expired", "closed")]
    heartbeat.clock.sleep(600)
    assert alerts(heartbeat) == [("nightly is expired", "closed"), ("nightly is expired", "open")]


def test_one_that_stays_silent_opens_one_alert(heartbeat):
    heartbeat.clock.sleep(100_000)
    assert len(alerts(heartbeat)) == 1
    heartbeat.clock.sleep(100_000)
    assert len(alerts(heartbeat)) == 1


def test_an_alert_that_is_gone_keeps_no_ping_from_working(heartbeat):
    heartbeat.clock.sleep(600)
    (alert,) = heartbeat.data("/v2/alerts")
    heartbeat.done("DELETE", f"/v2/alerts/{alert['id']}")
    ping(heartbeat)
    assert shown(heartbeat)["expired"] is False


def test_one_that_was_never_pinged_does_not_expire(client):
    client.json("POST", "/v2/heartbeats", NIGHTLY, status=201)
    client.clock.sleep(100_000)
    assert shown(client)["expired"] is False
    assert "lastPingTime" not in shown(client)


def test_a_disabled_one_is_silent_and_has_its_whole_interval_when_it_is_enabled(heartbeat):
    answer = heartbeat.json("POST", "/v2/heartbeats/nightly/disable")
    assert answer["data"] == {"name": "nightly", "enabled": False, "expired": False}
    heartbeat.clock.sleep(100_000)
    assert alerts(heartbeat) == []
    assert heartbeat.json("POST", "/v2/heartbeats/nightly/enable")["data"]["enabled"] is True
    heartbeat.clock.sleep(599)
    assert shown(heartbeat)["expired"] is False
    heartbeat.clock.sleep(1)
    assert shown(heartbeat)["expired"] is True
    for _ in range(2):
        off = heartbeat.json("POST", "/v2/heartbeats/nightly/disable")["data"]
    assert off == {"name": "nightly", "enabled": False, "expired": False}
    heartbeat.json("POST", "/v2/heartbeats/nightly/enable")
    heartbeat.clock.sleep(600)
    assert alerts(heartbeat) == [("nightly is expired", "open")]


def test_an_update_changes_the_given_fields(made):
    client = made(state=SRE | {"heartbeats": [NIGHTLY | {"lastPingTime": {"ago": "9m"}}]})
    change = {"interval": 5, "alertPriority": "P2", "ownerTeam": {"name": "sre"}}
    assert client.json("PATCH", "/v2/heartbeats/nightly", change)["data"] == {"name": "nightly", "enabled": True, "expired": False}
    assert {name: shown(client)[name] for name in ("interval", "alertPriority", "intervalUnit")} == {
        "interval": 5,
        "alertPriority": "P2",
        "intervalUnit": "minutes",
    }
    assert shown(client)["ownerTeam"]["name"] == "sre"
    client.clock.sleep(300)
    assert shown(client)["expired"] is True


def test_delete(heartbeat):
    assert heartbeat.json("DELETE", "/v2/heartbeats/nightly")["result"] == "Deleted"
    for method, path in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/enable"), ("POST", "/disable")):
        body = {} if method in ("PATCH", "POST") else None
        assert heartbeat.send(method, f"/v2/heartbeats/nightly{path}", body).status == 404
    heartbeat.clock.sleep(100_000)
    assert alerts(heartbeat) == []


def test_a_heartbeat_key_is_for_heartbeats_only(made):
    client = made(state={"keys": [{"kind": "heartbeat"}], "heartbeats": [NIGHTLY]})
    assert client.data("/v2/heartbeats", key="heartbeat")["heartbeats"][0]["name"] == "nightly"
    ping(client, key="heartbeat")
    for path in ("/v2/alerts", "/v2/account", "/v2/teams"):
        assert client.send("GET", path, key="heartbeat").status == 403


def test_an_integration_key_that_may_not_configure_pings_and_no_more(made):
    client = made(state={"keys": [{"kind": "integration", "rights": ["read", "create_and_update"]}], "heartbeats": [NIGHTLY]})
    ping(client)
    assert client.refused(403, "GET", "/v2/heartbeats")["code"] == 40301


def test_people_ping_too_and_it_happens_in_the_order_of_the_times(made):
    deed = {"after": "25m", "do": "opsgenie.heartbeat.ping", "with": {"name": "nightly"}}
    client = made(state={"heartbeats": [NIGHTLY | {"lastPingTime": {"ago": "0s"}}], "during": [deed]})
    client.clock.sleep(3600)
    assert alerts(client) == [("nightly is expired", "closed"), ("nightly is expired", "open")]
    assert [one["createdAt"] for one in client.data("/v2/alerts", order="asc")] == ["2026-03-01T12:10:00.000Z", "2026-03-01T12:35:00.000Z"]


def test_a_journal_brings_them_back(made, tmp_path):
    path = tmp_path / "journal"
    first = made(journal=path)
    first.json("POST", "/v2/heartbeats", NIGHTLY, status=201)
    ping(first)
    first.clock.sleep(601)
    assert len(alerts(first)) == 1
    assert made(journal=path).emulator.snapshot() == first.emulator.snapshot()
