from __future__ import annotations

import pytest


def test_a_request_takes_effect_when_it_is_processed(client):
    accepted = client.json("POST", "/v2/alerts", {"message": "disk full", "alias": "a"}, status=202)
    where = f"/v2/alerts/requests/{accepted['requestId']}"
    early = client.send("GET", where)
    assert (early.status, early.headers["x-opsgenie-errortype"]) == (404, "RequestNotProcessed")
    assert client.send("GET", "/v2/alerts/a", identifierType="alias").status == 404
    client.clock.sleep(0.06)
    status = client.data(where)
    assert {name: status[name] for name in ("success", "isSuccess", "action", "status", "alias")} == {
        "success": True,
        "isSuccess": True,
        "action": "Create",
        "status": "Created alert",
        "alias": "a",
    }
    assert status["processedAt"] == "2026-03-01T12:00:00.060Z"
    assert client.data("/v2/alerts/a", identifierType="alias")["id"] == status["alertId"]


def test_a_request_nobody_made_is_a_final_404(client):
    response = client.send("GET", "/v2/alerts/requests/2a1c8a6e-0000-4000-8000-000000000000")
    assert response.status == 404
    assert "x-opsgenie-errortype" not in response.headers


def test_a_request_status_is_not_found_under_another_family(client):
    accepted = client.json("POST", "/v2/alerts", {"message": "m"}, status=202)
    client.clock.sleep(1)
    assert client.send("GET", f"/v1/incidents/requests/{accepted['requestId']}").status == 404


def test_an_alert_has_the_fields_it_was_made_with(client):
    given = {
        "description": "d",
        "tags": ["a", "b", "a"],
        "details": {"k": "v"},
        "entity": "e",
        "priority": "P1",
        "source": "s",
        "actions": ["ping"],
        "responders": [{"type": "team", "name": "ops"}],
        "note": "first",
    }
    alert = client.data(f"/v2/alerts/{client.alert(**given)}")
    assert alert["id"].endswith("-1772366400000")
    assert alert["alias"] == alert["id"]
    assert alert["tags"] == ["a", "b"]
    assert {name: alert[name] for name in ("description", "details", "entity", "priority", "source", "actions")} == {
        name: given[name] for name in ("description", "details", "entity", "priority", "source", "actions")
    }
    assert [one["type"] for one in alert["responders"]] == ["team"]
    assert [one["note"] for one in client.data(f"/v2/alerts/{alert['id']}/notes")] == ["first"]


def test_the_same_alias_counts_up_until_the_alert_is_closed(client):
    first = client.alert(alias="a")
    client.clock.sleep(60)
    assert client.alert(alias="a") == first
    alert = client.data(f"/v2/alerts/{first}")
    assert alert["count"] == 2
    assert alert["lastOccurredAt"] > alert["createdAt"]
    client.done("POST", f"/v2/alerts/{first}/close", {})
    second = client.alert(alias="a")
    assert second != first
    assert client.data("/v2/alerts/a", identifierType="alias")["id"] == second


def test_the_count_ends_at_a_hundred(made):
    client = made(state={"alerts": [{"message": "m", "alias": "a", "count": 99}]})
    for _ in range(3):
        client.alert(alias="a")
    assert client.data("/v2/alerts/a", identifierType="alias")["count"] == 100


@pytest.mark.parametrize("kind", ["id", "alias", "tiny"])
def test_an_alert_is_found_by_each_kind_of_identifier(client, kind):
    made = client.alert(alias="host/disk 1")
    name = {"id": made, "alias": "host%2Fdisk%201", "tiny": "1"}[kind]
    assert client.data(f"/v2/alerts/{name}", identifierType=kind)["id"] == made


