"""`with` as written becomes `with` as sent."""

import pytest

from engine.errors import StepError
from engine.rendering import Late, literal, render
from engine.secret import SecretName
from engine.template.unknown import Unknown

NAMES = {
    "inputs": {"n": 3, "none": None, "list": [1], "text": "{{ inputs.n }}"},
    "steps": {"a": {"outputs": {"x": Unknown("steps.a.outputs.x")}}},
}


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("{{ inputs.n }}", {}, 3),
        ("n={{ inputs.n }}", {}, "n=3"),
        (["{{ inputs.n }}", {"k": "{{ inputs.list }}"}, 7], {}, [3, {"k": [1]}, 7]),
        ("inputs.n > 2", {"format": "expression"}, True),
        ("{{ inputs.n }}", {"x-literal": True}, "{{ inputs.n }}"),
        ("{{ inputs.text }}", {}, "{{ inputs.n }}"),
        ({"a": "{{ inputs.none }}", "b": 1}, {"properties": {"a": {}, "b": {}}}, {"b": 1}),
        ({"a": "{{ inputs.none }}"}, {"properties": {"a": {}}, "required": ["a"]}, {"a": None}),
        ({"a": None}, {"properties": {"a": {}}}, {"a": None}),
        ({"a": "{{ inputs.none }}"}, {}, {"a": None}),
        ({"{{ inputs.n }}": 1}, {}, {"{{ inputs.n }}": 1}),
        ({"a": {"b": "inputs.n == 3"}}, {"additionalProperties": {"properties": {"b": {"format": "expression"}}}}, {"a": {"b": True}}),
    ],
)
def test_each_value_as_its_schema_says(value, schema, expected):
    assert render(value, schema, NAMES) == expected


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3.0, "integer", "3"),
        ("{{ 3.0 }}", "integer", "3"),
        ("{{ 3.0 }}", ["integer", "null"], "3"),
        (3.5, "integer", "3.5"),
        (3.0, "number", "3.0"),
        (3.0, ["integer", "number"], "3.0"),
    ],
)
def test_a_whole_number_is_an_integer_where_one_is_wanted(value, kind, expected):
    assert repr(render({"n": value}, {"properties": {"n": {"type": kind}}}, NAMES)["n"]) == expected


def test_what_the_step_alone_will_know_is_handed_over_unrendered():
    late = render(
        [{"if": "alert.n == inputs.n"}], {"x-binds": {"alert": {}}, "items": {"properties": {"if": {"format": "expression"}}}}, NAMES
    )
    assert isinstance(late, Late)
    assert late.resolve(alert={"n": 3}) == [{"if": True}]
    with pytest.raises(StepError, match="alert"):
        late.resolve()


def test_an_absent_value_is_an_error():
    with pytest.raises(StepError, match=r"inputs\.m"):
        render({"a": "{{ inputs.m }}"}, {}, NAMES)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("steps.a.outputs.x == 1", {"format": "expression"}),
        ("{% for y in steps.a.outputs.x %}{{ y }}{% endfor %}", {}),
        ("{{ steps.a.outputs.x }}", {}),
    ],
)
def test_what_planning_cannot_know_is_unknown(value, schema):
    rendered = render({"a": value, "b": "{{ inputs.n }}"}, {"properties": {"a": schema, "b": {}}}, NAMES)
    assert isinstance(rendered["a"], Unknown)
    assert rendered["b"] == 3


SCHEMA = {
    "properties": {
        "e": {"format": "expression"},
        "l": {"x-literal": True},
        "b": {"x-binds": ["x"]},
        "t": {"items": {"format": "expression"}},
    }
}


@pytest.mark.parametrize("value", ["a", "{ {", {"l": "{{ x }}", "n": None}, [1, "b", {"c": False}], {"t": []}, {}])
def test_what_is_literal_is_sent_as_written(value):
    assert literal(value, SCHEMA)
    assert render(value, SCHEMA, NAMES) == value


@pytest.mark.parametrize(
    "value", ["{{ 1 }}", "a{# b #}", "{% if x %}{% endif %}", {"e": "true"}, {"b": "x"}, {"t": ["true"]}, {"z": [{"y": "{{ 1 }}"}]}]
)
def test_what_may_be_sent_otherwise_is_not_literal(value):
    assert not literal(value, SCHEMA)


@pytest.mark.parametrize("source", ["{{ secrets.A_TOKEN }}", " {{secrets.A_TOKEN}}\n"])
def test_a_secret_stays_a_name_where_its_field_takes_one(source):
    assert render(source, {"x-secret": True}, {}) == SecretName("A_TOKEN")
    assert render({"a": [source]}, {"additionalProperties": {"items": {"x-secret": True}}}, {}) == {"a": [SecretName("A_TOKEN")]}
    with pytest.raises(StepError, match="a secret can only be the whole value"):
        render(source, {}, {"secrets": {"A_TOKEN": "x"}})


@pytest.mark.parametrize(
    "source", ["x{{ secrets.A }}", "{{ secrets.A.b }}", "{{ secrets }}", "{{ secrets.A | upper }}", "{{ secrets['A'] }}"]
)
def test_less_or_more_than_a_secret_is_refused(source):
    with pytest.raises(StepError, match="a secret can only be the whole value"):
        render(source, {"x-secret": True}, {})


def test_other_text_may_stand_where_a_secret_may():
    assert render("{{ inputs.a }}", {"x-secret": True}, {"inputs": {"a": "{{ secrets.A }}"}}) == "{{ secrets.A }}"
