"""What authors are told about a template that cannot be taken, or fails: the words, the part at fault, and what to do."""

from __future__ import annotations

import pytest

from engine import template
from engine.errors import StepError
from engine.template import TemplateError

TEXTS = [
    ("{{ _x }}", "a name cannot start with an underscore", "_x", None),
    ("{{ self }}", "`self` is no name of a runbook", "self", None),
    ("{{ a._b }}", "a field after a dot cannot start with an underscore", "._b", 'write it as x["_id"]'),
    ("{{ a['__b'] }}", "a key cannot start with two underscores", "__b", None),
    ("{{ 99999999999999999999999999999999999999999 }}", "the number is too large", None, None),
    ("{{ 1e999 }}", "the number is too large", None, None),
    ("{{ {1: 2} }}", "the keys of an object must be text in quotes", None, None),
    ("{{ 1 if x }}", "a conditional needs both values", "if", 'write: a if condition else ""'),
    ("{% for a, b in x %}{% endfor %}", "a loop has one name: {% for item in list %}", "for", None),
    (
        "{% for a in [1] %}{% endfor %}",
        "a loop goes over a value that is there already: a name, a field or what a filter gives",
        "for",
        None,
    ),
    ("{% for a in x recursive %}{% endfor %}", "a loop cannot be recursive", "recursive", None),
    ("{{ x | uper }}", "there is no filter `uper`", "uper", "did you mean upper?"),
    (
        "{{ x | nothingatall }}",
        "there is no filter `nothingatall`",
        "nothingatall",
        "there is abs, date, default, duration, first, float, fromjson, int, items, join, keys, last, …",
    ),
    (
        "{{ x is empti }}",
        "there is no test `empti`",
        "empti",
        "there is boolean, contains, defined, endswith, eq, equalto, false, ge, gt, in, integer, le, …",
    ),
    ("{{ x | upper(*y) }}", "`upper` takes its arguments one by one", "upper", None),
    ("{{ x | upper(**y) }}", "`upper` takes its arguments one by one", "upper", None),
    ("{% filter upper %}x{% endfilter %}", "a filter follows a value: {{ x | upper }}", "filter", None),
    ("{{ x | upper(1) }}", "the filter `upper` cannot be used like this: too many positional arguments", "upper", None),
    (
        "{{ x | truncate(nope=1) }}",
        "the filter `truncate` cannot be used like this: got an unexpected keyword argument 'nope'",
        "truncate",
        None,
    ),
    ("{{ x | map('uper') }}", "`map` knows no `uper`", "uper", "did you mean upper?"),
    ("{{ x | select('defind') }}", "`select` knows no `defind`", "defind", "did you mean defined?"),
    ("{{ x | reject('defind') }}", "`reject` knows no `defind`", "defind", "did you mean defined?"),
    ("{{ x | selectattr('a', 'defind') }}", "`selectattr` knows no `defind`", "defind", "did you mean defined?"),
    ("{{ x | rejectattr('a', 'defind') }}", "`rejectattr` knows no `defind`", "defind", "did you mean defined?"),
    (
        "{{ x | map('qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq') }}",
        "`map` knows no `qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq`",
        "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
        None,
    ),
    ("{% set a = 1 %}", "a template cannot set a name; use vars", "set", None),
    ("{% set a %}{% endset %}", "a template cannot set a name; use vars", "set", None),
    ("{{ f() }}", "a template cannot call anything; use a filter", "(", None),
    ("{{ 1 / 2 }}", "a template cannot divide", "/", None),
    ("{% extends 'a' %}", "a template stands alone", "extends", None),
    ("{{ 1 // 2 }}", "a template cannot divide", "//", None),
    ("{% import 'a' as b %}", "a template stands alone", "import", None),
    ("{% from 'a' import b %}", "this construct cannot stand in a template", None, None),
    ("{% include 'a' %}", "a template stands alone", "include", None),
    ("{% macro a() %}{% endmacro %}", "a template cannot define macros", "macro", None),
    ("{{ 'a' % 1 }}", "a template cannot format or divide with %", "%", None),
    ("{{ 2 * 2 }}", "a template cannot multiply", "*", None),
    ("{{ 2 ** 2 }}", "a template cannot multiply", "**", None),
    ("{% call a() %}{% endcall %}", "this construct cannot stand in a template", None, None),
    ("{% block a %}{% endblock %}", "this construct cannot stand in a template", None, None),
    ("{% raw %}{{ x }}{% endraw %}", "a template cannot hold raw blocks", "raw", 'write {{ "{{" }} for two braces'),
    ("{{ +a }}", "this construct cannot stand in a template", None, None),
]