def test_an_alias_finds_no_closed_alert(client):
    made = client.alert(alias="a")
    client.done("POST", f"/v2/alerts/{made}/close")
    assert client.send("GET", "/v2/alerts/a", identifierType="alias").status == 404
    assert client.data(f"/v2/alerts/{made}")["status"] == "closed"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "acknowledge", {"user": "ana"}, {"acknowledged": True, "owner": "ana"}),
        ("POST", "close", {}, {"status": "closed"}),
        ("POST", "assign", {"owner": {"username": "ana@example.com"}}, {"owner": "ana@example.com"}),
        ("POST", "tags", {"tags": ["b"]}, {"tags": ["a", "b"]}),
        ("DELETE", "tags?tags=a,x", None, {"tags": []}),
        ("POST", "details", {"details": {"l": "w"}}, {"details": {"k": "v", "l": "w"}}),
        ("DELETE", "details?keys=k", None, {"details": {}}),
        ("POST", "snooze", {"endTime": "2026-03-01T13:00:00Z"}, {"snoozed": True, "snoozedUntil": "2026-03-01T13:00:00.000Z"}),
        ("PUT", "message", {"message": "n"}, {"message": "n"}),
        ("PUT", "description", {"description": "n"}, {"description": "n"}),
        ("PUT", "priority", {"priority": "P2"}, {"priority": "P2"}),
    ],
)
def test_a_change_shows_is_logged_and_may_be_repeated(client, method, path, body, expected):
    made = client.alert(tags=["a"], details={"k": "v"})
    for _ in range(2):
        status = client.done(method, f"/v2/alerts/{made}/{path}", body)
        assert status["isSuccess"]
        assert status["alertId"] == made
    alert = client.data(f"/v2/alerts/{made}")
    assert {name: alert[name] for name in expected} == expected
    assert status["status"] in [line["log"] for line in client.data(f"/v2/alerts/{made}/logs")]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("escalate", {"escalation": {"name": "night"}}, "escalation"),
        ("responders", {"responder": {"type": "user", "username": "ana@example.com"}}, "user"),
        ("teams", {"team": {"name": "ops"}}, "team"),
    ],
)
def test_whoever_is_brought_to_an_alert_is_a_responder(client, path, body, kind):
    made = client.alert()
    assert client.done("POST", f"/v2/alerts/{made}/{path}", body)["isSuccess"]
    assert [one["type"] for one in client.data(f"/v2/alerts/{made}")["responders"]] == [kind]


def test_a_custom_action_is_logged(client):
    made = client.alert(actions=["restart"])
    assert client.done("POST", f"/v2/alerts/{made}/actions/restart", {})["action"] == "ExecuteAction"
    assert "restart" in client.data(f"/v2/alerts/{made}/logs")[0]["log"]


def test_unacknowledge_undoes_acknowledge(client):
    made = client.alert()
    client.done("POST", f"/v2/alerts/{made}/acknowledge", {})
    client.done("POST", f"/v2/alerts/{made}/unacknowledge", {})
    assert client.data(f"/v2/alerts/{made}")["acknowledged"] is False


def test_a_time_without_an_offset_is_utc(client):
    made = client.alert()
    client.done("POST", f"/v2/alerts/{made}/snooze", {"endTime": "2026-03-01T12:10:00.123456"})
    assert client.data(f"/v2/alerts/{made}")["snoozedUntil"] == "2026-03-01T12:10:00.123Z"


def test_a_snooze_ends_by_itself(client):
    made = client.alert()
    client.done("POST", f"/v2/alerts/{made}/snooze", {"endTime": "2026-03-01T12:10:00Z"})
    client.clock.sleep(601)
    alert = client.data(f"/v2/alerts/{made}")
    assert alert["snoozed"] is False
    assert "snoozedUntil" not in alert


def test_a_snooze_needs_two_seconds(client):
    made = client.alert()
    refused = client.refused(422, "POST", f"/v2/alerts/{made}/snooze", {"endTime": "2026-03-01T12:00:01Z"})
    assert list(refused["errors"]) == ["endTime"]


