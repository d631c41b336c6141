"""Lines to read."""

import pytest

from engine.telling.lines import people

RECORD = {"time": "12:00", "level": "info", "message": "step succeeded", "run": "r1", "runbook": "nightly", "step": "tidy", "item": "a"}


def test_a_line_says_when_how_grave_where_and_what():
    assert people.line(RECORD) == "12:00 info    r1 nightly tidy[a]: step succeeded"


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({"item": None}, "r1 nightly tidy: "),
        ({"item": None, "step": None}, "r1 nightly: "),
        ({"item": None, "step": None, "run": None}, "nightly: "),
        (dict.fromkeys(("item", "step", "run", "runbook")), ""),
    ],
)
def test_only_what_is_known_of_a_place_is_shown(known, shown):
    assert people.where(RECORD | known) == shown


def test_no_line_can_look_like_two_or_colour_a_terminal():
    assert people.line(RECORD | {"message": "a\nb\x1b[31m\u2028"}).endswith(r"a\nb\x1b[31m\u2028")
