"""core.assert stops where its expression does not hold."""

from __future__ import annotations

import pytest

from engine.errors import StepError
from steps.core import STEPS

ASSERT = STEPS["core.assert"]


def test_what_holds_goes_on(new_context):
    assert ASSERT.perform({"that": True, "message": "m"}, new_context()) == {}


def test_what_does_not_hold_fails_with_the_message(new_context):
    with pytest.raises(StepError, match="no disk left") as caught:
        ASSERT.perform({"that": False, "message": "no disk left"}, new_context())
    assert (caught.value.code, caught.value.again) == ("assertion", "never")


def test_a_plan_lets_pass_what_it_cannot_know_and_no_more(new_context, placeholder):
    assert ASSERT.perform({"that": placeholder, "message": "m"}, new_context(planning=True)) == {}
    with pytest.raises(StepError):
        ASSERT.perform({"that": False, "message": placeholder}, new_context(planning=True))
