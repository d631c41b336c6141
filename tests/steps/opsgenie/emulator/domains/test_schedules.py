from __future__ import annotations

import pytest

ROTATION = {
    "name": "days",
    "startDate": "2026-03-02T09:10:00+01:00",
    "type": "daily",
    "participants": [{"type": "user", "username": "ana@example.com"}, {"type": "team", "name": "sre"}, {"type": "none"}],
}
WHOLE = {"name": "duty", "timezone": "Europe/Berlin", "ownerTeam": {"name": "sre"}, "rotations": [ROTATION]}
STATE = {
    "users": [{"username": "ana@example.com"}],
    "teams": [{"name": "sre", "members": [{"username": "ben@example.com"}]}, {"name": "dba"}],
}


@pytest.fixture
def client(made):
    return made(state=STATE)


@pytest.fixture
def duty(client):
    """Id of a schedule that is there."""
    return client.json("POST", "/v2/schedules", WHOLE, status=201)["data"]["id"]


def test_create_and_get(client, duty):
    found = client.data(f"/v2/schedules/{duty}")
    assert (found["name"], found["timezone"], found["enabled"], found["description"]) == ("duty", "Europe/Berlin", True, "")
    assert found["ownerTeam"]["name"] == "sre"
    (rotation,) = found["rotations"]
    assert [one.get("username") or one.get("name") for one in rotation["participants"]] == ["ana@example.com", "sre", None]
    assert (rotation["length"], rotation["type"]) == (1, "daily")
    assert client.data("/v2/schedules/duty", identifierType="name") == found
    assert client.send("GET", "/v2/schedules/nobody").status == 404


@pytest.mark.parametrize(
    ("given", "kept"),
    [("09:10:00", "08:00"), ("09:15:00", "08:30"), ("09:44:59", "08:30"), ("09:45:00", "09:00"), ("09:30:00", "08:30")],
)
def test_turns_begin_at_the_full_or_the_half_hour(client, given, kept):
    body = {"name": "x", "rotations": [ROTATION | {"startDate": f"2026-03-02T{given}+01:00"}]}
    made = client.json("POST", "/v2/schedules", body, status=201)["data"]["id"]
    assert client.data(f"/v2/schedules/{made}")["rotations"][0]["startDate"] == f"2026-03-02T{kept}:00.000Z"


@pytest.mark.parametrize(("name", "told"), [("sre", "Team"), ("SRE", "Team"), ("duty", "Schedule"), ("Duty", "Schedule")])
def test_a_name_is_taken_once_by_teams_and_schedules(client, duty, name, told):
    body = WHOLE | {"name": name}
    assert client.refused(409, "POST", "/v2/schedules", body)["message"] == f"There is already one {told} with same name"
    other = client.json("POST", "/v2/schedules", {"name": "other"}, status=201)["data"]["id"]
    assert client.send("PATCH", f"/v2/schedules/{other}", {"name": name}).status == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"rotations": []}, "rotations"),
        ({"rotations": [ROTATION | {"type": "yearly"}]}, "rotations[0].type"),
        ({"rotations": [ROTATION | {"endDate": "2026-03-01T00:00:00Z"}]}, "endDate"),
        ({"rotations": [ROTATION | {"startDate": "9999-01-01T00:00:00Z"}]}, "startDate"),
        ({"rotations": [ROTATION | {"length": 10**18}]}, "length"),
    ],
)
def test_form(client, change, field):
    assert field in client.refused(422, "POST", "/v2/schedules", WHOLE | change)["errors"]


@pytest.mark.parametrize("who", [{"type": "user", "username": "no"}, {"type": "team", "name": "no"}, {"type": "escalation", "id": "no"}])
def test_whoever_takes_turns_must_be_there(client, who):
    assert client.send("POST", "/v2/schedules", WHOLE | {"rotations": [ROTATION | {"participants": [who]}]}).status == 404


