"""What tells that something is what a lost write has made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import Reply
from steps.opsgenie.attempt import AHEAD
from steps.opsgenie.finding import _covers, _since_intent

INTENT = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "asked", "covered"),
    [
        ({"name": "ops", "id": "t"}, {"name": "ops"}, True),
        ({"name": "ops"}, {"name": "ops", "description": "not told"}, True),
        ({"name": "ops"}, {"name": "dba"}, False),
        ({"role": {"id": "r", "name": "User"}}, {"role": {"name": "User"}}, True),
        ({"role": "User"}, {"role": {"name": "User"}}, False),
        ({"tags": ["b", "a"]}, {"tags": ["a", "b"]}, True),
        ({"tags": ["a", "b", "c"]}, {"tags": ["a", "b"]}, False),
        ({"tags": ["a", "c"]}, {"tags": ["a", "b"]}, False),
        ({"tags": "a"}, {"tags": ["a"]}, False),
        ({"at": "2026-01-01T10:00:00Z"}, {"at": "2026-01-01T12:00:00+02:00"}, True),
        ({"at": "2026-01-01T10:00:00Z"}, {"at": "2026-01-01T10:00:00+02:00"}, False),
        ({"at": "2026-01-01T10:00:00Z"}, {"at": "2026-01-01T10:00:00"}, False),
    ],
)
def test_what_is_there_is_what_was_asked_for(found, asked, covered):
    assert _covers(found, asked) is covered


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_everything_covers_itself(value):
    assert _covers(value, value)


def since(moment, ahead=None):
    headers = {} if ahead is None else {AHEAD: ahead}
    return _since_intent(SimpleNamespace(since=INTENT), moment, Reply({}, 200, headers))


@pytest.mark.parametrize("moment", [None, 7, "", "soon", "2026-11-23T12:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_is_none_is_not_since_the_intent(moment):
    assert since(moment) is False


@given(st.integers(-10_000, 10_000), st.integers(-5_000, 5_000))
def test_moments_are_compared_by_the_services_clock(after, ahead):
    """A clock that goes ahead of ours tells later moments; two seconds of its own reckoning are allowed for."""
    moment = INTENT + timedelta(seconds=after + ahead)
    assert since(moment.isoformat(), str(ahead)) is (after >= -2)
