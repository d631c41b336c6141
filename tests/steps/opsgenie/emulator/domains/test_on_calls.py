from __future__ import annotations

import pytest

STATE = {
    "users": [{"username": "ana@example.com"}, {"username": "ben@example.com"}, {"username": "cat@example.com"}],
    "teams": [{"name": "sre", "members": [{"username": "cat@example.com"}]}, {"name": "dba"}],
    "escalations": [{"name": "up", "users": ["ben@example.com"]}],
    "schedules": [
        {
            "name": "duty",
            "timezone": "Europe/Berlin",
            "rotations": [
                {
                    "name": "primary",
                    "type": "daily",
                    "startDate": "2026-03-01T09:00:00+01:00",
                    "participants": ["ana@example.com", {"type": "team", "name": "sre"}],
                },
                {
                    "name": "secondary",
                    "startDate": "2026-02-23T09:00:00+01:00",
                    "participants": [{"type": "escalation", "name": "up"}, {"type": "none"}],
                },
            ],
        },
        {"name": "off", "enabled": False, "users": ["ana@example.com"]},
    ],
}


@pytest.fixture
def client(made):
    return made(state=STATE)


def on_call(client, **how):
    return client.data("/v2/schedules/duty/on-calls", scheduleIdentifierType="name", **how)


def test_participants_hold_those_they_stand_for(client):
    found = on_call(client)
    assert (found["_parent"]["name"], found["_parent"]["enabled"]) == ("duty", True)
    ana, up = found["onCallParticipants"]
    assert (ana["type"], ana["name"]) == ("user", "ana@example.com")
    assert (up["type"], up["name"]) == ("escalation", "up")
    assert [(one["name"], one["escalationTime"], one["notifyType"]) for one in up["onCallParticipants"]] == [
        ("ben@example.com", 0, "default")
    ]
    assert "onCallRecipients" not in found


def test_flat_names_the_users_alone(client):
    found = on_call(client, flat="true")
    assert found["onCallRecipients"] == ["ana@example.com", "ben@example.com"]
    assert "onCallParticipants" not in found
    assert on_call(client, flat="true", date="2026-03-02T12:00:00+01:00")["onCallRecipients"] == ["cat@example.com"]


def test_time_passes(client):
    client.clock.sleep(24 * 3600)
    assert on_call(client, flat="true")["onCallRecipients"] == ["cat@example.com"]


def test_the_list_holds_every_schedule_and_nobody_for_one_that_is_off(client):
    found = {one["_parent"]["name"]: one["onCallRecipients"] for one in client.data("/v2/schedules/on-calls", flat="true")}
    assert found == {"duty": ["ana@example.com", "ben@example.com"], "off": []}


def test_next(client):
    found = client.data("/v2/schedules/duty/next-on-calls", scheduleIdentifierType="name")
    assert [one["name"] for one in found["nextOnCallRecipients"]] == ["sre"]
    assert [one["name"] for one in found["exactNextOnCallRecipients"]] == ["sre"]
    flat = client.data("/v2/schedules/duty/next-on-calls", scheduleIdentifierType="name", flat="true", date="2026-03-04T12:00:00Z")
    assert flat["nextOnCallParticipants"] == ["ana@example.com", "ben@example.com"]
    assert flat["exactNextOnCallParticipants"] == ["ana@example.com"]


@pytest.mark.parametrize("date", ["yesterday", "2026-03-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_date_that_is_none_or_too_far_away(client, date):
    answer = client.send("GET", f"/v2/schedules/on-calls?date={date}")
    assert answer.status == (200 if date == "2026-03-01" else 422)


def test_a_users_own_file(client):
    body = client.send("GET", "/v2/schedules/on-calls/cat@example.com.ics").body.decode()
    assert body.startswith("BEGIN:VCALENDAR")
    assert "DTSTART:20260302T080000Z" in body
    assert set(line for line in body.splitlines() if line.startswith("SUMMARY")) == {"SUMMARY:duty"}
    assert client.send("GET", "/v2/schedules/on-calls/nobody.ics").status == 404


def test_the_domain_is_limited_on_its_own(made):
    client = made(state=STATE | {"limits": {"schedule-oncalls": [{"limit": 1, "periodInSeconds": 60}]}})
    on_call(client)
    assert client.send("GET", "/v2/schedules/on-calls").status == 429
    assert client.send("GET", "/v2/schedules").status == 200
