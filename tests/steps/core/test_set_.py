"""core.set gives its fields back, typed by what is written."""

from __future__ import annotations

from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from steps.core import STEPS

SET = STEPS["core.set"]
TEXTS = st.text(st.characters(exclude_characters="{"), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def test_fields_become_outputs(new_context):
    assert SET.perform({"a": 1, "b": [2]}, new_context()) == {"a": 1, "b": [2]}


@settings(max_examples=60, deadline=None)
@example(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_a_literal_meets_its_own_schema(written):
    schema = SET.outputs(written)
    Draft7Validator.check_schema(schema)
    assert Draft7Validator(schema).is_valid(written)


def test_schema_tells_types_apart_and_leaves_templates_open():
    fields = SET.outputs({"n": 1, "t": "x", "any": "{{ inputs.a }}", "list": ["a", "b"], "flag": True})["properties"]
    assert fields == {
        "n": {"type": "integer"},
        "t": {"type": "string"},
        "any": {},
        "list": {"type": "array", "items": {"type": "string"}},
        "flag": {"type": "boolean"},
    }
    assert not Draft7Validator(SET.outputs({"n": 1})).is_valid({"n": "one"})
