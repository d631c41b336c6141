"""engine.source: what is read, where it stands, and what is refused."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import Invalid, Place
from engine.source import Document, Limits, content, load, load_text, read

HOSTILE = Path(__file__).parent / "hostile_yaml"
FILES = sorted(HOSTILE.glob("*.yaml"))
MIB = 1 << 20


def refused(text, **limits):
    with pytest.raises(Invalid) as caught:
        read(text, "f", Limits(**limits))
    return caught.value.findings


def told(text, **limits):
    return [f"{finding.place} {finding.id} {finding.message}" for finding in refused(text, **limits)]


def shown(text):
    """As `told`, with how much is underlined, and what to do; every one is an error."""
    return [
        f"{line} ({finding.width} wide: {finding.hint})"
        for line, finding in zip(told(text), refused(text), strict=True)
        if finding.severity == "error"
    ]


# --- values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("0", 0),
        ("-0", 0),
        ("42", 42),
        ("-7", -7),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("9" * 640, int("9" * 640)),
    ],
)
def test_words_and_json_numbers_are_typed(text, value):
    got = read(f"a: {text}", "f").value["a"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "text",
    "True NULL None no off on yes y .inf .nan nan Infinity +1202 0123 0x1F 0o17 1_000 1. .5 1e -. 22:30 2026-11-23 2026-11-23T10:00:00Z 1.2.3 ١٢ - = 1,5 5% 1h30m".split(),
)
def test_everything_else_is_text(text):
    assert read(f"a: {text}" if text != "-" else "a: '-'", "f").value["a"] == text


@pytest.mark.parametrize("text", ["true", "null", "1", "1e999", "", "~", "9" * 700])
def test_quoted_is_text(text):
    assert read(f'"{text}"', "f").value == text
    assert read(f"'{text}'", "f").value == text


def test_empty_values_are_null():
    assert read("a:\nb: [1, ]\nc: {d, e: }", "f").value == {"a": None, "b": [1], "c": {"d": None, "e": None}}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "\ufeff"])
def test_an_empty_file_is_null_at_its_start(text):
    document = read(text, "f")
    assert document.value is None
    assert document.place(()) == Place("f", 1, 1)
    assert document.place(("a", 0)) == Place("f", 1, 1)


def test_keys_are_the_text_as_written():
    text = "1: a\ntrue: b\n1.50: c\n2026-11-23: d\n'null': e\n\"\": f\n'<<': g\n? long\n: h\n"
    assert read(text, "f").value == {"1": "a", "true": "b", "1.50": "c", "2026-11-23": "d", "null": "e", "": "f", "<<": "g", "long": "h"}


def test_block_scalars_and_folds():
    assert read("a: |\n  x\n  y\nb: >-\n  x\n  y\nc: x\n  y\n", "f").value == {"a": "x\ny\n", "b": "x y", "c": "x y"}


def test_text_with_a_byte_order_mark():
    document = read("\ufeffa: 1", "f")
    assert (document.value, document.text, document.place(("a",))) == ({"a": 1}, "a: 1", Place("f", 1, 4))


def test_bytes_with_a_byte_order_mark_and_crlf():
    document = read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n", "f")
    assert document.value == {"a": 1, "b": ["x"]}
    assert document.place(("b", 0)) == Place("f", 3, 5)
    assert [document.line(number) for number in range(1, 5)] == ["a: 1", "b:", "  - x", ""]


def test_one_document_may_be_marked():
    assert read("# c\n---\na: 1\n...\n# end\n", "f").value == {"a": 1}


def test_aliases_share_the_anchors_value_and_place():
    document = read("a: &a [x, {y: 1}]\nb: *a\nc: &k d\ne: *k\n", "f")
    assert document.value == {"a": ["x", {"y": 1}], "b": ["x", {"y": 1}], "c": "d", "e": "d"}
    assert document.place(("b", 1, "y")) == document.place(("a", 1, "y")) == Place("f", 1, 15)
    assert document.place(("b",), key=True) == Place("f", 2, 1)


def test_an_alias_of_a_scalar_stands_where_its_anchor_does():
    document = read("a: &k d\nb: *k\n", "f")
    assert document.place(("b",)) == document.place(("a",)) == Place("f", 1, 4)


def test_an_anchored_key_can_be_used_as_a_value():
    assert read("&k a: 1\nb: *k\n", "f").value == {"a": 1, "b": "a"}


def test_an_anchor_may_be_set_again():
    assert read("a: &x 1\nb: &x 2\nc: *x\n", "f").value["c"] == 2


# --- places

TEXT = """\
name: röte 🚒  # noqa
steps:
  - id: create
    with: {message: "{{ inputs.summary }}", n: 3}  # noqa: RB101, rb205
    if: steps.a.outputs.alertId == steps.a.outputs.alert
    note: |  # noqa: RB301
      line  # noqa
      {{ steps.b }}
    text: "one
      two # noqa
      three"
    # noqa: nothing
