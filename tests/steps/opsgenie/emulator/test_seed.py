from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from steps.opsgenie.emulator import STATE_SCHEMA


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
    assert client.data("/v1/incidents", query="status: resolved")[0]["impactedServices"] == ["s"]
    accepted = client.json("POST", "/v2/alerts", {"message": "m"}, status=202)
    client.clock.sleep(1)
    assert client.send("GET", f"/v2/alerts/requests/{accepted['requestId']}").status == 404


@pytest.mark.parametrize("name", ["alerts", "escalations", "incidents", "roles", "schedules", "services", "teams", "users"])
def test_the_emulator_starts_empty(client, name):
    assert client.emulator.snapshot()[name] == {}


def test_the_schema_stands_on_its_own():
    """It is put into other schemas, where a reference would lead elsewhere."""
    assert "$ref" not in str(STATE_SCHEMA)
