from __future__ import annotations

from steps.opsgenie.operations.roles import ROWS


def test_a_role_needs_a_name(faults):
    assert faults("opsgenie.role.create", name="on-call", extendedRole="user", grantedRights=["profile-edit"]) == set()
    assert faults("opsgenie.role.create", extendedRole="user") == {"required"}


def test_an_update_finds_the_role_by_id_or_name(faults):
    assert faults("opsgenie.role.update", identifier="on-call", identifierType="name", disallowedRights=[]) == set()
    assert faults("opsgenie.role.update", identifier="on-call", identifierType="alias") == {"identifierType enum"}


def test_a_lost_create_is_settled_by_reading_the_role():
    create = next(row for row in ROWS if row.name == "opsgenie.role.create")
    assert create.lookup == "opsgenie.role.get"
