"""Filters and tests of templates: what they give, and what they refuse."""

from __future__ import annotations

import re
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import template
from engine.errors import StepError
from engine.template.filters import FILTERS
from engine.template.predicates import TESTS

ALERTS = [
    {"id": "a", "n": 2, "team": {"name": "dba"}, "open": True},
    {"id": "B", "n": 10, "team": {"name": "sre"}, "open": False},
    {"id": "c", "n": 2, "team": {"name": "sre"}, "open": True, "extra": None},
]
CONTEXT = {
    "alerts": ALERTS,
    "text": "Hello, World",
    "object": {"items": 1, "keys": [2]},
    "now": "2026-11-23T23:30:00Z",
    "empty": [],
    "null": None,
    "long": "x" * 300_000,
    "huge": "x" * 1_100_000,
    "many": [0] * 100_001,
}


def render(source):
    return template.text("{{ " + source + " }}").render(CONTEXT)


def ids(source):
    return "".join(alert["id"] for alert in render(source))


def failed(source):
    with pytest.raises(StepError) as caught:
        render(source)
    assert caught.value.code == "template"
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("-3 | abs", 3),
        ("(-2.5) | abs", 2.5),
        ("now | date", "2026-11-23"),
        ("now | date('%H:%M', 'Europe/Berlin')", "00:30"),
        ("0 | date('%Y')", "1970"),
        ("null | default('x')", None),
        ("null | default('x', true)", "x"),
        ("nope | default", ""),
        ("'10m' | duration", 600),
        ("'1h30m' | duration('ms')", 5_400_000),
        ("'250ms' | duration", 0.25),
        ("alerts | map(attribute='id') | first", "a"),
        ("text | first", "H"),
        ("'2.5' | float", 2.5),
        ("3 | float", 3.0),
        ("'x' | float(1.5)", 1.5),
        ("'{\"a\": [1, null]}' | fromjson", {"a": [1, None]}),
        ("'42' | int", 42),
        ("' -7 ' | int", -7),
        ("'3.9' | int", 3),
        ("true | int", 1),
        ("'x' | int(0)", 0),
        ("object | items", [{"key": "items", "value": 1}, {"key": "keys", "value": [2]}]),
        ("[1, 'a', true, null] | join('-')", "1-a-true-null"),
        ("alerts | join(', ', 'id')", "a, B, c"),
        ("empty | join", ""),
        ("object | keys", ["items", "keys"]),
        ("[1, 2] | last", 2),
        ("text | length", 12),
        ("object | length", 2),
        ("text | lower", "hello, world"),
        ("['a'] | map('upper')", ["A"]),
        ("alerts | map(attribute='team.name')", ["dba", "sre", "sre"]),
        ("alerts | map(attribute='extra', default='-')", ["-", "-", None]),
        ("[['a'], ['b']] | map(attribute='0')", ["a", "b"]),
        ("[3, 1.5, 2] | max", 3),
        ("alerts | max('n')", ALERTS[1]),
        ("[3, 1.5, 2] | min", 1.5),
        ("['b', 'a'] | min", "a"),
        ("[1, 'a', 2] | reject('string')", [1, 2]),
        ("'a-b-a' | replace('a', 'c')", "c-b-c"),
        ("2.567 | round(2)", 2.57),
        ("2.567 | round", 3),
        ("1234 | round(-2)", 1200),
        ("[1, 5, 9] | select('gt', 4)", [5, 9]),
        ("[1, 5, 9] | select('>=', 5)", [5, 9]),
        ("[3, 1, 2] | sort", [1, 2, 3]),
        ("['b', 'A', 'c'] | sort", ["A", "b", "c"]),
        ("['b', 'A', 'a'] | sort(case_sensitive=true)", ["A", "a", "b"]),
        ("[3, 1, 2] | sort(reverse=true)", [3, 2, 1]),
        ("empty | sort", []),
        ("'a,b' | split(',')", ["a", "b"]),
        ("' a  b ' | split", ["a", "b"]),
        ("true | string", "true"),
        ("[1, 2.5] | sum", 3.5),
        ("alerts | sum('n')", 14),
        ("empty | sum", 0),
        ("now | timestamp", 1795476600),
        ("now | timestamp('ms')", 1795476600000),
        ("'2026-11-23T23:30:00.25+01:00' | timestamp('ms')", 1795473000250),
        ("'2026-11-23' | timestamp | date", "2026-11-23"),
        ("17 | timestamp", 17),
        ("{'ä': 1} | tojson", '{"ä": 1}'),
        ("[1] | tojson(2)", "[\n  1\n]"),
        ("'  a ' | trim", "a"),
        ("'abcdef' | truncate(4)", "abc…"),
        ("'abcdef' | truncate(4, '...')", "a..."),
        ("'abcdef' | truncate(2, '...')", ".."),
        ("'abc' | truncate(3)", "abc"),
        ("'abc' | truncate(-1)", ""),
        ("[1, 1.5, '1', 1, true] | unique", [1, 1.5, "1", True]),
        ("alerts | unique('team.name') | map(attribute='id')", ["a", "B"]),
        ("'ß' | upper", "SS"),
        ("'a b/ä' | urlencode", "a%20b%2F%C3%A4"),
        ("object | values", [1, [2]]),
    ],
)
def test_filter(source, value):
    found = render(source)
    assert json.dumps(found) == json.dumps(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("alerts | selectattr('open')", "ac"),
        ("alerts | rejectattr('open')", "B"),
        ("alerts | selectattr('n', 'eq', 2)", "ac"),
        ("alerts | selectattr('n', '!=', 2)", "B"),
        ("alerts | selectattr('team.name', 'in', ['dba'])", "a"),
        ("alerts | rejectattr('team.name', 'startswith', 's')", "a"),
        ("alerts | selectattr('extra', 'defined')", "c"),
        ("alerts | selectattr('extra', 'undefined')", "aB"),
        ("alerts | sort(attribute='n')", "acB"),
        ("alerts | sort(attribute='id')", "aBc"),
        ("alerts | sort(attribute='n', reverse=true)", "Bac"),
    ],
)
def test_filter_on_items(source, value):
    assert ids(source) == value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("5 | length", "`length` takes string or array or object, found integer"),
        ("text | join", "`join` takes array, found string"),
        ("true | abs", "`abs` takes number or integer, found boolean"),
        ("text | truncate('a')", "`truncate` takes integer, found string"),
        ("text | replace(old='a', new=1)", "`replace` takes string, found integer"),
        ("'x' | int", "not a number"),
        ("'nan' | float", "too large"),
        ("'1e400' | float", "too large"),
        ("long | truncate(5000, '') | replace('x', '9') | int", "not a number"),
        ("'99999999999999999999' | int", "too large"),
        ("'²' | int", "not a number"),
        ("'{' | fromjson", "JSON text"),
        ("'NaN' | fromjson", "JSON text"),
        ("'10' | duration", "`duration`: not a duration"),
        ("'10m' | duration('h')", 'the unit is "s" or "ms"'),
        ("'yesterday' | timestamp", "not a point in time"),
        ("9223372036854775807 | timestamp", "not a point in time"),
        ("now | date('%Y', 'Mars/Base')", "not a known time zone"),
        ("now | date('%Y', '../../etc/passwd')", "not a known time zone"),
        ("now | date(long)", "format of `date` is too long"),
        ("alerts | map", "takes one of them"),
        ("alerts | map('upper', attribute='id')", "takes one of them"),
        ("alerts | map(attribute='extra')", "item 0 has no field `extra`"),
        ("alerts | map(text)", "there is no `Hello, World`"),
        ("alerts | selectattr('extra', 'eq', 1)", "the field is absent"),
        ("alerts | selectattr('id', text)", "there is no `Hello, World`"),
        ("alerts | sort", "have no order"),
        ("[1, 'a'] | sort", "number and string have no order"),
        ("[1, 'a'] | sum", "`sum` takes numbers, found string"),
        ("['a'] | map('length') | map('upper')", "`upper` takes string, found integer"),
        ("'a' | split('')", "`split` cannot take this value"),
        ("['a'] | select('eq')", "`eq` cannot take this value"),
        ("huge | upper", "too much for `upper`"),
        ("many | length", "too much for `length`"),
        ("long | upper", "too much for `upper`"),
        ("long | replace('x', 'yyyy')", "`replace` would make the text too long"),
        ("[long, long] | join", "longer than"),
        ("alerts | join(long)", "`join` would make the text too long"),
        ("[long] | tojson", "larger than"),
        ("'a' < 1", "string cannot be ordered against integer"),
        ("null < null", "null cannot be ordered against null"),
        ("5 in text", "only text can be in a string, found integer"),
        ("text is matches('(')", "not a regular expression"),
        ("text is matches(long)", "longer than 512"),
        ("long is matches('x')", "at most 65536"),
        ("now is within('9-5')", "not a time of day"),
        ("now is within('00:00-24:30')", "not a time of day"),
        ("now is within('00:00-24:00', 'UTC', 'someday')", "not days of the week"),
        ("now is within('00:00-24:00', 'UTC', 'mon-someday')", "not days of the week"),
    ],
)
def test_what_does_not_fit_is_said(source, words):
    assert words in failed(source).message


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("null is none", True),
        ("1 is number and 1.5 is number and true is not number", True),
        ("1 is integer and 1.5 is not integer", True),
        ("true is boolean and true is true and false is false and 1 is not true", True),
        ("'a' is string and [] is sequence and {} is mapping and 'a' is not sequence", True),
        ("text is startswith('Hello') and text is endswith('World')", True),
        ("text is contains('lo, W')", True),
        ("[1, 2] is contains(2.0)", True),
        ("[1] is contains(true)", False),
        ("object is contains('items')", True),
        ("text is matches('o.*o')", True),
        ("text is matches('^World')", False),
        ("1 is eq(1.0) and 1 is ne(true)", True),
        ("'1' == 1", False),
        ("'a' is lt('b') and 2 is ge(2) and 2 is le(2) and 3 is gt(2.5)", True),
        ("2 is in([1, 2]) and 'z' is notin('abc')", True),
        ("2 is equalto(2)", True),
    ],
)
def test_test(source, value):
    assert render(source) is value


