from __future__ import annotations

import pytest

from engine.errors import AnswerLost
from steps.core.state_set import StateSet

STEP = StateSet()


@pytest.fixture
def context(new_context, kept):
    def made(**how):
        context = new_context(**how)
        context.values = kept({})
        return context

    return made


def test_a_value_is_kept(context):
    there = context()
    assert STEP.perform({"name": "seen", "value": [1]}, there) == {"name": "seen", "set_at": "2026-01-01T00:00:00.000+00:00"}
    assert there.values.get("seen")["value"] == [1]
    (call,) = there.calls
    assert (call.action, call.effect, call.detail, call.body) == ("core.state.set", "write", {"name": "seen"}, {"value": [1]})


def test_a_plan_keeps_nothing(context, placeholder):
    there = context(planning=True)
    told = STEP.perform({"name": "seen", "value": placeholder}, there)
    assert told["name"] == "seen"
    assert there.values.get("seen") is None


def test_what_a_stopped_process_may_have_kept_is_kept_again(context):
    there = context(interrupted=1)
    STEP.perform({"name": "seen", "value": 2}, there)
    assert (there.values.get("seen")["value"], len(there.calls)) == (2, 2)
    with pytest.raises(AnswerLost):
        STEP.perform({"name": "seen", "value": 3}, context(interrupted=2))
