"""Text from outside becomes data only as it was declared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import StepError
from steps.parsing import check_schema, data_schema, parse, printable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_json_reads_back(value):
    assert parse(json.dumps(value), "json", None) == value


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", '{"a": 1, "a": 2}', "[" * 100_000, "1 2"])
def test_json_is_strict_and_never_shows_the_text(text):
    with pytest.raises(StepError) as caught:
        parse(text, "json", None)
    assert caught.value.code == "unexpected_output"


def test_text_loses_the_line_ends_at_its_end():
    assert parse("a\n\nb\r\n\n", "text", None) == "a\n\nb"


@pytest.mark.parametrize(
    ("schema", "data", "fault"),
    [
        ({"required": ["id"]}, {}, r"at \$: lacks id"),
        ({"items": {"enum": ["a"]}}, ["a", "hidden"], r"at \$\[1\]: enum must be \[\"a\"\]"),
        ({"pattern": "^a$"}, "hidden", r"at \$: pattern must be"),
        ({"additionalProperties": {"type": "integer"}}, {"a": "hidden"}, r"at \$\.a: type must be \"integer\""),
    ],
)
def test_a_misfit_is_told_by_path_and_rule(schema, data, fault):
    with pytest.raises(StepError, match=fault) as caught:
        parse(json.dumps(data), "json", schema)
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize("pattern", ["^(a+)+$", "("])
def test_patterns_cannot_hang_or_break(pattern):
    with pytest.raises(StepError):
        parse("a" * 40 + "!", "text", {"pattern": pattern})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"$ref": "https://example.com/x.json"}}},
        {"patternProperties": {"^(a+)+$": {}}},
        {"enum": ["x" * 20_000]},
        {"items": {"minLength": "1"}},
    ],
)
def test_schemas_are_valid_small_and_self_contained(schema):
    with pytest.raises(StepError) as caught:
        check_schema(schema)
    assert caught.value.code == "outputs_schema"


def test_no_schema_is_fine_and_a_schema_wins_over_the_shape():
    check_schema(None)
    check_schema({"type": "object"})
    assert data_schema({"parse": "lines", "outputs": {"type": "array"}}, "text") == {"type": "array"}


def test_printable_is_one_short_line():
    assert printable("a\x1b]0;x\x07\n\u202eb", 20) == "a ]0;x b"
    assert len(printable("x" * 1000)) == 500
