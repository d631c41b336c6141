from __future__ import annotations

from steps.opsgenie.operations.teams import ROWS


def test_a_team_needs_a_name(faults):
    members = [{"user": {"username": "ana@example.com"}, "role": "admin"}]
    assert faults("opsgenie.team.create", name="dba", members=members) == set()
    assert faults("opsgenie.team.create", members=members) == {"required"}


def test_a_member_needs_a_user(faults):
    assert faults("opsgenie.team.create", name="dba", members=[{"role": "admin"}]) == {"members.0 required"}
    assert faults("opsgenie.team.create", name="dba", members=[{"user": {}}]) == {"members.0.user minProperties"}


def test_a_team_key_works_on_its_own_team_only():
    allowed = {row.name for row in ROWS if "team" in row.keys}
    assert allowed == {"opsgenie.team.get", "opsgenie.team.list_logs", "opsgenie.team.update"}


def test_logs_lie_one_level_down():
    logs = next(row for row in ROWS if row.name == "opsgenie.team.list_logs")
    assert logs.listing is not None
    assert logs.listing.items == "logs"
    assert set(logs.outputs["properties"]["items"]["items"]["properties"]) == {"owner", "createdDate", "log"}