@pytest.mark.parametrize(
    ("moment", "arguments", "value"),
    [
        ("2026-11-23T23:30:00Z", "'22:00-06:00'", True),
        ("2026-11-23T05:59:59Z", "'22:00-06:00'", True),
        ("2026-11-23T06:00:00Z", "'22:00-06:00'", False),
        ("2026-11-23T21:30:00Z", "'22:00-06:00'", False),
        ("2026-11-23T21:30:00Z", "'22:00-06:00', 'Europe/Berlin'", True),
        ("2026-11-23T08:00:00Z", "'08:00-18:00'", True),
        ("2026-11-23T18:00:00Z", "'08:00-18:00'", False),
        ("2026-11-23T12:00:00Z", "'00:00-24:00', 'UTC', 'mon-fri'", True),
        ("2026-11-22T12:00:00Z", "'00:00-24:00', 'UTC', 'mon-fri'", False),
        ("2026-11-22T12:00:00Z", "'00:00-24:00', days='Sat, Sun'", True),
        ("2026-11-22T12:00:00Z", "'12:00-12:00', days='fri-mon'", True),
        ("2026-11-21T03:00:00Z", "'22:00-06:00', days='fri'", True),  # Saturday night is Friday's window
        ("2026-11-20T03:00:00Z", "'22:00-06:00', days='fri'", False),
    ],
)
def test_within(moment, arguments, value):
    assert template.expression(f"moment is within({arguments})").holds({"moment": moment}) is value


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "(.*a){20}",
        r"(\w+\s?)*$!",
        "((((a{1,99}){1,99}){1,99}){1,99}){1,99}b",
        "(?:(?:(?:a?){50}){50}){50}b",
    ],
)
def test_a_pattern_ends_in_time(pattern):
    begun = time.thread_time()
    for subject in ("a" * 60 + "!", "a" * 60_000 + "!"):
        try:
            template.expression("s is matches(p)").holds({"s": subject, "p": pattern})
        except StepError as error:
            assert re.search("takes too long|counted repeats", error.message)
    assert time.thread_time() - begun < 2


