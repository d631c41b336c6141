"""Where the limits of templates lie, to the last one: what is just taken, and what is one too many."""

from __future__ import annotations

import time
from types import MappingProxyType

import pytest

from engine import template
from engine.errors import StepError
from engine.template import TemplateError, Unknown, UnknownValue, jinja, moments, predicates
from engine.template.filters import FILTERS
from engine.template.functions import table
from engine.template.predicates import TESTS
from engine.template.values import LARGEST_INTEGER, LONGEST_LIST, LONGEST_TEXT, as_json, kind, nearest, number, weigh


def render(source, **names):
    return template.text(source).render(names)


def holds(source, **names):
    return template.expression(source).holds(names)


def fails(source, **names):
    with pytest.raises(StepError) as caught:
        render(source, **names)
    return caught.value.message


def refused(source):
    with pytest.raises(TemplateError) as caught:
        template.text(source)
    return caught.value.message, caught.value.hint


def nested(depth):
    return "{{ " + "[" * depth + "1" + "]" * depth + " }}"


SMALLER = "move parts of it to vars"


def test_a_source_of_the_longest_length_is_taken():
    assert template.text("{{ x }}" + "a" * 8185).is_static is False
    assert refused("{{ x }}" + "a" * 8186) == ("the template is longer than 8192 bytes", SMALLER)
    assert refused("{{ x }}" + "ü" * 4093) == ("the template is longer than 8192 bytes", SMALLER)


def test_as_many_parts_as_there_may_be():
    most = next(count for count in range(1, 400) if _is_refused("{{ [" + "1," * count + "1] }}"))
    assert most == 397  # with the list, its output and the template: 400 parts in all
    assert refused("{{ [" + "1," * most + "1] }}") == ("the template is too large: at most 400 parts", SMALLER)


def test_as_deep_as_it_may_be():
    deepest = next(depth for depth in range(1, 60) if _is_refused(nested(depth)))
    assert deepest == 31  # the template and its output are levels too
    assert refused(nested(deepest)) == ("the template is nested deeper than 32", SMALLER)


def _is_refused(source):
    try:
        template.text(source)
    except TemplateError:
        return True
    return False


def test_as_many_words_and_signs_as_there_may_be():
    words = "{{ " + "a " * 1198  # with its opening 1,199
    assert refused(words + "}}")[0].startswith("the template cannot be read")
    assert list(jinja._TokenLimit(jinja._environment()).filter_stream(iter(range(1201)))) == list(range(1201))
    with pytest.raises(TemplateError) as caught:
        list(jinja._TokenLimit(jinja._environment()).filter_stream(iter(range(1202))))
    assert (caught.value.message, caught.value.hint) == ("the template is too large: at most 1200 words and signs", SMALLER)


def test_numbers_up_to_the_largest():
    assert render("{{ 9223372036854775808 }}") == LARGEST_INTEGER == number(LARGEST_INTEGER)
    assert refused("{{ 9223372036854775809 }}")[0] == "the number is too large"
    with pytest.raises(StepError, match=r"^the number is too large"):
        number(LARGEST_INTEGER + 1)


def test_a_text_of_the_longest_length_is_given():
    half, rest = "a" * 100_000, "b" * (LONGEST_TEXT - 100_001)
    assert len(render("{{ x }} {{ y }}", x=half, y=rest)) == LONGEST_TEXT
    assert fails("{{ x }} {{ y }}", x=half, y=rest + "b") == f"the text is longer than {LONGEST_TEXT} characters"
    assert len(render("{{ x | upper }} {{ y }}", x=half, y=rest)) == LONGEST_TEXT
    assert fails("{{ x | upper }} {{ y }}", x=half, y=rest + "b")
    assert len(render("{{ [x, y] | join('-') }}", x=half, y=rest)) == LONGEST_TEXT
    assert fails("{{ [x, y] | join('-') }}", x=half, y=rest + "b")
    assert fails("{{ x | join }}", x=["a" * 200_000, "b" * 200_000]) == "`join` would make the text too long"
    assert fails("{{ x | replace('a', y) }}", x="a" * 6, y="b" * 100_000) == "`replace` would make the text too long"
    assert len(render("{{ [x, y] | join }}", x="x" * 100_000, y="a" * (LONGEST_TEXT - 100_000))) == LONGEST_TEXT
    assert len(render("{{ x | replace('a', '') }}", x="ab" * LONGEST_TEXT)) == LONGEST_TEXT


