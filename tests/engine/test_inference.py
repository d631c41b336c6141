"""Static types of templates and conditions."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import template
from engine.errors import StepError
from engine.inference import compatible, infer
from engine.inference.value_types import of_types, overlap, types_of, union

ALERT = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}
SCOPE = {
    "inputs": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "team": {"type": "string"},
            "count": {"type": "integer"},
            "ratio": {"type": "number"},
            "flag": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "priority": {"type": "string", "enum": ["P1", "P2", "P3"]},
            "only": {"enum": ["x"]},
            "maybe": {"type": ["string", "null"]},
            "any": {},
        },
    },
    "steps": {
        "type": "object",
        "properties": {
            "create": {
                "type": "object",
                "properties": {
                    "status": {"type": "string", "enum": ["succeeded", "failed", "skipped"]},
                    "outputs": {
                        "type": "object",
                        "properties": {"alertId": {"type": "string"}, "alerts": {"type": "array", "items": ALERT}},
                    },
                },
            }
        },
    },
    "open": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}},
    "loose": {"type": "object"},
    "error": {"type": "object", "properties": {"message": {"type": "string"}, "status": {"type": ["integer", "null"]}}},
}


def schema(source, scope=SCOPE):
    result = infer(template.text(source), scope)
    assert not result.problems
    return result.schema


def problems(source):
    return [(problem.kind, problem.fragment) for problem in infer(template.text(source), SCOPE).problems]


def condition(source):
    return [(problem.kind, problem.fragment) for problem in infer(template.expression(source), SCOPE).problems]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", {"type": "string", "const": "plain"}),
        ("a {{ inputs.count }}", {"type": "string"}),
        ("{{ inputs.count }}", {"type": "integer"}),
        ("{{ inputs.count ~ 'x' }}", {"type": "string"}),
        ("{{ inputs.tags }}", {"type": "array", "items": {"type": "string"}}),
        ("{{ inputs.tags[0] }}", {"type": "string"}),
        ("{{ inputs.tags[inputs.count] }}", {"type": "string"}),
        ("{{ inputs.any[inputs.team] }}", {}),
        ("{{ inputs.tags[0:1] }}", {"type": "array", "items": {"type": "string"}}),
        ("{{ inputs.team[0] }}", {"type": "string"}),
        ("{{ inputs.maybe }}", {"type": ["string", "null"]}),
        ("{{ inputs.any.deep[0].thing }}", {}),
        ("{{ open.a }}", {"type": "string"}),
        ("{{ open.b }}", {"type": "integer"}),
        ("{{ loose.what.ever }}", {}),
        ("{{ 3 }}", {"type": "integer", "const": 3}),
        ("{{ -3 }}", {"type": "integer", "const": -3}),
        ("{{ -inputs.ratio }}", {"type": "number"}),
        ("{{ inputs.count + 1 }}", {"type": "integer"}),
        ("{{ inputs.count + inputs.ratio }}", {"type": "number"}),
        ("{{ inputs.count + inputs.any }}", {}),
        ("{{ inputs.count - inputs.any }}", {"type": "number"}),
        ("{{ inputs.team + 'a' }}", {"type": "string"}),
        ("{{ inputs.count if inputs.flag else inputs.team }}", {"type": ["integer", "string"]}),
        ("{{ inputs.team if inputs.flag else inputs.any }}", {}),
        ("{{ 'a' if inputs.flag else 'b' }}", {"type": "string", "enum": ["a", "b"]}),
        ("{{ inputs.flag and inputs.flag }}", {"type": "boolean"}),
        ("{{ inputs.team or 'none' }}", {"type": "string"}),
        ("{{ not inputs.flag }}", {"type": "boolean"}),
        ("{{ inputs.count > 3 }}", {"type": "boolean"}),
        ("{{ 1 < inputs.count < 3 }}", {"type": "boolean"}),
        ("{{ inputs.team is matches('x') }}", {"type": "boolean"}),
        ("{{ [] }}", {"type": "array", "items": {}}),
        ("{{ [1, inputs.count] }}", {"type": "array", "items": {"type": "integer"}}),
        ("{{ (1, 'a') }}", {"type": "array", "items": {"type": ["integer", "string"], "enum": [1, "a"]}}),
        ("{{ {'a': inputs.count} }}", {"type": "object", "properties": {"a": {"type": "integer"}}}),
        ("{{ {'a': inputs.count}.a }}", {"type": "integer"}),
        ("{{ inputs.tags | length }}", {"type": "integer"}),
        ("{{ inputs.tags | join(',') }}", {"type": "string"}),
        ("{{ inputs.tags | first }}", {"type": "string"}),
        ("{{ inputs.team | first }}", {"type": "string"}),
        ("{{ inputs.tags | sort | unique | select('in', 'a') }}", {"type": "array", "items": {"type": "string"}}),
        ("{{ steps.create.outputs.alerts | map(attribute='size') }}", {"type": "array", "items": {"type": "integer"}}),
        (
            "{{ steps.create.outputs.alerts | map(attribute='size', default='x') }}",
            {"type": "array", "items": {"type": ["integer", "string"]}},
        ),
        ("{{ steps.create.outputs.alerts | selectattr('size', 'gt', 3) | sort(attribute='name') | max(attribute='size') }}", ALERT),
        ("{{ inputs.tags | map('length') }}", {"type": "array", "items": {"type": "integer"}}),
        ("{{ inputs.tags | map(inputs.team) }}", {"type": "array", "items": {}}),
        ("{{ steps.create.outputs.alerts | map(attribute=inputs.team) }}", {"type": "array", "items": {}}),
        ("{{ inputs.any | map(attribute='0.x') }}", {"type": "array", "items": {}}),
        ("{{ inputs.maybe | default(3) }}", {"type": ["integer", "null", "string"]}),
        ("{{ inputs.team | default }}", {"type": "string"}),
        ("{{ inputs.ratio | round }}", {"type": "integer"}),
        ("{{ inputs.ratio | round(2) }}", {"type": "number"}),
        ("{{ inputs.team | split }}", {"type": "array", "items": {"type": "string"}}),
        ("{{ loose | items }}", {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}, "value": {}}}}),
        (
            "{{ ints | items }}",
            {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "integer"}}}},
        ),
        ("{{ inputs.team | fromjson }}", {}),
        ("{{ inputs.team | int }}", {"type": "integer"}),
        ("{{ inputs.any | sum }}", {"type": "number"}),
        (
            "{% for a in steps.create.outputs.alerts if a.size > 2 %}{{ a.name }}{{ loop.index }}{% else %}{{ inputs.team }}{% endfor %}",
            {"type": "string"},
        ),
        ("{% if inputs.flag %}{{ inputs.team | upper }}{% endif %}", {"type": "string"}),
    ],
)
def test_type_of_a_template(source, expected):
    assert schema(source, {**SCOPE, "ints": {"type": "object", "additionalProperties": {"type": "integer"}}}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ steps.create.outputs.alertID }}", [("no_such_field", "steps.create.outputs.alertID")]),
        (
            "a {{ steps.create.outputs.alertID }} {{ nope }}",
            [("no_such_field", "steps.create.outputs.alertID"), ("undefined_name", "nope")],
        ),
        ("{{ steps.create.outputs.alertID | upper }}", [("no_such_field", "steps.create.outputs.alertID")]),
        ("{{ steps.create.outputs.alertID | default('') }}", [("no_such_field", "steps.create.outputs.alertID")]),
        ("{{ steps.create.outputs['alertID'] }}", [("no_such_field", 'steps.create.outputs["alertID"]')]),
        ("{{ steps.created.outputs.x }}", [("no_such_field", "steps.created.outputs.x")]),
        ("{{ inputs.tags.name }}", [("no_such_field", "inputs.tags.name")]),
        ("{{ inputs.count.name }}", [("no_such_field", "inputs.count.name")]),
        ("{{ inputs.count[0] }}", [("no_such_field", "inputs.count[0]")]),
        ("{{ steps.create.outputs.alerts | map(attribute='nme') }}", [("no_such_field", "nme")]),
        ("{{ steps.create.outputs.alerts | selectattr('nme') }}", [("no_such_field", "nme")]),
        ("{{ steps.create.outputs.alerts | max('nme') }}", []),
        (
            "{% for a in steps.create.outputs.alerts %}{{ a.nme }}{{ loop.idx }}{% endfor %}",
            [("no_such_field", "a.nme"), ("no_such_field", "loop.idx")],
        ),
        ("{% for a in inputs.team %}{% endfor %}", [("type_mismatch", "inputs.team")]),
        ("{{ inputs.count | length }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.team | replace('a', 1) }}", [("type_mismatch", "1")]),
        ("{{ inputs.team | truncate(length='a') }}", [("type_mismatch", '"a"')]),
        ("{{ inputs.count is startswith('a') }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.count + inputs.team }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.team - 1 }}", [("type_mismatch", "inputs.team")]),
        ("{{ -inputs.team }}", [("type_mismatch", "inputs.team")]),
        ("{{ inputs.count == 'a' }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.count is gt('a') }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.tags < inputs.tags }}", [("type_mismatch", "inputs.tags")]),
        ("{{ inputs.priority == 'P9' }}", [("impossible_comparison", '"P9"')]),
        ("{{ 'P9' != inputs.priority }}", [("impossible_comparison", '"P9"')]),
        ("{{ inputs.priority is equalto('P9') }}", [("impossible_comparison", '"P9"')]),
        ("{{ inputs.priority in ['P1', 'P9'] }}", [("impossible_comparison", '"P9"')]),
        ("{{ inputs.priority not in ('P1', 'P2') }}", []),
        ("{{ inputs.team in inputs.count }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.count in inputs.tags }}", [("type_mismatch", "inputs.count")]),
        ("{{ inputs.count in inputs.any }}", []),
        ("{{ 'a' in inputs.team }}", []),
        ("{{ error.status == none }}", []),
        ("{{ 1 if true else 2 }}", [("constant_condition", "true")]),
        ("{% if 1 == 1 %}a{% endif %}", [("constant_condition", "1 == 1")]),
        ("{% if inputs.only == 'x' %}a{% endif %}", [("constant_condition", 'inputs.only == "x"')]),
        ("{% if 1 == 1 or inputs.flag %}a{% endif %}", []),
        ("{{ 1 if (inputs.team and inputs.flag) == 'x' else 2 }}", []),
        ("{{ (inputs.count and inputs.count) == 'x' }}", [("type_mismatch", "inputs.count and inputs.count")]),
        ("{{ (inputs.team | upper)[nope] }}", [("undefined_name", "nope")]),
    ],
)
def test_problems_of_a_template(source, expected):
    assert problems(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("inputs.flag", []),
        ("inputs.any", []),
        ("inputs.team", [("not_boolean", "inputs.team")]),
        ("inputs.team | upper", [("not_boolean", "inputs.team | upper")]),
        ("inputs.team and inputs.flag", [("not_boolean", "inputs.team")]),
        ("not inputs.team", [("not_boolean", "inputs.team")]),
        ("inputs.flag or not inputs.count", [("not_boolean", "inputs.count")]),
        ("true", [("constant_condition", "true")]),
        ("inputs.flag or true", [("constant_condition", "true")]),
        ("1 == 2", [("constant_condition", "1 == 2")]),
        ("1 != 2", [("constant_condition", "1 != 2")]),
        ("inputs.priority in ['P1', 'P2', 'P3']", [("constant_condition", 'inputs.priority in ["P1", "P2", "P3"]')]),
        ("inputs.priority in ['P1', 'P2']", []),
        ('steps.create.status == "succeded"', [("impossible_comparison", '"succeded"')]),
        ("nope.x == 1", [("undefined_name", "nope")]),
        ("inputs.teem", [("no_such_field", "inputs.teem")]),
        ("inputs.team is matches('x') and inputs.count > 2", []),
        ("'a' if inputs.flag else 'b'", [("not_boolean", "…")]),
    ],
)
def test_problems_of_a_condition(source, expected):
    assert condition(source) == expected


def test_messages_say_what_to_do():
    wrong = infer(template.text("{{ steps.create.outputs.alertID }}"), SCOPE).problems[0]
    assert (wrong.message, wrong.hint) == ("no field alertID in steps.create.outputs", "did you mean alertId?")
    wrong = infer(template.expression('steps.create.status == "succeded"'), SCOPE).problems[0]
    assert (wrong.message, wrong.hint) == ('steps.create.status is never "succeded"', "did you mean succeeded?")
    wrong = infer(template.text("{{ input.team }}"), SCOPE).problems[0]
    assert wrong.hint == "did you mean inputs?"


def test_a_problem_is_told_once():
    assert len(problems("{{ nope }} {{ nope }}")) == 1


@pytest.mark.parametrize(
    ("found", "wanted", "reason"),
    [
        ({"type": "integer"}, {"type": "string"}, "the value is integer, and string is needed"),
        ({"type": "integer"}, {"type": "number"}, None),
        ({"type": "number"}, {"type": "integer"}, None),
        ({"type": ["string", "null"]}, {"type": "string"}, None),
        ({}, {"type": "string"}, None),
        ({"type": "string"}, {}, None),
        ({"type": "string"}, {"enum": [1, 2]}, "the value is string, and integer is needed"),
        ({"type": "string"}, {"enum": ["a"]}, None),
        ({"const": "P9"}, {"enum": ["P1", "P2"]}, "the value is never one of P1, P2"),
        ({"enum": ["P1", "P9"]}, {"type": "string", "enum": ["P1", "P2"]}, None),
        (
            {"type": "array", "items": {"type": "integer"}},
            {"type": "array", "items": {"type": "string"}},
            "an item of the value is integer, and string is needed",
        ),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}, None),
        ({"type": "array", "items": {"type": "integer"}}, {"type": ["array", "string"], "items": {"type": "string"}}, None),
    ],
)
def test_compatible(found, wanted, reason):
    assert compatible(found, wanted) == reason


TYPES = st.lists(st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]), unique=True).map(of_types)


@settings(max_examples=100)
@given(TYPES, TYPES)
def test_a_union_fits_both_its_sides(first, second):
    both = union(first, second)
    assert compatible(first, both) is None
    assert compatible(second, both) is None
    assert both == union(second, first)
    assert overlap(types_of(first), types_of(second)) == (compatible(first, second) is None)


VALUES = {"inputs": {"team": "dba", "count": 3, "ratio": 0.5, "flag": True, "tags": ["a"], "priority": "P1", "only": "x", "maybe": None}}
TERMS = st.sampled_from(
    [
        "inputs.team",
        "inputs.count",
        "inputs.ratio",
        "inputs.flag",
        "inputs.tags",
        "inputs.priority",
        "inputs.maybe",
        "1",
        "'a'",
        "true",
        "none",
    ]
)
FORMS = st.sampled_from(
    [
        "{0} == {1}",
        "{0} < {1}",
        "{0} + {1}",
        "{0} - {1}",
        "{0} ~ {1}",
        "{0} in {1}",
        "not {0}",
        "{0} and {1}",
        "{0} if {1} else {0}",
        "[{0}, {1}]",
        "{0} | length",
        "{0} | default({1})",
        "{0} | upper",
        "{0} | first",
        "{0} | string",
    ]
)


@settings(max_examples=300, deadline=None)
@given(FORMS, TERMS, TERMS)
def test_what_is_inferred_is_what_comes_out(form, first, second):
    """A result fits its inferred type, and a template without problems of type computes."""
    source = "{{ " + form.format(f"({first})", f"({second})") + " }}"
    result = infer(template.text(source), SCOPE)
    try:
        value = template.text(source).render(VALUES)
    except StepError:
        assert result.problems or "maybe" in source or "none" in source
        return
    assert compatible({"const": value}, {"type": result.schema["type"]} if "type" in result.schema else {}) is None


def test_paths_alone_need_no_jinja():
    program = "import sys; from engine import template as t, inference as i; i.infer(t.text('{{ a.b }}'), {'a': {}}); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
