from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from steps.fields import text
from steps.opsgenie import shapes


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="ab,", max_size=3), max_size=4))
def test_comma_joined_takes_exactly_what_can_be_split_again(items):
    assert Draft7Validator(shapes.COMMA_JOINED).is_valid(items) == (items != [] and ",".join(items).split(",") == items and "" not in items)


def test_some_of_wants_one_field_at_least_and_no_other():
    validator = Draft7Validator(shapes.some_of(id=text(), name=text()))
    assert validator.is_valid({"id": "a"})
    assert validator.is_valid({"name": "a"})
    assert not validator.is_valid({})
    assert not validator.is_valid({"username": "a"})


def test_a_counterpart_is_told_in_full():
    assert shapes.jsm("PATCH /alerts/{id}/message") == "PATCH /jsm/ops/api/{cloudId}/v1/alerts/{id}/message"


@pytest.mark.parametrize("kind", ["all", "none", "user", "escalation", "schedule", "team", "group"])
def test_a_recipient_is_of_a_known_kind(kind):
    assert Draft7Validator(shapes.RECIPIENT).is_valid({"type": kind})
    assert not Draft7Validator(shapes.RECIPIENT).is_valid({"type": kind.upper()})


def test_a_whole_alert_holds_all_that_a_listed_one_does():
    assert shapes.LISTED_ALERT["properties"].items() <= shapes.ALERT["properties"].items()