"""


@pytest.fixture(scope="module")
def document():
    return read(TEXT, "book.yaml")


@pytest.mark.parametrize(
    ("path", "key", "line", "column"),
    [
        ((), False, 1, 1),
        (("name",), False, 1, 7),
        (("name",), True, 1, 1),
        (("steps",), False, 3, 3),
        (("steps", 0), False, 3, 5),
        (("steps", 0), True, 3, 5),
        (("steps", 0, "with", "n"), False, 4, 48),
        (("steps", 0, "with", "n"), True, 4, 45),
        (("steps", 0, "with", "absent"), True, 4, 11),
        (("steps", 0, "with", "n", "deeper", 2), False, 4, 48),
        (("steps", 7), False, 3, 3),
        (("steps", "x"), False, 3, 3),
        (("absent",), True, 1, 1),
    ],
)
def test_place(document, path, key, line, column):
    assert document.place(path, key=key) == Place("book.yaml", line, column)


@pytest.mark.parametrize(
    ("path", "fragment", "line", "column", "width"),
    [
        (("steps", 0, "if"), "steps.a.outputs.alert", 5, 36, 21),
        (("steps", 0, "if"), "outputs", 5, 9, 48),
        (("steps", 0, "if"), "==", 5, 33, 2),
        (("steps", 0, "with", "message"), "inputs.summary", 4, 25, 14),
        (("steps", 0, "with", "message"), "{{", 4, 22, 2),
        (("steps", 0, "note"), "steps.b", 8, 10, 7),
        (("steps", 0, "note"), "absent", 6, 11, 1),
        (("steps", 0, "text"), "three", 11, 7, 5),
        (("steps", 0, "text"), "", 9, 11, 4),
        (("steps", 0), "create", 3, 5, 3),
    ],
)
def test_locate(document, path, fragment, line, column, width):
    assert document.locate(path, fragment) == (Place("book.yaml", line, column), width)


def test_finding(document):
    finding = document.finding("RB101", "wrong", ("steps", 0, "with", "n"), key=True, severity="warning", hint="do")
    assert (finding.id, finding.message, finding.severity, finding.hint) == ("RB101", "wrong", "warning", "do")
    assert (finding.place, finding.width) == (Place("book.yaml", 4, 45), 1)
    assert finding.source == TEXT.splitlines()[3]
    fragment = document.finding("RB101", "wrong", ("steps", 0, "note"), fragment="steps.b")
    assert (fragment.place, fragment.width, fragment.source) == (Place("book.yaml", 8, 10), 7, "      {{ steps.b }}")


def test_findings_carry_a_bounded_source_line():
    document = read(f"[{'x' * 2000}, y]", "f")
    assert len(document.finding("RB101", "wrong", (0,)).source) == 1000
    assert document.finding("RB101", "wrong", (1,)).source is None
    assert len(read(f"[{'x' * 997},y, z]", "f").finding("RB101", "wrong", (1,)).source) == 1000


@pytest.mark.parametrize(
    ("line", "ids"),
    [(1, set()), (2, None), (4, {"RB101", "RB205"}), (6, {"RB301"}), (7, None), (10, None), (12, None), (99, None)],
)
def test_noqa(document, line, ids):
    assert document.noqa(line) == (None if ids is None else frozenset(ids))


@pytest.mark.parametrize("text", ["a: x# noqa", "a: '# noqa'", "a: 1 # noqa because", "a: 1 # noqa: RB", "a: |\n  # noqa"])
def test_what_is_no_noqa(text):
    assert read(text, "f").noqa(text.count("\n") + 1) is None


def test_in_text_of_several_lines_no_line_is_a_comment_and_the_line_behind_is_one():
    assert read('a: "b # noqa\n  c # noqa"', "f").noqa(1) is None
    assert read('a: "b\n  c # noqa\n  d"', "f").noqa(2) is None
    behind = read("a: |\n  b # noqa\n# noqa\nc: 1", "f")
    assert (behind.noqa(2), behind.noqa(3)) == (None, frozenset())


def test_what_is_no_word_is_found_next_to_one():
    assert read("a: b{{ x }}c", "f").locate(("a",), "{{ x }}") == (Place("f", 1, 5), 7)


@pytest.mark.parametrize(("text", "width"), [("a:\n  b c: d\n", 6), ("a:\n  b c: d\n  e: f\n", 1), ("a:", 1), ("a: ''", 2)])
def test_how_much_of_a_value_is_underlined(text, width):
    assert read(text, "f").finding("RB101", "m", ("a",)).width == width


def test_equal_documents_compare_equal(document):
    assert document == read(TEXT, "book.yaml")
    assert "_root" not in repr(document)


@pytest.mark.parametrize(
    ("text", "path", "there"),
    [
        ("a: 1 # x\nb: 2\n", ("a",), "1"),
        ("a:\n  b: x\n  c:\n    - 1\n    - y z # last\n\n# more\nd: 1\n", ("a",), "b: x\n  c:\n    - 1\n    - y z"),
        ("a: {b: [1, 2]} # x\nc: 3\n", ("a",), "{b: [1, 2]}"),
        ("a: [1, {b: 2}]\n", ("a", 1), "{b: 2}"),
        ("- a: 1\n  b: two\n- c\n", (0,), "a: 1\n  b: two"),
        ("a: |\n  one\n  two\n\nb: 1\n", ("a",), "|\n  one\n  two"),
        ("a:\n  X: 1\n  Y: 2\n  Z: 3 # c\nb: 1\n", ("a",), "X: 1\n  Y: 2\n  Z: 3"),
        ("a:\n  - 1\n  - 2\n  - 3 # c\nb: 1\n", ("a",), "- 1\n  - 2\n  - 3"),
    ],
)
def test_how_far_a_value_reaches(text, path, there):
    begin, end = read(text, "f").extent(path)
    assert text[begin:end] == there


def test_a_finding_of_a_document_is_an_error_about_the_value(document):
    finding = read("key: value", "f").finding("RB999", "m", ("key",))
    assert (finding.severity, str(finding.place), finding.width, finding.source) == ("error", "f:1:6", 5, "key: value")
    assert read("key: value", "f").finding("RB999", "m", ("key",), key=True).place.column == 1


# --- refusals


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_hostile_file(path):
    before = time.process_time()
    lines = told(path.read_bytes())
    assert time.process_time() - before < 0.2
    expected = [line.partition(":")[2] for line in (HOSTILE / "expected.txt").read_text().splitlines() if line.startswith(f"{path.name}:")]
    assert [line.partition(":")[2] for line in lines] == [line.rpartition(" (")[0] for line in expected]
    assert [line.partition(":")[2] for line in shown(path.read_bytes())] == expected


def test_every_hostile_file_is_expected():
    assert {line.partition(":")[0] for line in (HOSTILE / "expected.txt").read_text().splitlines()} == {path.name for path in FILES}
    assert len(FILES) >= 60


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_pyyamls_own_parser_refuses_the_same_files(path, monkeypatch):
    (first, *_) = refused(path.read_bytes())
    monkeypatch.delattr(yaml, "CLoader")
    (pure, *_) = refused(path.read_bytes())
    assert (pure.id, pure.place.line, pure.message) == (first.id, first.place.line, first.message)


def test_pyyamls_own_parser_reads_the_same_values_and_places(monkeypatch, document):
    monkeypatch.delattr(yaml, "CLoader")
    pure = read(TEXT, "book.yaml")
    assert pure == document
    assert [pure.place(path) for path, _ in scalars(pure.value)] == [document.place(path) for path, _ in scalars(document.value)]


BIG = {
    "brackets": "[" * MIB,
    "braces": "{" * MIB,
    "dashes": "- " * (MIB // 2),
    "questions": "? " * (MIB // 2),
    "flow list": "[" + "a," * (MIB // 2 - 1),
    "list": "-\n" * (MIB // 2),
    "mappings": "a: {b: 1}\n" * 10 + "x:\n" * (MIB // 4),
    "keys": "".join(f"k{i}: 1\n" for i in range(MIB // 11)),
    "bracket lines": "[\n" * (MIB // 2),
    "quote": '"' + "a" * (MIB - 1),
    "quote of lines": '"' + "\n" * (MIB - 1),
    "tag directives": "".join(f"%TAG !a{i}! a\n" for i in range(MIB // 18)),
    "late tag directives": "a\n...\n" + "".join(f"%TAG !a{i}! a\n" for i in range(MIB // 18)),
    "percents": "%" * MIB,
    "documents": "---\n" * (MIB // 4),
    "colons": ": " * (MIB // 2),
    "long key": "a" * (MIB - 4) + ": b",
    "long integer": "9" * MIB,
    "long float": "9" * (MIB - 2) + ".9",
    "tags": "!" + "a" * (MIB - 1),
    "percent tags": "!%41" * (MIB // 4),
    "alias": "*" + "a" * (MIB - 1),
    "anchors": "[" + "&a b," * (MIB // 5 - 1),
    "staircase": "".join(" " * i + "a:\n" for i in range(1400)),
    "nuls": "\0" * MIB,
    "too large": " " * (MIB + 1),
    "wide and too large": ("é" * MIB).encode(),
    "templates": "- {{ x }}\n" * (MIB // 10),
    "duplicates": "a: 1\n" * (MIB // 5),
    "bang": "- !x\n" * (MIB // 5),
    "quadratic blanks": "a: b\n" + " \n" * (MIB // 2 - 8) + "]",
}


def spent_refusing(text):
    before = time.process_time()
    findings = refused(text)
    return time.process_time() - before, findings


@pytest.mark.parametrize("name", BIG)
def test_big_hostile_text_is_refused_in_time(name):
    limit = 0.2 if sys.gettrace() is None else 4  # tracing coverage makes it slower
    spent, findings = spent_refusing(BIG[name])
    assert findings[0].place.line >= 1
    assert len(findings) <= 50
    assert spent < limit or spent_refusing(BIG[name])[0] < limit or spent_refusing(BIG[name])[0] < limit


def test_memory_stays_bounded():
    tracemalloc.start()
    try:
        refused(BIG["keys"])
        assert tracemalloc.get_traced_memory()[1] < 48 * MIB  # of 64: the parser's own memory is not traced
    finally:
        tracemalloc.stop()


def test_limits_are_inclusive():
    text = "a: &a [x]\nb: [*a, *a]\n"
    exact = Limits(size=len(text), depth=3, nodes=10, aliases=2)
    assert read(text, "f", exact).value["b"] == [["x"], ["x"]]
    assert told(text, size=len(text) - 1) == [f"f:2:{len('b: [*a, *a]') + 1} RB005 the file is larger than {len(text) - 1} bytes"]
    assert told(text, depth=2) == ["f:2:5 RB005 lists and mappings more than 2 deep"]
    assert told(text, nodes=9) == ["f:2:9 RB005 more than 9 values, aliases counted each time"]
    assert told(text, aliases=1) == ["f:2:9 RB005 more than 1 aliases"]
    assert len(told("[!a x, !a y, !a z]", findings=2)) == 2


def test_an_alias_counts_as_what_it_stands_for():
    assert read("[&k d, *k]", "f", Limits(nodes=3, depth=1)).value == ["d", "d"]
    text = "a: &a [[x]]\nb: [*a]\n"
    assert read(text, "f", Limits(nodes=10, depth=4)).value["b"] == [[["x"]]]
    assert told(text, depth=3) == ["f:2:5 RB005 lists and mappings more than 3 deep"]


def test_an_anchor_that_is_set_again_is_forgotten_until_it_is_whole():
    assert told("a: &x 1\nb: &x [*x]") == ["f:2:8 RB004 this alias has no anchor that ends before it"]


def test_behind_the_end_nothing_is_read():
    assert told("a: 1\n---\nb: @x\n") == ["f:2:1 RB004 a second document begins here; a file holds one"]


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ({"size": 5}, "1 wide: split the file"),
        ({"depth": 2}, "1 wide: write it flatter"),
        ({"nodes": 9}, "1 wide: split the file"),
        ({"aliases": 1}, "2 wide: write the values out"),
    ],
)
def test_a_limit_says_what_to_do(limits, shown):
    (finding,) = refused("a: &a [x]\nb: [*a, *a]\n", **limits)
    assert f"{finding.width} wide: {finding.hint}" == shown


def test_a_node_too_many_is_pointed_at():
    assert told("- a\n- b\n- c\n", nodes=3) == ["f:3:3 RB005 more than 3 values, aliases counted each time"]


def test_several_kinds_are_reported_at_once_in_order():
    text = "a: {{ x }}\nb: !t 1\nb: 2\n<<: 3\nc: @x\n"
    assert [line.split()[:2] for line in told(text)] == [
        ["f:1:4", "RB002"],
        ["f:2:4", "RB004"],
        ["f:3:1", "RB003"],
        ["f:4:1", "RB004"],
        ["f:5:4", "RB002"],
    ]


def test_a_finding_shows_the_line_and_what_to_do():
    (finding,) = refused("a: 1\nmsg: {{ x }} y\n")
    assert (finding.source, finding.width, finding.hint) == ("msg: {{ x }} y", 7, 'put the whole value in quotes: "{{ … }}"')


ABOVE = f"# {'x' * 2000}\n"


@pytest.mark.parametrize(
    ("text", "place", "words", "width"),
    [
        ("a: {{ x }} {{ y }}", "1:4", "begins with {{", 7),
        ('a: {{ x\nb: "{{ y }}"', "1:4", "begins with {{", 2),
        ('? [a, b]\n: 1\nx: "{{ y }}"', "1:3", "a key must be text, found a list or a mapping", 1),
        ('"a\\', "1:3", "not an escape", 1),
        (f"{ABOVE}a: b\n  c: d", "3:3", "no key can stand here: the line above already has its value", 1),
        (f"{ABOVE}{'k' * 1500}: 1", "2:1", "a key of more than 1024 characters", 1500),
        ("a: b\n  : c", "2:3", "a key is missing before this colon", 1),
        ("a: 1\nb\n", "2:1", "found text where a key and a colon were expected", 1),
        ("x:\n  y:\n      w: 1\n    v: 2", "4:5", "this line is indented by 4, and what began on line 2 by 2", 1),
        ("a: [", "1:5", "RB002 the file ends where a value was expected", 1),
        ('"a": {{ x }} y', "1:6", "begins with {{", 7),
        ("'a': {{ x }} y", "1:6", "begins with {{", 7),
        ('a: "b: {{ x }}', "1:4", 'this " is never closed', 1),
        ("a: 'b: {{ x }}", "1:4", "this ' is never closed", 1),
        ('"a": "b: {{ x }}', "1:6", 'this " is never closed', 1),
    ],
)
def test_a_slip_is_told_where_it_stands(text, place, words, width):
    (line,), (finding,) = told(text), refused(text)
    assert line.startswith(f"f:{place} ") and words in line
    assert finding.width == width


def test_an_unknown_complaint_is_passed_on(monkeypatch):
    def parse(*_args, **_options):
        raise yaml.MarkedYAMLError(problem="something new")
        yield

    monkeypatch.setattr(yaml, "parse", parse)
    assert told("a") == ["f:1:1 RB002 not YAML: something new"]


# --- files


def test_load(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xc3\xa9\n")
    document = load(path)
    assert (document.value, document.file) == ({"a": "é"}, str(path))


def test_load_refuses_a_large_file_with_a_place(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xc3\xa9\xc3\xa9\n")
    with pytest.raises(Invalid) as caught:
        load(path, Limits(size=9))
    assert [(finding.id, finding.place.line) for finding in caught.value.findings] == [("RB005", 2)]


def pipe(path):
    os.mkfifo(path)


def listening(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _path: None, "No such file"),
        (Path.mkdir, "Is a directory"),
        (pipe, "is a pipe"),
        (listening, "cannot read"),
        (lambda path: path.symlink_to("/dev/null"), "is a device"),
        (lambda path: path.symlink_to("/dev/tty"), ""),
        (lambda path: path.symlink_to(path), "symbolic links"),
    ],
)
def test_load_never_waits(tmp_path, monkeypatch, make, message):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    path = Path("x")
    make(path)
    with pytest.raises(Invalid) as caught:
        load(path)
    (finding,) = caught.value.findings
    assert (finding.id, finding.place, finding.severity) == ("RB001", None, "error")
    assert message in finding.message and str(path) in finding.message
    assert finding.hint == (
        "check the name and its permissions" if finding.message.startswith("cannot read x: ") else "name a regular file"
    )


def test_load_refuses_what_names_no_file():
    with pytest.raises(Invalid) as caught:
        load("a\0b")
    (finding,) = caught.value.findings
    assert finding.message == "cannot read a\0b: not a file name"


def test_a_file_of_no_known_kind_is_refused(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("a: 1")
    monkeypatch.setattr("stat.S_ISREG", lambda _mode: False)
    with pytest.raises(Invalid, match=r"x is no regular file$"):
        load(tmp_path / "x")


def test_a_text_that_is_no_yaml_is_read_as_carefully(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("\ufeffa: [ü\n".encode())
    assert load_text(path, 10) == "a: [ü\n" == load_text(str(path), 10)
    for limit, message in ((9, f"{path} is larger than 9 bytes"), (2, f"{path} is larger than 2 bytes")):
        with pytest.raises(Invalid) as caught:
            load_text(path, limit)
        assert [(one.id, one.message, one.hint) for one in caught.value.findings] == [("RB001", message, "give less at a time")]
    path.write_bytes(b"ok\n\xff")
    with pytest.raises(Invalid) as caught:
        load_text(path, 10)
    assert [f"{one.place} {one.message}" for one in caught.value.findings] == [f"{path}:2:1 byte 0xff is not UTF-8"]
    with pytest.raises(Invalid, match="No such file"):
        load_text(tmp_path / "y", 10)


def test_content_is_bytes_and_one_more_than_fits(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\xff" * 20)
    assert content(path, Limits(size=9)) == b"\xff" * 10
    assert content(path) == b"\xff" * 20
    path.write_text("a: 1234\n")
    assert load(path, Limits(size=8)).value == {"a": 1234}
    with pytest.raises(Invalid, match="larger than 7 bytes"):
        load(path, Limits(size=7))


def test_a_limit_above_the_usual_one_is_kept(tmp_path):
    path = tmp_path / "x"
    path.write_text(f"# {'x' * MIB}\na: 1")
    assert load(path, Limits(size=2 * MIB)).value == {"a": 1}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_no_utf_8_is_pointed_at_in_a_file_of_the_largest_size_too(mark):
    assert told(mark + b"a: \xff", size=4 + len(mark)) == ["f:1:4 RB001 byte 0xff is not UTF-8"]


@pytest.mark.parametrize("data", [b"\xff\xfea\0", b"a: \xff"])
def test_bytes_are_refused_under_their_files_name(data):
    with pytest.raises(Invalid) as caught:
        read(data, "books/x.yaml")
    (finding,) = caught.value.findings
    assert (finding.place.file, finding.severity) == ("books/x.yaml", "error")
    assert finding.source == ("" if data.startswith(b"\xff") else "a: \ufffd")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_load_refuses_a_file_without_permission(tmp_path):
    path = tmp_path / "a.yaml"
    path.touch(mode=0)
    with pytest.raises(Invalid, match="Permission denied"):
        load(path)


# --- properties

LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn"), exclude_characters="\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
TEXTS = st.text(LETTERS, max_size=20) | st.sampled_from(["null", "1", "a: b", "# x", "{{ x }}", "\n", "\t x", '"', "'", "<<", "!x", " "])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12)


def scalars(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from scalars(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from scalars(inner, (*path, index))
    else:
        yield path, value


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 0, 2]))
def test_json_reads_back_equal_and_in_place(value, indent):
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    document = read(text, "f")
    assert document.value == value
    assert repr(document.value) == repr(value)
    decoder = json.JSONDecoder()
    lines = text.split("\n")
    for path, leaf in scalars(value):
        place = document.place(path)
        rest = lines[place.line - 1][place.column - 1 :]
        assert decoder.raw_decode(rest)[0] == leaf
        if path and isinstance(path[-1], str):
            at = document.place(path, key=True)
            assert decoder.raw_decode(lines[at.line - 1][at.column - 1 :])[0] == path[-1]


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_yaml_dumps_read_back_in_place(value):
    text = yaml.safe_dump({"v": value}, allow_unicode=True, width=1000, default_style='"')
    try:
        document = read(text, "f")
    except Invalid as error:
        assert {finding.id for finding in error.findings} == {"RB004"}  # the dumper tags what is no text
        return
    for path, _ in scalars(document.value):
        place = document.place(path)
        assert document.line(place.line)[place.column - 1] in '"[{|'


PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\n\t",
        "{",
        "}",
        "[",
        "]",
        ",",
        "{{ x }}",
        "!",
        "!x ",
        "&a ",
        "*a",
        "'",
        '"',
        "|",
        ">",
        "#",
        " ",
        "---",
        "...",
        "%",
        "<<: ",
        "\\",
        "\\u",
        "@",
        "`",
        "\r\n",
        "\r",
        "\u2028",
        "é",
        "\0",
        "1",
        "-",
        "~",
        "\ud800",
    ]
)


def accepts_or_refuses(text):
    try:
        document = read(text, "f")
    except Invalid as error:
        assert error.findings
        for finding in error.findings:
            assert finding.id.startswith("RB00")
            assert finding.width >= 1
            assert 1 <= finding.place.line <= (text if isinstance(text, str) else text.decode(errors="replace")).count("\n") + 1
        return
    assert isinstance(document, Document)
    json.dumps(document.value, ensure_ascii=False).encode()
    for number in range(1, document.text.count("\n") + 2):
        document.noqa(number)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
@example("a: b\n  : c")
def test_text_of_yaml_pieces_is_read_or_refused(text):
    accepts_or_refuses(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_refused(text):
    accepts_or_refuses(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=15).map("".join))
@example('"\\UFFFFFFFF"')
@example('"\\ud800"')
def test_pyyamls_own_parser_is_no_laxer(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CLoader")
        accepts_or_refuses(text)


def test_a_runbook_of_forty_lines_is_read_at_once():
    text = "steps:\n" + "".join(f"  - id: s{i}\n    uses: core.log\n    with: {{message: hello, n: {i}}}\n    name: x\n" for i in range(10))
    read(text, "f")
    best = min(_timed(lambda: read(text, "f")) for _ in range(5))
    assert best < 0.004  # 0.5 ms on a machine of its own


def _timed(action):
    before = time.process_time()
    action()
    return time.process_time() - before


def test_many_findings_do_not_each_count_the_lines_anew():
    """Generous bound; counted anew, these take some 10 s."""
    document = read("".join(f"k{number}: x\n" for number in range(9_999)), "many.yaml")
    began = time.thread_time()
    assert [document.line(number) for number in (1, 9_999, 10_000, 10_001)] == ["k0: x", "k9998: x", "", ""]
    for number in range(9_999):
        document.finding("RB101", "no", (f"k{number}",))
        document.noqa(number + 1)
    assert time.thread_time() - began < 3
