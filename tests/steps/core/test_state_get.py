from __future__ import annotations

import pytest

from engine.errors import StepError
from steps.core.state_get import StateGet

STEP = StateGet()


@pytest.fixture
def context(new_context, kept):
    def made(values=None, **how):
        context = new_context(**how)
        context.values = kept(values or {})
        return context

    return made


def test_what_was_kept_is_given_with_its_time(context):
    found = STEP.perform({"name": "seen", "default": 0}, context({"seen": 7}))
    assert found == {"value": 7, "found": True, "set_at": "2026-01-01T00:00:00.000+00:00"}


def test_what_was_not_kept_is_the_default_or_null(context):
    assert STEP.perform({"name": "seen", "default": []}, context()) == {"value": [], "found": False, "set_at": None}
    assert STEP.perform({"name": "seen"}, context())["value"] is None
    assert STEP.perform({"name": "seen", "default": 1}, context({"seen": None}))["value"] is None


def test_it_is_one_journalled_read(context):
    there = context({"seen": 7})
    STEP.perform({"name": "seen"}, there)
    (call,) = there.calls
    assert (call.action, call.effect, call.detail) == ("core.state.get", "read", {"name": "seen"})


def test_what_does_not_fit_fails_and_is_not_shown(context):
    given = {"name": "seen", "schema": {"type": "integer"}}
    assert STEP.perform(given, context({"seen": 3}))["value"] == 3
    with pytest.raises(StepError, match=r"does not fit `schema` at \$: type") as caught:
        STEP.perform(given, context({"seen": "private"}))
    assert "private" not in str(caught.value)
    assert STEP.perform(given, context())["value"] is None


def test_a_default_that_does_not_fit_fails_too(context):
    given = {"name": "seen", "schema": {"type": "integer"}, "default": "none"}
    with pytest.raises(StepError, match=r"does not fit `schema` at \$: type") as caught:
        STEP.perform(given, context())
    assert "`default`" in caught.value.hint
    assert STEP.perform(given, context({"seen": 3}))["value"] == 3


@pytest.mark.parametrize("schema", [{"type": "word"}, {"$ref": "#/x"}])
def test_a_schema_that_is_none_is_refused(context, schema):
    with pytest.raises(StepError, match="the schema under `schema`"):
        STEP.perform({"name": "seen", "schema": schema}, context())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"name": "n"}, {}),
        ({"name": "n", "default": 1, "schema": {"type": "integer"}}, {"type": "integer"}),
        ({"name": "n", "schema": {"type": "integer"}}, {"type": ["integer", "null"]}),
        ({"name": "n", "schema": {"type": ["string", "integer"], "enum": ["a", 1]}}, {"type": ["string", "integer", "null"], "enum": ["a", 1, None]}),
        ({"name": "n", "schema": {"enum": ["a"]}}, {"enum": ["a", None]}),
        ({"name": "n", "schema": "{{ x }}"}, {}),
    ],
)  # fmt: skip
def test_the_value_is_typed_and_null_where_nothing_may_be_kept(written, value):
    assert STEP.outputs(written)["properties"]["value"] == value


def test_a_plan_reads(context):
    assert STEP.perform({"name": "seen"}, context({"seen": 7}, planning=True))["value"] == 7
