"""Regular expressions are compiled only when what they unfold to is small."""

from __future__ import annotations

import pytest

from engine import pattern


@pytest.mark.parametrize(
    "written",
    [
        "a{1000000000}",
        "((a{100}){100}){100}",
        "(?:a{30000}){3}",
        "(a{1000}) {1000}",
        "(a{1000})(?#between){1000}",
        "a{ 99999}",
        r"\d{25000}\d{25001}",
        "(a{300}){300,}",
        "a{" + "9" * 9000 + "}",
    ],
)
def test_an_expression_that_unfolds_to_much_is_refused_before_it_is_compiled(written):
    with pytest.raises(ValueError, match="counted repeats come to more than 50000 items"):
        pattern.compiled(written)


@pytest.mark.parametrize("written", ["(?x)(a{1000})#\n{1000}", "(?ix:(a{9}){9})", "(?V1x)a"])
def test_comments_cannot_hide_a_count(written):
    with pytest.raises(ValueError, match="flag x"):
        pattern.compiled(written)


@pytest.mark.parametrize(("written", "said"), [("(", "not a regular expression: missing"), ("(" * 900 + ")" * 900, "nested too deeply")])
def test_what_is_wrong_is_said(written, said):
    with pytest.raises(ValueError, match=said):
        pattern.compiled(written)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "0123abcd-1234-1234-1234-0123456789ab"),
        ("^([A-Z]{2,20}-){2,5}[0-9]{1,1000}$", "AB-CD-7"),
        (r"^\{\d{4}\}$", "{2026}"),
        ("^(?:ab){1,100000000}$", "ab" * 1000),
        ("(?P<x>a)", "cat"),
    ],
)
def test_common_ones_are_found(written, text):
    assert pattern.compiled(written).search(text, timeout=1)
