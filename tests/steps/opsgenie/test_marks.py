"""What a write carries to be found again by."""

from __future__ import annotations

from types import SimpleNamespace

from steps.opsgenie.marks import marker_of
from steps.opsgenie.operations import OPERATIONS

NOTE = OPERATIONS["opsgenie.alert.add_note"]
GIVEN = {"identifier": "a", "note": "n"}


def context(run="r1", *, planning=False):
    return SimpleNamespace(identity=f"book/{run}/s", planning=planning)


def test_a_marker_is_the_runs_own():
    assert marker_of(context(), NOTE, GIVEN) == marker_of(context(), NOTE, GIVEN) != marker_of(context("r2"), NOTE, GIVEN)


def test_a_plan_shows_no_marker_that_will_not_be_sent():
    assert marker_of(context(planning=True), NOTE, GIVEN) == " [ob:<…>]"