def test_lists_up_to_the_longest():
    assert render("{{ x | length }}", x=[0] * LONGEST_LIST) == LONGEST_LIST
    assert fails("{{ x | length }}", x=[0] * (LONGEST_LIST + 1)).startswith("too much for `length`")


def test_sums_of_texts_and_lists_end_at_the_longest():
    join = jinja._add
    assert len(join("a" * (LONGEST_TEXT - 1), "b")) == LONGEST_TEXT
    with pytest.raises(StepError, match=r"^\+ would make the value too long$"):
        join("a" * LONGEST_TEXT, "b")
    assert join([1], [2]) == [1, 2]
    assert len(join([0] * (LONGEST_LIST - 1), [0])) == LONGEST_LIST
    with pytest.raises(StepError, match=r"^\+ would make the value too long$"):
        join([0] * LONGEST_LIST, [0])


def test_loops_go_round_as_often_as_they_may():
    source = "{% for a in x %}{% endfor %}{% for a in y %}{% endfor %}"
    assert render(source, x=[0] * 9_999, y=[0]) == ""
    assert fails(source, x=[0] * 9_999, y=[0, 0]) == "the loops of the template go round more than 10000 times"


def test_the_time_of_a_render_is_up(monkeypatch):
    budget = jinja.Budget()
    budget.check()
    now = time.thread_time()
    monkeypatch.setattr(time, "thread_time", lambda: now + 60)
    with pytest.raises(StepError, match="computes for longer than"):
        budget.check()


@pytest.mark.parametrize(("length", "size"), [(254, 254), (255, 255), (256, 255)])
def test_truncate_cuts_at_its_length(length, size):
    assert len(render("{{ x | truncate }}", x="a" * length)) == size


@pytest.mark.parametrize(
    ("source", "value", "result"),
    [
        ("{{ x | urlencode }}", "a/b c", "a%2Fb%20c"),
        ("{{ x | tojson }}", [1], "[1]"),
        ("{{ x | tojson(0) }}", [1], "[\n1\n]"),
        ("{{ x | tojson(99) }}", [1], "[\n        1\n]"),
        ("{{ x | int }}", " -7 ", -7),
        ("{{ x | int }}", "+7", 7),
        ("{{ x | int }}", "7.9", 7),
        ("{{ x | int }}", "9007199254740993", 9007199254740993),
        ("{{ x | int }}", " +9007199254740993", 9007199254740993),
        ("{{ x | round(-99) }}", 1.6e15, 2e15),
        ("{{ (1, 2) + x }}", [3], [1, 2, 3]),
        ("{{ x | min }}", ["a", "B"], "B"),
        ("{{ x | max }}", ["a", "B"], "a"),
        ("{{ x | sort }}", ["B", "a"], ["a", "B"]),
        ("{{ x | sort(case_sensitive=true) }}", ["a", "B"], ["B", "a"]),
        ("{{ x | round(15) }}", 0.1234567890123456, 0.123456789012346),
        ("{{ x | round(99) }}", 0.1234567890123456, 0.123456789012346),
        ("{{ x | round(-1) }}", 15, 20),
        ("{{ x | last }}", [1, 2, 3], 3),
        ("{{ x[-3] }}", [1, 2, 3], 1),
        ("{{ x | min }}", [2, 1], 1),
        ("{{ x | min(attribute='a') }}", [{"a": 2}, {"a": 1}], {"a": 1}),
        ("{{ x | max(attribute='a') }}", [{"a": 2}, {"a": 3}], {"a": 3}),
        ("{{ x | min | default('none') }}", [], "none"),
        ("{{ x | max | default('none') }}", [], "none"),
        ("{{ x | selectattr('a') | length }}", [{"a": True}, {"a": False}], 1),
        ("{{ x | rejectattr('a') | length }}", [{"a": True}, {"a": False}, {"a": False}], 2),
        ("{{ x | rejectattr('a', 'defined') | length }}", [{"a": 1}, {}], 1),
        ("{{ x | reject('<', 2) }}", [1, 2, 3], [2, 3]),
        ("{{ x | select('<=', 2) }}", [1, 2, 3], [1, 2]),
        ("{{ x | select('>', 2) }}", [1, 2, 3], [3]),
        ("{{ x | rejectattr('a', '>=', 2) }}", [{"a": 1}, {"a": 2}], [{"a": 1}]),
        ("{{ x | date('" + "%" * 100 + "') }}", 0, "%" * 50),
        ("{{ -x }}", 5, -5),
        ("{{ x ~ 1 }}", "a", "a1"),
        ("{{ [1] + x }}", [2], [1, 2]),
    ],
)
def test_a_filter_at_its_edges(source, value, result):
    found = render(source, x=value)
    assert (found, type(found)) == (result, type(result))


