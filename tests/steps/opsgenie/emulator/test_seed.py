from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from engine.cli.options import load_state
from engine.errors import Invalid
from steps.opsgenie.emulator import STATE_SCHEMA, Emulator


def test_the_schema_is_one():
    Draft7Validator.check_schema(STATE_SCHEMA)


def test_an_account_comes_to_life(made):
    client = made(
        state={
            "roles": [{"name": "Pilot"}],
            "users": [{"username": "ben@example.com", "role": "Pilot", "fullName": "Ben"}],
            "teams": [
                {
                    "name": "ops",
                    "description": "d",
                    "members": [{"username": "ana@example.com"}, {"username": "ben@example.com", "role": "admin"}],
                }
            ],
            "schedules": [{"name": "nights"}],
            "escalations": [{"name": "up", "team": "ops"}],
            "services": [{"name": "shop", "id": "s"}],
            "alerts": [
                {
                    "message": "old",
                    "alias": "a",
                    "createdAt": {"ago": "10d"},
                    "teams": ["ops"],
                    "acknowledged": True,
                    "owner": "ana@example.com",
                },
                {"message": "dated", "createdAt": "2026-02-01T00:00:00+01:00", "status": "closed", "tags": ["t"]},
            ],
            "incidents": [{"message": "down", "service": "shop", "status": "resolved"}],
            "processing": 2,
        }
    )
    old, dated = client.data("/v2/alerts", sort="tinyId", order="asc")
    assert (old["createdAt"], old["acknowledged"], old["owner"]) == ("2026-02-19T12:00:00.000Z", True, "ana@example.com")
    assert old["teams"] == [{"id": client.data("/v2/teams/ops", identifierType="name")["id"]}]
    assert (dated["createdAt"], dated["status"], dated["tags"]) == ("2026-01-31T23:00:00.000Z", "closed", ["t"])
    assert client.data("/v2/users/ben@example.com")["role"]["name"] == "Pilot"
    assert client.data("/v2/users/ana@example.com")["fullName"] == "ana"
    (incident,) = client.emulator.snapshot()["incidents"].values()
    assert [incident["fields"][name] for name in ("message", "status", "serviceId")] == ["down", "resolved", "s"]
    accepted = client.json("POST", "/v2/alerts", {"message": "m"}, status=202)
    client.clock.sleep(1)
    assert client.send("GET", f"/v2/alerts/requests/{accepted['requestId']}").status == 404


@pytest.mark.parametrize("name", ["alerts", "escalations", "incidents", "roles", "schedules", "services", "teams", "users"])
def test_the_emulator_starts_empty(client, name):
    assert client.emulator.snapshot()[name] == {}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("teams:\n  - {name: dba}\nuser: []\n", 3, "user: is not known here; known are account, alerts, during, "),
        ("teams:\n  - name: 7\n", 2, "teams[0].name: should be of type string"),
        ("processing: 1\nfaults:\n  - {match: '*', answer: nonsense}\n", 3, "faults[0].answer: There is no fault 'nonsense'."),
        (
            "during:\n  - after: 1m\n    do: opsgenie.alert.close\n    with: {colour: red}\n",
            4,
            "during[0].with: opsgenie.alert.close has no",
        ),
        ("teams:\n  - {name: a}\n  - {name: A}\n", 3, "teams[1]: There is already one Team"),
    ],
)
def test_what_is_wrong_in_a_file_is_shown_where_it_stands(clock, tmp_path, text, line, told):
    file = tmp_path / "state.yaml"
    file.write_text(text)
    with pytest.raises(Invalid) as caught:
        Emulator(clock=clock, state=load_state(str(file)))
    (finding,) = caught.value.findings
    assert (finding.place.file, finding.place.line, finding.source) == (str(file), line, text.splitlines()[line - 1])
    assert finding.message.startswith(f"emulator state, {told}")
    assert "STATE_SCHEMA" not in f"{finding.hint}{caught.value.hint}"


def test_the_schema_stands_on_its_own():
    """It is put into other schemas, where a reference would lead elsewhere."""
    assert "$ref" not in str(STATE_SCHEMA)


def test_the_state_that_the_documentation_shows(made):
    text = (Path(__file__).parents[4] / "docs" / "cli.md").read_text()
    shown = yaml.safe_load(text.split("what people do meanwhile:\n\n```yaml\n")[1].split("```")[0])
    client = made(state=shown)
    turns = {one["_parent"]["name"]: one["onCallRecipients"] for one in client.data("/v2/schedules/on-calls", flat="true")}
    assert turns == {"duty": ["ana@example.com"], "office": ["ben@example.com"]}
    assert client.data("/v2/heartbeats/backup")["lastPingTime"] == "2026-03-01T10:00:00.000Z"


def test_times_of_turns_may_be_told_from_now_and_teams_by_name(made):
    turns = {"startDate": {"ago": "2h"}, "endDate": {"in": "1h"}, "participants": [{"type": "team", "name": "ops"}]}
    state = {
        "teams": [{"name": "ops", "members": [{"username": "ana@example.com"}]}],
        "schedules": [{"name": "duty", "ownerTeam": "ops", "rotations": [turns]}],
    }
    client = made(state=state)
    asked = {"scheduleIdentifierType": "name", "flat": "true"}
    assert client.data("/v2/schedules/duty/on-calls", **asked)["onCallRecipients"] == ["ana@example.com"]
    assert client.data("/v2/schedules")[0]["ownerTeam"]["name"] == "ops"
    client.clock.sleep(3600)
    assert client.data("/v2/schedules/duty/on-calls", **asked)["onCallRecipients"] == []