def test_tables_are_sorted_and_every_row_is_used_here():
    for functions in (FILTERS, TESTS):
        assert list(functions) == sorted(functions)
        assert all(function.name == name and function.parameters for name, function in functions.items())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(2**60), 2**60) | st.floats(-1e15, 1e15), max_size=20))
def test_sort_orders_and_keeps_numbers(numbers):
    found = template.text("{{ n | sort }}").render({"n": numbers})
    assert found == sorted(numbers)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_json_there_and_back(value):
    assert template.text("{{ v | tojson | fromjson }}").render({"v": value}) == value


@settings(max_examples=50, deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0, tzinfo=UTC)))
def test_timestamp_there_and_back(moment):
    spelled = moment.isoformat().replace("+00:00", "Z")
    assert template.text("{{ m | timestamp | date('%Y-%m-%dT%H:%M:%SZ') }}").render({"m": spelled}) == spelled


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FILTERS)), JSON)
def test_a_filter_gives_a_value_or_says_why_not(name, value):
    arguments = {
        "replace": "('a', 'b')",
        "map": "(attribute='a')",
        "select": "('defined')",
        "reject": "('none')",
        "selectattr": "('a')",
        "rejectattr": "('a')",
    }.get(name, "")
    try:
        template.text("{{ v | " + name + arguments + " }}").render({"v": value})
    except StepError as error:
        assert error.code == "template"