def test_a_format_of_a_date_may_be_so_long():
    assert fails("{{ 0 | date('" + "%" * 101 + "') }}") == "the format of `date` is too long"


def test_map_takes_one_of_its_two():
    assert fails("{{ x | map }}", x=[1]) == '`map` takes one of them: map(attribute="name") or map("upper")'


def test_what_is_none_of_jsons_numbers_is_not_read():
    with pytest.raises(StepError) as caught:
        render("{{ x | fromjson }}", x="NaN")
    assert str(caught.value.__cause__) == "NaN and Infinity are not JSON"


@pytest.mark.parametrize(
    ("condition", "names", "expected"),
    [
        ("x <= 2", {"x": 2}, True),
        ("x <= 2", {"x": 3}, False),
        ("x < 2", {"x": 2}, False),
        ("x >= 2", {"x": 2}, True),
        ("x > 2", {"x": 2}, False),
        ("1 < x <= 3", {"x": 3}, True),
        ("1 < x <= 3", {"x": 1}, False),
        ("1 < x <= 3", {"x": 4}, False),
        ("x is lt 2", {"x": 2}, False),
        ("x is le 2", {"x": 2}, True),
        ("x is string", {"x": "a"}, True),
        ("x is string", {"x": 1}, False),
        ("x is matches('^a')", {"x": "a" * 65536}, True),
        ("0 is within('00:00-00:01')", {}, True),
        ("60 is within('00:00-00:01')", {}, False),
        ("86399 is within('23:59-24:00')", {}, True),
        ("x is within('22:30-06:15', days='thu')", {"x": 0}, False),  # 1970-01-01 was a Thursday; its night began on Wednesday
        ("x is within('22:30-06:15', days='wed')", {"x": 0}, True),
        ("x is within('22:30-06:15', days='thu')", {"x": 22.5 * 3600}, True),
        ("x is within('22:30-06:15')", {"x": 6.25 * 3600 - 1}, True),
        ("x is within('22:30-06:15')", {"x": 6.25 * 3600}, False),
        ("x is within('00:00-24:00', days='fri-mon')", {"x": 86400}, True),
        ("x is within('00:00-24:00', days='fri-mon')", {"x": 4 * 86400}, True),
        ("x is within('00:00-24:00', days='fri-mon')", {"x": 5 * 86400}, False),
        ("x is within('00:00-24:00', days='fri-mon')", {"x": 0}, False),
        ("x is within('00:00-24:00', days='sat, sun')", {"x": 2 * 86400}, True),
        ("x is within('00:00-24:00', days='sat, sun')", {"x": 86400}, False),
    ],
)
def test_a_test_at_its_edges(condition, names, expected):
    assert holds(condition, **names) is expected


def test_a_subject_of_matches_may_be_so_long():
    with pytest.raises(StepError, match="at most 65536 characters"):
        holds("x is matches('a')", x="a" * 65537)


def test_days_that_are_none_are_told():
    with pytest.raises(StepError) as caught:
        moments.days("mon-funday")
    assert (caught.value.message, caught.value.hint) == ("not days of the week", "write them like mon-fri or sat,sun")
    assert moments.days("sun-tue") == {6, 0, 1} and moments.days("wed") == {2} and moments.days("mon-sun") == set(range(7))