@pytest.mark.parametrize("verb", ["acknowledge", "close", "unacknowledge"])
def test_a_change_to_an_alert_that_is_not_there_is_accepted_and_then_fails(client, verb):
    status = client.done("POST", f"/v2/alerts/nowhere/{verb}", {})
    assert status | {"processedAt": "", "integrationId": ""} == {
        "success": False,
        "action": verb.capitalize(),
        "processedAt": "",
        "integrationId": "",
        "isSuccess": False,
        "status": "Alert does not exist",
        "alertId": "",
        "alias": "",
    }


def test_delete_takes_the_alert_away(client):
    made = client.alert()
    assert client.done("DELETE", f"/v2/alerts/{made}")["isSuccess"]
    assert client.send("GET", f"/v2/alerts/{made}").status == 404
    assert not client.done("DELETE", f"/v2/alerts/{made}")["isSuccess"]


def test_tags_beyond_twenty_are_dropped(client):
    made = client.alert(tags=[f"t{n}" for n in range(19)])
    client.done("POST", f"/v2/alerts/{made}/tags", {"tags": ["x", "y", "z"]})
    assert client.data(f"/v2/alerts/{made}")["tags"][18:] == ["t18", "x"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"message": "can not be empty"}),
        ({"message": "m", "priority": "critical"}, {"priority": "should be one of [ P1, P2, P3, P4, P5 ]"}),
        ({"message": "m" * 131}, {"message": "can not be longer than 130 characters"}),
        ({"message": "m", "responders": [{"type": "team"}]}, {"responders[0]": "id or name should be provided"}),
        ({"message": "m", "tags": ["t"] * 21}, {"tags": "can not have more than 20 items"}),
        ({"message": "m", "details": {"k": "v" * 8000}}, {"details": "can not be longer than 8000 characters in all"}),
        ({"message": 7}, {"message": "should be of type string"}),
    ],
)
def test_a_bad_field_is_named_at_once(client, body, errors):
    refused = client.refused(422, "POST", "/v2/alerts", body)
    assert refused["message"] == "Request body is not processable. Please check the errors."
    assert refused["errors"] == errors


def test_a_field_nobody_knows_is_passed_over(client):
    assert client.done("POST", "/v2/alerts", {"message": "m", "unheard": 1})["isSuccess"]


def test_a_team_key_sees_the_alerts_of_its_team_and_those_it_made(made):
    client = made(state={"teams": [{"name": "ops"}, {"name": "db"}]})
    ours = client.alert(responders=[{"type": "team", "name": "ops"}])
    theirs = client.alert(responders=[{"type": "team", "name": "db"}])
    own = client.done("POST", "/v2/alerts", {"message": "m"}, key="team")["alertId"]
    assert {one["id"] for one in client.data("/v2/alerts", key="team")} == {ours, own}
    assert client.send("GET", f"/v2/alerts/{theirs}", key="team").status == 404
    assert not client.done("POST", f"/v2/alerts/{theirs}/close", {}, key="team")["isSuccess"]


@pytest.mark.parametrize(("verb", "status"), [("acknowledge", "Alert is already closed"), ("unacknowledge", "Alert is not acknowledged")])
def test_a_closed_alert_stays_as_it_is(client, verb, status):
    made = client.alert()
    client.done("POST", f"/v2/alerts/{made}/close", {})
    told = client.done("POST", f"/v2/alerts/{made}/{verb}", {})
    assert (told["isSuccess"], told["status"]) == (True, status)
    alert = client.data(f"/v2/alerts/{made}")
    assert (alert["status"], alert["acknowledged"]) == ("closed", False)


def test_a_report_counts_milliseconds_from_the_creation(client):
    made = client.alert()
    client.clock.sleep(9.94)
    client.done("POST", f"/v2/alerts/{made}/acknowledge", {"user": "ana"})
    client.done("POST", f"/v2/alerts/{made}/close", {"user": "ben"})
    assert client.data(f"/v2/alerts/{made}")["report"] == {"ackTime": 10000, "acknowledgedBy": "ana", "closeTime": 10060, "closedBy": "ben"}