CONDITIONS = [
    ("a = b", "the expression should end before `=`", "=", "compare with =="),
    ("a b c", "the expression should end before `b`", "b", None),
    ("a == b extra words that go on and on", "the expression should end before `extra`", "extra", None),
    ("", "the condition is empty", None, None),
    ("_x", "a name cannot start with an underscore", "_x", None),
    ("a if b", "a conditional needs both values", "if", 'write: a if condition else ""'),
]

FAILURES = [
    ("{{ x | int }}", {"x": "a"}, "the text is not a number", "give the filter a default for it, such as int(0)"),
    ("{{ x | float }}", {"x": "a"}, "the text is not a number", "give the filter a default for it, such as int(0)"),
    ("{{ x | fromjson }}", {"x": "{"}, "`fromjson` takes JSON text", None),
    ("{{ x | fromjson }}", {"x": "NaN"}, "`fromjson` takes JSON text", None),
    ("{{ x | map(attribute='a') }}", {"x": [{"a": 1}, {}]}, "item 1 has no field `a`", "give map a default for it"),
    ("{{ x | map(y) }}", {"x": ["a"], "y": "uper"}, "there is no `uper`", "did you mean upper?"),
    (
        "{{ x | sort }}",
        {"x": [1, "a"]},
        "values of types number and string have no order",
        "sort by an attribute whose values are all numbers or all text",
    ),
    (
        "{{ x | sort }}",
        {"x": [[1], [2]]},
        "values of types array have no order",
        "sort by an attribute whose values are all numbers or all text",
    ),
    ("{{ x | timestamp('h') }}", {"x": 0}, 'the unit is "s" or "ms"', None),
    ("{{ x | date('%Y') }}", {"x": "soon"}, "not a point in time", "write it like 2026-11-23T22:30:00Z, or as seconds since 1970"),
    ("{{ x | date('%Y', 'Mars') }}", {"x": 0}, "not a known time zone", "use an IANA name such as Europe/Berlin"),
    ("{{ x is within('8-18') }}", {"x": 0}, "not a time of day", "write it like 08:00-18:00 or 22:00-06:00"),
    (
        "{{ x < 'a' }}",
        {"x": 1},
        "integer cannot be ordered against string",
        "compare two numbers or two texts; `| int` makes text a number",
    ),
    ("{{ 1 + x }}", {"x": "a"}, "+ and - take numbers, found string", "`~` puts texts together; `| int` makes text a number"),
    ("{{ x - 1 }}", {"x": "a"}, "+ and - take numbers, found string", "`~` puts texts together; `| int` makes text a number"),
    ("{{ -x }}", {"x": "a"}, "+ and - take numbers, found string", "`~` puts texts together; `| int` makes text a number"),
    ("{{ x is matches('(') }}", {"x": "a"}, "the pattern of `matches` is not a regular expression: missing ) at position 1", None),
    ("{{ x | upper }}", {"x": 1}, "`upper` takes string, found integer", None),
    ("{{ nobody }}", {}, "`nobody` is not there", "there is nothing in it"),
    ("{{ x.y }}", {"x": {}}, "`x.y` is not there", "there is nothing in it"),
    ("{{ x.y.z }}", {"x": {"y": {"a": 1}}}, "`x.y.z` is not there", "there is a"),
    ("{% for a in x %}{{ a }}{% endfor %}", {"x": "abc"}, "a loop goes over a list, found string", None),
    ("{{ x | map('upper') }}", {"x": [1]}, "`upper` takes string, found integer", None),
]


def refused(read, source):
    with pytest.raises(TemplateError) as caught:
        read(source)
    return caught.value.message, caught.value.fragment, caught.value.hint


@pytest.mark.parametrize(("source", "message", "fragment", "hint"), TEXTS, ids=[row[0][:40] for row in TEXTS])
def test_a_template_that_is_refused(source, message, fragment, hint):
    assert refused(template.text, source) == (message, fragment, hint)


@pytest.mark.parametrize(("source", "message", "fragment", "hint"), CONDITIONS, ids=[row[0][:40] for row in CONDITIONS])
def test_a_condition_that_is_refused(source, message, fragment, hint):
    assert refused(template.expression, source) == (message, fragment, hint)


@pytest.mark.parametrize(
    ("source", "hint"),
    [("{{ a = b }}", "compare with =="), ("{{ a || b }}", "write or"), ("{{ a && b }}", "write and"), ("{{ a ! b }}", "write not")],
)
def test_signs_of_other_languages_are_known(source, hint):
    message, _, told = refused(template.text, source)
    assert message.startswith("the template cannot be read: ") and told == hint


@pytest.mark.parametrize(("source", "names", "message", "hint"), FAILURES, ids=[f"{at} {row[0][:40]}" for at, row in enumerate(FAILURES)])
def test_a_template_that_fails(source, names, message, hint):
    with pytest.raises(StepError) as caught:
        template.text(source).render(names)
    error = caught.value
    assert (error.message, error.hint, error.code, error.again) == (message, hint, "template", "never")
