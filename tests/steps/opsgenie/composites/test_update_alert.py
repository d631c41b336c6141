"""opsgenie.alert.update sends what differs, and nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st

from engine.errors import Refused, StepError
from steps.opsgenie.composites import COMPOSITES

UPDATE = COMPOSITES["opsgenie.alert.update"]
NAMES = st.text("abc", min_size=1, max_size=2)
WANTED = st.fixed_dictionaries(
    {},
    optional={
        "message": NAMES,
        "description": st.text("abc", max_size=2),
        "priority": st.sampled_from(["P1", "P3"]),
        "tags": st.lists(NAMES, max_size=4),
        "details": st.dictionaries(NAMES, NAMES, max_size=3),
    },
)


def test_only_what_differs_is_sent_to_the_id(run):
    outputs, sent = run(
        UPDATE, identifier="alias", identifierType="alias", message="m", priority="P1", tags=["y", "x"], details={"k": "w", "n": "1"}
    )
    assert sent == [
        ("alert.update_priority", {"identifier": "a1", "priority": "P1"}),
        ("alert.add_tags", {"identifier": "a1", "tags": ["y"]}),
        ("alert.add_details", {"identifier": "a1", "details": {"k": "w", "n": "1"}}),
    ]
    assert outputs == {
        "alertId": "a1",
        "changed": ["priority", "tags", "details"],
        "before": {"priority": "P3", "tags": ["x"], "details": {"k": "v"}},
        "after": {"priority": "P1", "tags": ["y", "x"], "details": {"k": "w", "n": "1"}},
    }


def test_what_is_not_listed_is_taken_off(run):
    _, sent = run(UPDATE, identifier="a1", tags=[], details={"n": "1"})
    assert sent == [
        ("alert.remove_tags", {"identifier": "a1", "tags": ["x"]}),
        ("alert.remove_details", {"identifier": "a1", "keys": ["k"]}),
        ("alert.add_details", {"identifier": "a1", "details": {"n": "1"}}),
    ]


@settings(max_examples=80, deadline=None)
@example(WANTED)
def test_twice_is_once(new_service, wanted):
    service, context = new_service()
    UPDATE.perform({"identifier": "a1", **wanted}, context)
    for name, value in wanted.items():
        assert service.alert[name] == value or (name == "tags" and set(service.alert[name]) == set(value))
    service.sent.clear()
    again = UPDATE.perform({"identifier": "a1", **wanted}, context)
    assert (service.sent, again["changed"], again["before"]) == ([], [], {})


def test_what_the_service_leaves_out_is_empty(run, service):
    del service.alert["description"], service.alert["tags"], service.alert["details"]
    assert run(UPDATE, identifier="a1", description="", tags=[], details={})[1] == []


def test_a_tag_with_a_comma_is_not_taken_for_two(run, service):
    service.alert["tags"] = ["a,b"]
    with pytest.raises(StepError) as caught:
        run(UPDATE, identifier="a1", tags=[])
    assert (caught.value.code, service.sent) == ("comma", [])


def test_a_missing_alert_is_refused(run):
    with pytest.raises(Refused) as caught:
        run(UPDATE, identifier="nowhere", message="x")
    assert caught.value.status == 404


def test_a_plan_shows_the_difference_where_it_can_be_known(run, service):
    outputs, sent = run(UPDATE, planning=True, identifier="a1", message="new", tags=["x"])
    assert (sent, outputs["changed"]) == ([("alert.update_message", {"identifier": "a1", "message": "new"})], ["message"])
    assert service.alert["message"] == "m"


def test_a_plan_takes_a_missing_alert_for_one_yet_to_be_made(run, service):
    _, sent = run(UPDATE, planning=True, identifier="later", identifierType="alias", message="m")
    assert [name for name, _ in sent] == ["alert.update_message"]


def test_a_plan_shows_all_where_it_cannot(plan_offline):
    _, sent = plan_offline(UPDATE, identifier="a1", message="m", description="d", priority="P1", tags=["x"], details={"k": "v"})
    assert {given["identifier"] for _, given in sent} == {"a1"}
    assert [name for name, _ in sent] == [
        "alert.update_message", "alert.update_description", "alert.update_priority",
        "alert.remove_tags", "alert.add_tags", "alert.remove_details", "alert.add_details",
    ]  # fmt: skip


def test_listing_is_what_every_call_needs():
    row = UPDATE.listing()
    assert row["keys"] == ["team", "integration", "account"]
    assert (row["right"], row["rate_limit_domain"], row["idempotency"]) == ("read+create_and_update", "alert", "repeatable")
    assert {need.right for need in UPDATE.needs} == {"read", "create_and_update"}


def test_on_the_emulator_twice_is_once(emulated):
    context = emulated({"alerts": [{"message": "m", "alias": "a", "tags": ["x", "y"], "details": {"k": "v", "l": "w"}}]})
    given = {
        "identifier": "a", "identifierType": "alias", "message": "n", "description": "d", "priority": "P1", "tags": ["y", "z"], "details": {"k": "u"},
    }  # fmt: skip
    first = UPDATE.perform(given, context)
    assert first["changed"] == ["message", "description", "priority", "tags", "details"]
    assert (first["before"]["tags"], first["before"]["description"]) == (["x", "y"], "")
    context.written.clear()
    assert UPDATE.perform(given, context) == {"alertId": first["alertId"], "changed": [], "before": {}, "after": {}}
    assert context.written == []
