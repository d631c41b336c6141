from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steps.opsgenie.emulator.query import QueryError, parse

FIELDS = {"status": "word", "message": "text", "count": "number", "acknowledged": "flag", "tag": "word", "source": "word"}
ALERT = {"status": "open", "message": "Disk full on db-1", "count": 3, "acknowledged": False, "tag": ["Red", "blue"], "source": "a b/c"}


def matches(text, document=ALERT):
    return parse(text, FIELDS, ("message",))(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "status:open",
        "status: OPEN",
        "status : open",
        'status: "open"',
        "status: op*",
        "status: *",
        "message: disk",
        'message: "full on"',
        "message: db-1",
        "disk",
        "full disk",
        "Dis*",
        "count: 3",
        "count >= 3 AND count<=3",
        "count > 2 count < 4",
        "acknowledged: false",
        "tag: red AND tag: blue",
        "tag: (red AND NOT green)",
        "status: closed OR count: 3",
        "status: closed AND count: 9 OR tag: red",
        "tag: red OR status: closed AND count: 9",
        "(status: closed OR tag: red) AND NOT acknowledged: true",
        "NOT NOT status: open",
        'source: "a b/c"',
        r"source: a\ b/c",
        "status: open and tag: red",
        "status: closed or count: 3",
        "not status: closed",
        "tag: (green or (red and not blue) or blue)",
    ],
)
def test_true_of_the_alert(text):
    assert matches(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "status: closed",
        "status: ope",
        "message: dis",
        "message: is",
        "count < 3",
        "count > 3",
        "acknowledged: true",
        "tag: green",
        "NOT disk",
        "disk empty",
        "(tag: red OR tag: blue) AND status: closed",
        'status: "op*"',
        'source: "a b"',
    ],
)
def test_false_of_the_alert(text):
    assert matches(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "colour: red",
        "tag=red",
        "tag = red",
        "tag: red && status: open",
        "status: open || tag: red",
        "status: open and",
        "tag: (red && blue)",
        "status:",
        "status: open AND",
        "OR",
        "NOT",
        "AND status: open",
        "(status: open",
        "status: open)",
        "()",
        "status > open",
        "count: many",
        "count: -1",
        "count >= 1.5",
        "count > (1 OR 2)",
        "acknowledged: maybe",
        'status: "open',
        "a:b:c",
        "tag: (status: open)",
        '"status": open',
        "(" * 40 + "disk" + ")" * 40,
        "x" * 1001,
    ],
)
def test_no_query(text):
    with pytest.raises(QueryError):
        matches(text)


def test_a_field_without_a_value_never_matches():
    assert matches("count > 0", {"count": None}) is False
    assert matches("count > 0", {}) is False


PIECES = st.sampled_from(
    [*FIELDS, "AND", "OR", "NOT", "(", ")", ":", "<", ">=", '"', "*", "\\", "3", "open", "true", " ", "é", "\x00", "\n"]
)


@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=80).map("".join), st.lists(PIECES, max_size=40).map(" ".join)))
@settings(max_examples=300, deadline=None)
def test_nothing_but_its_own_error_comes_out(text):
    try:
        assert matches(text) in (True, False)
    except QueryError:
        pass


TERMS = st.sampled_from(["status: open", "status: closed", "count > 2", "tag: red", "NOT disk"])


@given(st.lists(TERMS, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_and_or_and_not_are_those_of_logic(terms):
    each = [matches(term) for term in terms]
    assert matches(" AND ".join(terms)) is all(each)
    assert matches(" OR ".join(terms)) is any(each)
    assert matches(f"NOT ({' OR '.join(terms)})") is not any(each)