@pytest.mark.parametrize("written", ["2026-01-01T12:00:00", "2026-01-01T14:00:00+02:00", 1767268800])
def test_a_moment_is_in_utc_wherever_the_machine_stands(written, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moments.moment(written).isoformat() == "2026-01-01T12:00:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("value", "size"), [("abc", 4), (1, 1), ([1, "ab"], 5), ({"key": "value"}, 10), ({"a": {"b": None}}, 5), ([[]], 2), (Unknown("x"), 1)]
)
def test_a_values_weight_is_its_least_size(value, size):
    assert weigh(value) == size
    assert weigh(value, size) == size
    with pytest.raises(StepError, match=f"larger than {size - 1} characters"):
        weigh(value, size - 1)


def test_a_few_names_are_told_and_no_more():
    names = [f"n{number:02d}" for number in range(13)]
    assert nearest("zzz", names[:12]) == f"there is {', '.join(names[:12])}"
    assert nearest("zzz", names) == f"there is {', '.join(names[:12])}, …"
    assert nearest("zzz", []) == "there is nothing in it"


def test_a_condition_that_is_neither_is_told_as_far_as_it_is_short():
    for length, told in ((80, "x" * 80), (81, "x" * 79 + "…")):
        with pytest.raises(StepError) as caught:
            holds("x" * length, **{"x" * length: 1})
        assert caught.value.message == f"the condition `{told}` must be true or false, found integer"
        assert caught.value.hint == "compare the value with something"


def test_a_text_with_a_secret_in_it_is_refused_in_words():
    with pytest.raises(StepError) as caught:
        render("a {{ secrets.key }}")
    assert caught.value.message == "a secret can only be the whole value of a field that takes one"
    assert caught.value.hint == "core.http takes one in auth, core.command in env"


def test_an_unknown_keeps_its_name_through_what_is_done_with_it():
    x = Unknown("x", {"type": "array", "items": {"type": "integer"}})
    assert (x[0].name, x[0].schema) == ("x[0]", {"type": "integer"})
    assert render("{{ -x }}", x=Unknown("n")).name == "-n"
    assert {x: 1}[x] == 1 and hash(x) != hash(Unknown("y"))


# -- what is made once, at import ----------------------------------------------------------------------------------------


def test_the_environment_lends_templates_nothing_of_pythons():
    made = jinja._environment()
    assert made.globals == {}
    assert set(made.filters) == {*FILTERS, jinja._EACH} and set(made.tests) == set(TESTS)
    assert (made.optimized, made.keep_trailing_newline, made.lstrip_blocks, made.trim_blocks) == (False, True, True, True)
    assert made.undefined is jinja.Absent
    assert made.extensions and made.finalize is jinja._finalize


def test_a_table_reads_its_functions_off_their_annotations():
    def shout(value: str, times: int = 1) -> str:
        return value.upper() * times

    def count(value: list | str) -> int:  # type: ignore[type-arg]
        return len(value)

    shout.__annotations__ = {"value": "str", "times": "int", "return": "str"}
    count.__annotations__ = {"value": "list[Any] | str", "return": "int"}
    made = table({"shout": shout, "count": count}, frozenset({"count"}))
    assert list(made) == ["count", "shout"]
    assert (made["shout"].name, made["shout"].call, made["shout"].lenient, made["count"].lenient) == ("shout", shout, False, True)
    assert made["shout"].parameters == {"value": ("string",), "times": ("integer",)}
    assert (made["shout"].gives, made["count"].gives) == (("string",), ("integer",))
    assert made["count"].parameters == {"value": ("array", "string")}
    assert made["shout"]("a", times=2) == "AA"
    assert made["shout"].misuse(2, set()) == "too many positional arguments" and made["shout"].misuse(0, {"times"}) is None


