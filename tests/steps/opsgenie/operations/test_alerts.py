from __future__ import annotations

import pytest

from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.operations.alerts import ROWS


def test_exactly_four_operations_refuse_account_keys():
    refused = {name for name, row in OPERATIONS.items() if "account" not in row.keys}
    assert refused == {"opsgenie.alert.acknowledge", "opsgenie.alert.add_note", "opsgenie.alert.close", "opsgenie.alert.create"}


def test_writes_are_asynchronous_and_reads_are_not():
    assert {row.asynchronous for row in ROWS if row.effect == "write"} == {True}
    assert {row.asynchronous for row in ROWS if row.effect == "read"} == {False}


@pytest.mark.parametrize(
    ("field", "most"),
    [("message", 130), ("alias", 512), ("entity", 512), ("description", 15000)],
)
def test_create_knows_how_long_a_field_may_be(faults, field, most):
    assert faults("opsgenie.alert.create", **{"message": "m", field: "x" * most}) == set()
    assert faults("opsgenie.alert.create", **{"message": "m", field: "x" * (most + 1)}) == {f"{field} maxLength"}


@pytest.mark.parametrize(("field", "most"), [("tags", 20), ("actions", 10)])
def test_create_knows_how_many_a_list_may_hold(faults, field, most):
    assert faults("opsgenie.alert.create", message="m", **{field: ["x" * 50] * most}) == set()
    assert faults("opsgenie.alert.create", message="m", **{field: ["x" * 51]}) == {f"{field}.0 maxLength"}
    assert faults("opsgenie.alert.create", message="m", **{field: ["x"] * (most + 1)}) == {f"{field} maxItems"}


def test_create_needs_a_message_and_knows_its_fields(faults):
    assert faults("opsgenie.alert.create") == {"required"}
    assert faults("opsgenie.alert.create", message="m", mesage="m") == {"additionalProperties"}
    assert faults("opsgenie.alert.create", message="m", priority="critical") == {"priority enum"}


@pytest.mark.parametrize(
    "responder",
    [
        {"type": "team", "name": "dba"},
        {"type": "user", "username": "ana@example.com"},
        {"type": "escalation", "id": "e1"},
        {"type": "schedule", "name": "dba_schedule"},
        {"type": "all"},
    ],
)
def test_create_takes_every_kind_of_responder(faults, responder):
    assert faults("opsgenie.alert.create", message="m", responders=[responder], visibleTo=[responder]) == set()


def test_a_responder_needs_a_type(faults):
    assert faults("opsgenie.alert.create", message="m", responders=[{"name": "dba"}]) == {"responders.0 required"}


def test_an_owner_may_be_given_with_or_without_its_type(faults):
    for owner in ({"username": "ana@example.com"}, {"type": "user", "id": "u1"}):
        assert faults("opsgenie.alert.assign", identifier="a", owner=owner) == set()
    assert faults("opsgenie.alert.assign", identifier="a", owner={}) == {"owner minProperties"}
    assert faults("opsgenie.alert.assign", identifier="a", owner={"type": "team", "id": "t"}) == {"owner.type enum"}


@pytest.mark.parametrize(("name", "field"), [("remove_tags", "tags"), ("remove_details", "keys")])
def test_what_is_sent_comma_joined_may_hold_no_comma(faults, name, field):
    row = OPERATIONS[f"opsgenie.alert.{name}"]
    assert row.query[field]["x-style"] == "csv"
    assert faults(row.name, identifier="a", **{field: ["one", "two"]}) == set()
    assert faults(row.name, identifier="a", **{field: ["one,two"]}) == {f"{field}.0 pattern"}
    assert faults(row.name, identifier="a", **{field: []}) == {f"{field} minItems"}
    assert row.right == "create_and_update"


def test_an_alert_can_be_named_in_three_ways(faults):
    for kind in ("id", "alias", "tiny"):
        assert faults("opsgenie.alert.get", identifier="a", identifierType=kind) == set()
    assert faults("opsgenie.alert.get", identifier="a", identifierType="name") == {"identifierType enum"}


def test_a_list_takes_more_than_one_page(faults):
    assert faults("opsgenie.alert.list", query="status:open", limit=2500) == set()
    assert faults("opsgenie.alert.list", limit=0) == {"limit minimum"}


def test_an_identifier_is_one_part_of_the_path():
    assert OPERATIONS["opsgenie.alert.get"].url_path({"identifier": "a/b c"}) == "/v2/alerts/a%2Fb%20c"
