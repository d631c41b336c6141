"""The schemas: what they say of a wrong value, and that what may be sent may be written."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import project, schema
from engine.language import grammar
from engine.catalog import Catalog
from engine.rendering import Late
from engine.template.unknown import Unknown

CATALOG = Catalog(project.PROVIDERS)
RUNBOOKS = sorted((Path(__file__).parents[2] / "runbooks").glob("*.yaml"))


@pytest.fixture(scope="module")
def published():
    return json.loads(json.dumps(grammar.published(CATALOG.steps())))


def errors(published, document):
    return list(jsonschema.Draft7Validator(published).iter_errors(document))


def test_the_published_schema_is_valid_draft_07(published):
    jsonschema.Draft7Validator.check_schema(published)
    assert published["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_it_takes_the_runbooks_as_they_are_written(published, file):
    assert errors(published, yaml.safe_load(file.read_text())) == []


def book(*steps, **more):
    return {"apiVersion": "runbook/v1", "name": "x", "steps": list(steps), **more}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (book({"uses": "opsgenie.alert.create", "with": {"mesage": "x"}}), ["steps", 0, "with"]),
        (book({"uses": "opsgenie.alert.create", "with": {}}), ["steps", 0, "with"]),
        (book({"uses": "opsgenie.alert.create"}), ["steps", 0]),
        (book({"uses": "opsgenie.alert.create", "with": {"message": 5}}), ["steps", 0, "with", "message"]),
        (book({"uses": "opsgenie.alert.create", "with": {"message": "x", "priority": "P6"}}), ["steps", 0, "with", "priority"]),
        (book({"uses": "opsgenie.alert.creat"}), ["steps", 0, "uses"]),
        (book({"block": [{"uses": "opsgenie.alert.close", "with": {"id": "x"}}]}), ["steps", 0, "block", 0, "with"]),
        (book({"id": "Upper", "wait": "1m"}), ["steps", 0, "id"]),
        (book({"id": "nothing"}), ["steps", 0]),
        (book({"wait": "1m", "untill": {}}), ["steps", 0]),
        (book(), ["steps"]),
        (book({"wait": "1m"}, nmae="x"), []),
        (book({"wait": "1m", "fail": "no"}), ["steps", 0]),
        (book({"uses": "core.log", "with": {"message": "x"}, "block": [{"wait": "1m"}]}), ["steps", 0]),
        (book({"wait": "1m", "rescue": [{"wait": "1m"}]}), ["steps", 0]),
        (book({"block": [{"wait": "1m"}], "with": {}}), ["steps", 0]),
        (book({"wait": "1m", "max_parallel": 2}), ["steps", 0]),
    ],
)
def test_it_finds_what_is_wrong_where_it_is(published, document, path):
    assert path in [list(error.absolute_path) for error in errors(published, document)]


def test_it_takes_a_template_for_any_value(published):
    document = book({"uses": "opsgenie.alert.list", "with": {"limit": "{{ inputs.limit }}", "order": "{% if a %}asc{% endif %}"}})
    assert errors(published, document) == []


@pytest.mark.parametrize(
    ("value", "rule", "said"),
    [
        (5, {"type": "string"}, ': found a number, expected text; quote it: "…"'),
        ("x", {"type": "integer"}, ": found text, expected a whole number"),
        (True, {"type": "integer"}, ": found true or false, expected a whole number"),
        (1.5, {"type": "integer"}, ": found a number, expected a whole number"),
        (None, {"type": ["string", "array"]}, ": found null, expected text or a list"),
        (
            {"a": {"b": [1, "x"]}},
            {"properties": {"a": {"properties": {"b": {"items": {"type": "integer"}}}}}},
            ".a.b[1]: found text, expected a whole number",
        ),
        ({}, {"required": ["a"]}, ": a is missing"),
        ({"colr": 1}, {"properties": {"color": {}}, "additionalProperties": False}, ".colr: unknown key 'colr'; did you mean color?"),
        ("P9", {"enum": ["P1", "P2"]}, ": not one of P1, P2"),
        ("", {"minLength": 1}, ": shorter than 1 characters"),
        ("10 minutes", {"format": "duration"}, ": not a valid duration; write a number and a unit, such as 90s, 10m, 1h30m or 7d"),
        ("soon", {"format": "date-time"}, ": not a valid date-time; write it like 2026-11-23T22:30:00Z"),
        ("ana", {"format": "email"}, ": not a valid email; an e-mail address has one @"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", {"pattern": "^(a+)+$"}, ": does not match ^(a+)+$"),
        ([1, 1], {"uniqueItems": True}, ": the same item stands in it twice"),
        ({"a": 1}, {"properties": {"a": {"not": {"enum": [1]}, "x-rule": "one is none"}}}, ".a: one is none"),
        ([1, 2, 3], {"x-before-last": {"maximum": 1}}, "[1]: more than 1"),
        ([1, 9], {"x-before-last": {"maximum": 1}, "maxItems": 1}, ": more than 1 items"),
    ],
)
def test_a_problem_says_path_rule_and_what_to_do(value, rule, said):
    assert str(schema.first_problem(value, rule)) == said


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"properties": {"a": False}}, ()),  # jsonschema does not say at which key
        ({"patternProperties": {"a": False}}, ()),
        ({"additionalProperties": False}, ("a",)),
        ({"propertyNames": False}, ("a",)),
        ({"dependencies": {"a": False}}, ()),
        ({"if": True, "then": False}, ()),
        ({"anyOf": [False]}, ()),
        (False, ()),
    ],
)
def test_a_schema_that_nothing_fits_is_a_rule_like_others(rule, path):
    assert [problem.path for problem in schema.problems({"a": 1}, rule)] == [path]


def test_a_whole_number_is_an_integer_however_it_is_written():
    assert schema.problems([1.0, 2, -0.0], {"items": {"type": "integer"}}) == []
    assert len(schema.problems([True, float("inf"), float("nan")], {"items": {"type": "integer"}})) == 3


def test_a_wrong_name_is_said_at_its_key():
    rule = {"propertyNames": {"pattern": "^[a-z]+$", "x-rule": "small letters"}}
    (problem,) = schema.problems({"good": 1, "Bad": 2}, rule)
    assert (problem.path, problem.key, problem.message) == (("Bad",), True, "the name 'Bad': small letters")


def test_each_missing_field_is_said():
    found = schema.problems({"b'": 1}, {"required": ["a", "it's", "b'", 'a"']})
    assert [problem.message for problem in found] == ["a is missing", "it's is missing", 'a" is missing']


def test_problems_stand_in_the_order_of_the_value():
    found = schema.problems(["x"] * 12, {"items": {"type": "integer"}})
    assert [problem.path for problem in found] == [(index,) for index in range(12)]


def test_a_remote_reference_is_never_fetched():
    import referencing.exceptions

    with pytest.raises(Exception) as caught:  # noqa: PT011
        schema.problems({}, {"$ref": "http://127.0.0.1:9/schema.json"})
    assert (
        isinstance(caught.value, referencing.exceptions.Unresolvable)
        or "Unresolvable" in type(caught.value).__mro__[1].__name__
        or "Unresolvable" in type(caught.value).__name__
    )


@pytest.mark.parametrize("unknown", [Unknown("steps.a.outputs.b"), Late("{{ alert }}", {}, {})])
@pytest.mark.parametrize(
    "rule",
    [
        {"type": "integer"},
        {"enum": ["a"]},
        {"const": "a"},
        {"pattern": "^a$"},
        {"minLength": 3},
        {"format": "email"},
        {"required": ["a"]},
        {"not": {"enum": [1]}},
        {"x-before-last": {"required": ["a"]}},
    ],
)
def test_what_is_not_known_yet_meets_every_rule(unknown, rule):
    assert schema.problems(unknown, rule) == []


def test_a_list_with_something_unknown_in_it_is_looked_at_as_far_as_it_is_known():
    unknown = Unknown("steps.a.outputs.b")
    assert schema.problems([unknown, unknown, 1], {"uniqueItems": True, "items": {"type": "integer"}}) == []
    assert len(schema.problems([unknown, "x"], {"items": {"type": "integer"}})) == 1


@pytest.mark.parametrize(
    ("word", "known", "advice"),
    [
        ("mesage", ["message", "note"], "did you mean message?"),
        ("x", ["message", "note"], "known here: message, note"),
        ("x", [str(n) * 4 for n in range(13)], None),
        ("ALIAS", ["alias"], "did you mean alias?"),
    ],
)
def test_advice_on_a_mistyped_word(word, known, advice):
    from engine.advice import did_you_mean

    assert did_you_mean(word, known) == advice


# -- as written accepts whatever as sent accepts -----------------------------------------------------------------------------


scalars = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 2, "maxLength": 6},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": "string", "enum": ["red", "blue"]},
        {"type": "integer", "minimum": 1},
        {"type": "boolean"},
        {"type": ["integer", "null"]},
        {"type": "string", "format": "duration"},
        {},
    ]
)
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items}),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda fields: {"type": "object", "properties": fields, "required": sorted(fields)[:1], "additionalProperties": False}
        ),
        inner.map(lambda rest: {"type": "object", "additionalProperties": rest}),
    ),
    max_leaves=5,
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["red", "blue", "x", "10m", "", "{{ a }}", "a {{ b }}", "{% if a %}b{% endif %}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(sent=schemas, value=values)
@settings(max_examples=150, deadline=None)
def test_as_written_takes_whatever_as_sent_takes(sent, value):
    written = grammar.as_written(sent)
    jsonschema.Draft7Validator.check_schema(written)
    if not schema.problems(value, sent):
        assert schema.problems(value, written) == []


@given(sent=schemas)
@settings(max_examples=60, deadline=None)
def test_as_written_takes_a_template_for_every_value(sent):
    assert schema.problems("{{ inputs.x }}", grammar.as_written(sent)) == []


@given(sent=schemas, value=values)
@settings(max_examples=100, deadline=None)
def test_as_written_refuses_what_holds_no_template_and_may_not_be_sent(sent, value):
    if schema.problems(value, sent) and "{" + "{" not in json.dumps(value) and "{" + "%" not in json.dumps(value):
        assert schema.problems(value, grammar.as_written(sent))


@pytest.mark.parametrize("name", sorted(CATALOG.steps()))
def test_every_steps_written_schema_is_valid(name):
    jsonschema.Draft7Validator.check_schema(grammar.as_written_fields(CATALOG.get(name)))


def test_a_slow_pattern_is_given_up_rather_than_tried_on_every_row(monkeypatch):
    from engine.schema import rules

    monkeypatch.setattr(rules, "_out_of_time", type(rules._out_of_time)())
    monkeypatch.setattr(rules, "PATTERN_TIME_LIMIT", 0.005)
    rows = ["a" * 40 + "!" + str(number) for number in range(2000)]
    found = schema.problems(rows, {"type": "array", "items": {"type": "string", "pattern": "^(a|aa)+$"}})
    assert len(found) == 2000
    assert rules._out_of_time["^(a|aa)+$"] == rules.PATIENCE