def test_a_slice_of_an_unknown_is_one_of_its_kind():
    schema = {"type": "array", "items": {"type": "integer"}}
    part = Unknown("x", schema)[1:]
    assert (part.name, part.schema, part[0].schema) == ("x[…]", schema, {"type": "integer"})
    assert (Unknown("x").a.name, Unknown("x").a.schema, (Unknown("x") + 1).name) == ("x.a", None, "x …")
    with pytest.raises(AttributeError, match="_private"):
        Unknown("x")._private


@pytest.mark.parametrize(
    ("source", "names", "message"),
    [
        ("{{ x | tojson }}", {"x": [float("nan")]}, "the value cannot be written as JSON"),
        (
            "{{ x | upper }}",
            {"x": object()},
            "this value cannot be used inside a template; a secret can only be the whole value of a field",
        ),
        ("{{ x[y:z] }}", {"x": [1], "y": "a", "z": 1}, "the template cannot be computed: an operation does not fit its values"),
    ],
)
def test_what_cannot_be_done_with_a_value(source, names, message):
    assert fails(source, **names) == message


def test_what_jinja_cannot_parse_is_told_in_our_words():
    assert refused("{{ " + "(-" * 500 + "1" + ")" * 500 + " }}") == ("the template is nested too deep", SMALLER)
    assert refused("{{ 1" + "0" * 5000 + " }}") == ("the template holds a number that is too large", None)


@pytest.mark.parametrize("use", [bool, iter, len, lambda x: 1 in x])
def test_an_unknown_says_which_it_is_when_its_value_is_needed(use):
    with pytest.raises(template.UnknownValue) as caught:
        use(Unknown("steps.a.outputs.b"))
    assert caught.value.name == "steps.a.outputs.b"


@pytest.mark.parametrize("word", ["and", "else", "false", "if", "in", "is", "none", "not", "or", "self", "true"])
def test_a_word_of_the_language_is_no_name(word):
    assert template.text("{{ x.%s }}" % word).shape == "path" if word != "self" else True
    try:
        found = template.text("{{ %s.x }}" % word)
    except TemplateError:
        return
    assert found.shape == "jinja"


def test_a_template_knows_its_source_and_its_shape():
    shapes = {source: template.text(source).shape for source in ("a", "{{ a.b }}", "a {{ b }}", "{{ a | upper }}")}
    assert list(shapes.values()) == ["static", "path", "paths", "jinja"]
    assert [template.text(source).source for source in shapes] == list(shapes)
    assert (template.expression("a.b").source, template.expression("a.b").shape) == ("a.b", "path")
    assert (template.expression("a == 1").source, template.expression("a == 1").shape) == ("a == 1", "jinja")


def test_an_unknown_argument_is_found_behind_a_list_that_holds_none():
    assert render("{{ x | join(y) }}", x=["a"], y=Unknown("u")).name == "u | join"


def test_a_field_in_brackets_is_spelt_as_written_or_without_blanks():
    assert template.text('{{ x[ "a" ] }}').references[0].fragment == 'x["a"]'
    assert template.text("{{ x['a'] | upper }}").references[0].fragment == "x['a']"
    assert template.expression("x['a'] == 1").references[0].fragment == "x['a']"


def test_what_is_below_a_value_without_fields_has_no_schema():
    assert Unknown("x", {"type": "string"})["a"].schema is None
    assert Unknown("x", {"items": {"type": "integer"}})[0].schema == {"type": "integer"}
    assert Unknown("x", {"properties": {"a": True}})["a"].schema is None


