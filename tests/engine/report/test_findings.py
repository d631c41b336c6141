"""Every findings format, over ordinary and hostile findings."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Finding, Place
from engine.report import FORMATS, text

UNKNOWN = Finding(
    "RB101",
    "error",
    "unknown step opsgenie.alert.crete",
    Place("books/db.yaml", 4, 11),
    "did you mean opsgenie.alert.create?",
    "    uses: opsgenie.alert.crete",
    20,
)
UNUSED = Finding("RB210", "warning", "input `team` is never used", Place("books/db.yaml", 2, 3))
NOWHERE = Finding("RB301", "error", "input `cluster` is missing")
HOSTILE = Finding(
    "RB1",
    "error",
    '<script>alert(1)</script> {{ 7*7 }} ]]> & "q"\x1b[2J\x00\u202e\n::error::forged\r\n100%',
    Place("odd,name: é%\n::error::x.yaml", 1, 1),
    "hint\n::warning::forged",
    "\x1b]0;title\x07 a\n",
    3,
)
FILES = ["books/db.yaml", "books/web.yaml"]


def test_the_table_is_sorted_and_whole():
    assert list(FORMATS) == ["github", "json", "junit", "sarif", "text"]


def test_text():
    assert text.render([UNKNOWN, UNUSED, NOWHERE], FILES) == (
        "books/db.yaml:4:11: error RB101: unknown step opsgenie.alert.crete\n"
        "        uses: opsgenie.alert.crete\n"
        "              ^^^^^^^^^^^^^^^^^^^^\n"
        "    hint: did you mean opsgenie.alert.create?\n"
        "books/db.yaml:2:3: warning RB210: input `team` is never used\n"
        "error RB301: input `cluster` is missing\n"
        "2 errors, 1 warning in 2 files\n"
    )


@pytest.mark.parametrize(
    ("findings", "files", "closing"),
    [
        ([], ["a"], "1 file: no findings"),
        ([], ["a", "b", "c"], "3 files: no findings"),
        ([UNUSED], ["a"], "1 warning in 1 file"),
        ([NOWHERE], [], "1 error"),
    ],
)
def test_text_closes_with_a_count(findings, files, closing):
    assert text.render(findings, files).splitlines()[-1] == closing


@pytest.mark.parametrize(
    ("source", "column", "width", "caret"),
    [
        ("\tuses: x", 8, 1, "\t      ^"),
        ("a\tb: x", 6, 1, " \t   ^"),
        ("漢字: x", 5, 1, "      ^"),
        ("x: 漢字", 4, 2, "   ^^^^"),
        ("e\u0301: x", 5, 1, "   ^"),
        ("\u202ex: y", 5, 1, " " * 9 + "^"),
        ("\x1b[0m y", 6, 1, " " * 8 + "^"),
        ("short", 6, 4, "     ^"),
        ("short", 4, 40, "   ^^"),
        ("", 1, 1, "^"),
    ],
)
def test_text_puts_the_caret_under_what_is_meant(source, column, width, caret):
    finding = Finding("RB1", "error", "m", Place("f", 1, column), None, source, width)
    assert text.render([finding], ["f"]).splitlines()[2] == "    " + caret


def test_text_is_coloured_only_when_asked():
    plain, coloured = text.render([UNKNOWN, UNUSED], FILES), text.render([UNKNOWN, UNUSED], FILES, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31merror RB101:\x1b[0m" in coloured
    assert "\x1b[33mwarning RB210:\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_text_shows_hostile_characters_and_forges_no_line():
    shown = text.render([HOSTILE], FILES)
    assert not set(shown) & {"\x1b", "\x00", "\x07", "\u202e", "\r"}
    assert len(shown.splitlines()) == 5
    assert not any(line.startswith("::") for line in shown.splitlines())


def test_json():
    document = json.loads(FORMATS["json"]([UNKNOWN, NOWHERE], FILES))
    assert document["files"] == FILES
    assert document["findings"] == [
        {
            "file": "books/db.yaml",
            "line": 4,
            "column": 11,
            "id": "RB101",
            "severity": "error",
            "message": "unknown step opsgenie.alert.crete",
            "hint": "did you mean opsgenie.alert.create?",
        },
        {
            "file": None,
            "line": None,
            "column": None,
            "id": "RB301",
            "severity": "error",
            "message": "input `cluster` is missing",
            "hint": None,
        },
    ]


def test_sarif():
    log = json.loads(FORMATS["sarif"]([UNUSED, UNKNOWN, NOWHERE, UNKNOWN], FILES))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"] == {"name": "opsbook", "rules": [{"id": "RB101"}, {"id": "RB210"}, {"id": "RB301"}]}
    assert [result["level"] for result in run["results"]] == ["warning", "error", "error", "error"]
    assert all(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["results"][1]["message"]["text"].endswith("\ndid you mean opsgenie.alert.create?")
    assert run["results"][1]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "books/db.yaml"},
                "region": {"startLine": 4, "startColumn": 11, "endColumn": 31},
            }
        }
    ]
    assert run["results"][2]["locations"] == []
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == FILES


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/é.yaml", "a%20b/%C3%A9.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("/srv/x y.yaml", "file:///srv/x%20y.yaml"),
    ],
)
def test_sarif_addresses_are_uris(file, uri):
    log = json.loads(FORMATS["sarif"]([], [file, file]))
    assert log["runs"][0]["artifacts"] == [{"location": {"uri": uri}}]


def test_github():
    assert FORMATS["github"]([UNKNOWN, NOWHERE], FILES) == (
        "::error file=books/db.yaml,line=4,col=11,endColumn=31,title=RB101::"
        "unknown step opsgenie.alert.crete%0Adid you mean opsgenie.alert.create?\n"
        "::error title=RB301::input `cluster` is missing\n"
    )
    assert FORMATS["github"]([], FILES) == ""


def test_github_forges_no_command():
    shown = FORMATS["github"]([HOSTILE], FILES)
    assert shown.count("\n") == 1
    assert "\r" not in shown
    assert "file=odd%2Cname%3A é%25%0A%3A%3Aerror%3A%3Ax.yaml," in shown
    assert shown.endswith("100%25%0Ahint%0A::warning::forged\n")


def test_junit():
    root = ElementTree.fromstring(FORMATS["junit"]([UNKNOWN, UNUSED, NOWHERE, UNKNOWN], FILES).encode())
    (suite,) = root
    assert suite.get("tests") == "3"
    assert suite.get("failures") == "2"
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == [*FILES, "inputs"]
    (failure,) = cases["books/db.yaml"].findall("failure")
    assert failure.get("message") == "RB101: unknown step opsgenie.alert.crete (and 1 more)"
    assert failure.text.count("books/db.yaml:4:11: error RB101") == 2
    assert "RB210" in cases["books/db.yaml"].find("system-out").text
    assert list(cases["books/web.yaml"]) == []
    assert cases["inputs"].find("failure").text == "error RB301: input `cluster` is missing"


def test_junit_warnings_alone_do_not_fail():
    root = ElementTree.fromstring(FORMATS["junit"]([UNUSED], FILES).encode())
    assert root.get("failures") == "0"
    assert root.find(".//failure") is None


def test_junit_keeps_hostile_text_as_text():
    root = ElementTree.fromstring(FORMATS["junit"]([HOSTILE], []).encode())
    failure = root.find(".//failure")
    assert "<script>alert(1)</script> {{ 7*7 }} ]]>" in failure.text
    assert "\x1b" not in failure.text
    assert list(failure) == []


anything = st.text(max_size=30)
findings = st.builds(
    Finding,
    st.from_regex(r"RB\d{3}", fullmatch=True),
    st.sampled_from(["error", "warning"]),
    anything,
    st.none()
    | st.builds(Place, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), st.integers(1, 9), st.integers(1, 40)),
    st.none() | anything,
    st.none() | anything,
    st.integers(1, 10),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(findings, max_size=4))
def test_every_format_takes_anything(found):
    shown = {name: render(found, ["a.yaml"]) for name, render in FORMATS.items()}
    assert len(json.loads(shown["json"])["findings"]) == len(found)
    assert len(json.loads(shown["sarif"])["runs"][0]["results"]) == len(found)
    assert shown["github"].count("\n") == len(found)
    assert ElementTree.fromstring(shown["junit"].encode()).tag == "testsuites"
    assert shown["text"].encode().endswith(b"\n")