def test_lists_tell_rotations_when_asked(client, duty):
    assert [sorted(one) for one in client.data("/v2/schedules")] == [["description", "enabled", "id", "name", "ownerTeam", "timezone"]]
    assert len(client.data("/v2/schedules", expand="rotation")[0]["rotations"]) == 1


def test_update(client, duty):
    body = {"description": "d", "enabled": False, "rotations": []}
    answer = client.json("PATCH", "/v2/schedules/duty?identifierType=name", body)
    assert answer["data"] == {"id": duty, "name": "duty", "enabled": False}
    found = client.data(f"/v2/schedules/{duty}")
    assert (found["description"], found["rotations"], found["timezone"]) == ("d", [], "Europe/Berlin")


def test_delete(client, duty):
    assert client.json("DELETE", f"/v2/schedules/{duty}")["result"] == "Deleted"
    assert client.data("/v2/schedules") == []
    assert client.send("DELETE", f"/v2/schedules/{duty}").status == 404


def test_a_teams_key_reads_its_own_and_those_of_no_team(client, duty):
    client.json("POST", "/v2/schedules", WHOLE | {"name": "other", "ownerTeam": {"name": "dba"}}, status=201)
    client.json("POST", "/v2/schedules", {"name": "all"}, status=201)
    status = {name: client.send("GET", f"/v2/schedules/{name}?identifierType=name", key="team").status for name in ("duty", "other", "all")}
    assert status == {"duty": 200, "other": 403, "all": 200}
    made = client.json("POST", "/v2/schedules", {"name": "mine"}, key="team", status=201)["data"]["id"]
    assert client.data(f"/v2/schedules/{made}")["ownerTeam"]["name"] == "sre"


def periods(timeline):
    return [
        (one["startDate"][:16], one["endDate"][:16], one["recipient"]["name"], one["type"]) for one in timeline["rotations"][0]["periods"]
    ]


def test_the_timeline(client, duty):
    override = {
        "user": {"type": "user", "username": "ben@example.com"},
        "startDate": "2026-03-02T10:00:00Z",
        "endDate": "2026-03-02T12:00:00Z",
    }
    client.json("POST", f"/v2/schedules/{duty}/overrides", override, status=201)
    asked = {"interval": 2, "intervalUnit": "days", "date": "2026-03-02T08:00:00Z"}
    plain = client.data(f"/v2/schedules/{duty}/timeline", **asked)
    assert (plain["startDate"], plain["endDate"]) == ("2026-03-02T08:00:00.000Z", "2026-03-04T08:00:00.000Z")
    assert set(plain) == {"_parent", "startDate", "endDate", "finalTimeline"}
    assert periods(plain["finalTimeline"]) == [
        ("2026-03-02T08:00", "2026-03-02T10:00", "ana@example.com", "default"),
        ("2026-03-02T10:00", "2026-03-02T12:00", "ben@example.com", "override"),
        ("2026-03-02T12:00", "2026-03-03T08:00", "ana@example.com", "default"),
        ("2026-03-03T08:00", "2026-03-04T08:00", "sre", "default"),
    ]
    whole = client.data(f"/v2/schedules/{duty}/timeline", expand="base,override,forwarding", **asked)
    assert [row[2] for row in periods(whole["baseTimeline"])] == ["ana@example.com", "sre"]
    assert [row[2] for row in periods(whole["overrideTimeline"])] == ["ben@example.com"]
    assert periods(whole["forwardingTimeline"]) == []
    week = client.data(f"/v2/schedules/{duty}/timeline")
    assert (week["startDate"][:10], week["endDate"][:10]) == ("2026-03-01", "2026-03-08")
    assert "interval" in client.refused(422, "GET", f"/v2/schedules/{duty}/timeline?interval=500&intervalUnit=days")["errors"]


def test_the_file(client, duty):
    answer = client.send("GET", "/v2/schedules/duty.ics", identifierType="name")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"DTSTART:20260302T080000Z\r\nDTEND:20260303T080000Z\r\nSUMMARY:ana@example.com\r\n" in answer.body
    assert client.send("GET", "/v2/schedules/nobody.ics").status == 404