@pytest.mark.parametrize(
    ("source", "message", "fragment"),
    [
        ("{{ x | uper }}", "there is no filter `uper`", "uper"),
        ("{{ x is strng }}", "there is no test `strng`", "strng"),
        ("{{ x | upper(*y) }}", "`upper` takes its arguments one by one", "upper"),
        ("{{ x | upper(**y) }}", "`upper` takes its arguments one by one", "upper"),
        ("{% filter upper %}a{% endfilter %}", "a filter follows a value: {{ x | upper }}", "filter"),
        ("{{ x | upper(1) }}", "the filter `upper` cannot be used like this: too many positional arguments", "upper"),
        ("{{ x | replace('a') }}", "the filter `replace` cannot be used like this: missing a required argument: 'new'", "replace"),
        (
            "{{ x | truncate(size=5) }}",
            "the filter `truncate` cannot be used like this: got an unexpected keyword argument 'size'",
            "truncate",
        ),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(source, message, fragment):
    with pytest.raises(TemplateError) as caught:
        template.text(source)
    assert (caught.value.message, caught.value.fragment) == (message, fragment)


def test_what_is_unknown_is_named_by_what_is_done_with_it():
    assert [render(source, x=Unknown("u")).name for source in ("{{ x + 1 }}", "{{ 1 - x }}", "{{ -x }}")] == ["u + …", "u - …", "-u"]


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("inputs.a.b.c.d is defined", [("inputs", "a", "b", "c", "d")]),
        ("steps.a.outputs.b.c is defined", [("steps", "a", "outputs")]),
        ("steps.a is defined", [("steps", "a")]),
        ("x['a'] is defined and x[0] is defined", [("x", "a"), ("x", 0)]),
    ],
)
def test_what_is_surely_there(condition, there):
    assert list(template.expression(condition).guards) == there


def test_in_a_loop_its_condition_holds():
    (_, condition, inside) = template.text("{% for t in xs if a.b is defined %}{{ a.b }}{% endfor %}").references
    assert (condition.path, condition.guarded) == (inside.path, inside.guarded) == (("a", "b"), True)
    assert not template.text("{% for t in xs if a.b is undefined %}{{ a.b }}{% endfor %}").references[2].guarded


def test_a_word_of_the_language_is_no_name_however_long_the_path():
    assert refused("{{ self.a.b }}")[0] == "`self` is no name of a runbook"


@pytest.mark.parametrize(("at", "inside"), [("09:29", False), ("09:30", True), ("17:14", True), ("17:15", False)])
def test_minutes_count(at, inside):
    assert holds("x is within('09:30-17:15')", x=f"2026-11-23T{at}:00Z") is inside


def test_what_json_does_not_know_is_named_so():
    with pytest.raises(StepError, match="^this value cannot be used inside a template"):
        as_json([object()])


def test_any_mapping_is_written_as_an_object():
    assert as_json({"a": MappingProxyType({"b": 1})}) == '{"a": {"b": 1}}'


def test_a_pattern_that_takes_too_long_is_told(monkeypatch):
    monkeypatch.setattr(predicates, "MATCH_SECONDS", 0.001)
    with pytest.raises(StepError) as caught:
        holds("s is matches(p)", s="a" * 60_000 + "!", p="(.*a){20}$")
    assert caught.value.message == "the pattern of `matches` takes too long on this text"
    assert caught.value.hint == "avoid repeats inside repeats, such as (a+)+"


def test_what_jinja_is_told():
    made = jinja._environment()
    assert (made.trim_blocks, made.lstrip_blocks, made.keep_trailing_newline, made.optimized) == (True, True, True, False)
    assert (made.undefined, made.finalize, made.globals) == (jinja.Absent, jinja._finalize, {})
    assert (set(made.filters) - {jinja._EACH}, set(made.tests)) == (set(FILTERS), set(TESTS))
    assert made.filters[jinja._EACH] is jinja._each
    assert any(isinstance(extension, jinja._TokenLimit) for extension in made.extensions.values())
    assert made.from_string("{{ 'a' | upper }}{{ 'b' is string }}").render({jinja.BUDGET: jinja.Budget()}) == "Atrue"


def test_a_value_that_is_unknown_is_named():
    with pytest.raises(UnknownValue) as caught:
        kind(Unknown("u"))
    assert caught.value.name == "u"


def test_one_value_of_the_longest_length_stands_in_a_text():
    assert len(render("{{ x }}{{ y }}", x="a" * LONGEST_TEXT, y="")) == LONGEST_TEXT


def test_what_a_filter_did_not_find_is_not_there():
    assert fails("{{ x | first }}", x=[]) == "`first` is not there"
    assert fails("{{ x | max | abs }}", x=[]) == "`max` is not there"


def test_a_pattern_of_the_longest_length_is_taken():
    assert holds("s is matches(p)", s="a" * 512, p="a" * 512)
