from __future__ import annotations

import pytest

from engine.errors import Invalid
from steps.opsgenie.emulator import Emulator

ACK = {"after": "2m", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com", "with": {"note": "on it"}}


def test_a_person_acts_when_the_time_has_come(made):
    client = made(state={"during": [ACK]})
    first, newest = client.alert(), client.alert()
    client.clock.sleep(100)
    assert client.data(f"/v2/alerts/{newest}")["acknowledged"] is False
    client.clock.sleep(20)
    alert = client.data(f"/v2/alerts/{newest}")
    assert (alert["acknowledged"], alert["owner"], alert["report"]["acknowledgedBy"]) == (True, "ana@example.com", "ana@example.com")
    assert alert["updatedAt"] == "2026-03-01T12:02:00.000Z"
    assert client.data(f"/v2/alerts/{first}")["acknowledged"] is False
    assert [(one["note"], one["owner"]) for one in client.data(f"/v2/alerts/{newest}/notes")] == [("on it", "ana@example.com")]


def test_without_an_alert_nothing_happens(made):
    client = made(state={"during": [ACK]})
    client.clock.sleep(121)
    alert = client.alert()
    client.clock.sleep(600)
    assert client.data(f"/v2/alerts/{alert}")["acknowledged"] is False


def test_deeds_happen_in_the_order_of_their_times(made):
    state = {
        "alerts": [{"message": "m", "alias": "a"}],
        "during": [
            {"after": "1h", "do": "opsgenie.alert.add_note", "with": {"identifier": "1", "identifierType": "tiny", "note": "later"}},
            {"after": "90s", "do": "opsgenie.alert.add_note", "with": {"identifier": "a", "identifierType": "alias", "note": "soon"}},
            {"after": "90s", "do": "opsgenie.team.create", "with": {"name": "web"}},
            {"after": "91s", "do": "opsgenie.team.create", "with": {"name": "web"}},
        ],
    }
    client = made(state=state)
    client.clock.sleep(3600)
    assert [one["note"] for one in client.data("/v2/alerts/1/notes", identifierType="tiny", order="asc")] == ["soon", "later"]
    assert [one["name"] for one in client.data("/v2/teams")] == ["web"]


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"alert": []}, "alert"),
        ({"alerts": [{"message": "m"}, {"message": "m", "priority": "P9"}]}, "alerts[1].priority"),
        ({"alerts": [{"message": "m", "createdAt": "yesterday"}]}, "alerts[0].createdAt"),
        ({"alerts": [{"alias": "a"}]}, "alerts[0]"),
        ({"teams": [{"name": "ops"}, {"name": "OPS"}]}, "teams[1]"),
        ({"users": [{"username": "ana@example.com", "role": "Pilot"}]}, "users[0]"),
        ({"faults": [{"match": "*", "answer": "nope"}]}, "faults[0].answer"),
        ({"limits": {"alerts": [{"limit": 1, "periodInSeconds": 1}]}}, "limits"),
        ({"during": [ACK | {"after": "soon"}]}, "during[0].after"),
        ({"during": [ACK | {"do": "opsgenie.alert.ack"}]}, "during[0].do"),
        ({"during": [ACK | {"with": {"nota": "n"}}]}, "during[0].with"),
        ({"during": [{"after": "1m", "do": "opsgenie.alert.snooze"}]}, "during[0].with.endTime"),
    ],
)
def test_a_wrong_state_is_refused_with_its_path(clock, state, place):
    with pytest.raises(Invalid) as error:
        Emulator(clock=clock, state=state)
    assert f"emulator state, {place}:" in error.value.findings[0].message
