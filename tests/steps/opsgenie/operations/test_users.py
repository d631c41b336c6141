from __future__ import annotations

import pytest

from steps.opsgenie.operations import OPERATIONS

USER = {"username": "ana@example.com", "fullName": "Ana", "role": {"name": "user"}}


def test_a_user_needs_a_name_and_a_role(faults):
    assert faults("opsgenie.user.create", **USER) == set()
    for field in USER:
        assert faults("opsgenie.user.create", **{key: value for key, value in USER.items() if key != field}) == {"required"}
    assert faults("opsgenie.user.create", **USER | {"role": {}}) == {"role minProperties"}


@pytest.mark.parametrize(("field", "most"), [("username", 100), ("fullName", 512)])
def test_names_are_as_long_as_the_vendor_says(faults, field, most):
    assert faults("opsgenie.user.create", **USER | {field: "x" * most}) == set()
    assert faults("opsgenie.user.create", **USER | {field: "x" * (most + 1)}) == {f"{field} maxLength"}


def test_an_update_takes_one_field_alone(faults):
    assert faults("opsgenie.user.update", identifier="ana@example.com", role={"name": "admin"}) == set()


def test_details_hold_several_values_a_key(faults):
    assert faults("opsgenie.user.create", **USER, details={"desk": ["4", "5"]}) == set()
    assert faults("opsgenie.user.create", **USER, details={"desk": "4"}) == {"details.desk type"}


def test_users_belong_to_the_account_and_not_to_a_team():
    users = [row for name, row in OPERATIONS.items() if name.startswith("opsgenie.user.")]
    assert {row.keys for row in users} == {("integration", "account")}
    assert {row.rights[1:] for row in users} == {("configuration_access",)}


def test_contacts_come_when_asked_for(faults):
    assert faults("opsgenie.user.get", identifier="u", expand=["contact"]) == set()
    assert OPERATIONS["opsgenie.user.get"].query["expand"]["x-style"] == "csv"
