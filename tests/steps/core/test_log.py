"""core.log says what it is given."""

from __future__ import annotations

import pytest

from steps.core import STEPS

LOG = STEPS["core.log"]


@pytest.mark.parametrize(("given", "level"), [({"message": "m"}, "info"), ({"message": "m", "level": "warning"}, "warning")])
def test_message_reaches_people_at_its_level(new_context, given, level):
    context = new_context()
    assert LOG.perform(given, context) == {"message": "m"}
    assert context.said == [(level, "m")]


def test_a_plan_says_nothing_of_a_message_it_cannot_know(new_context, placeholder):
    context = new_context(planning=True)
    assert LOG.perform({"message": placeholder}, context) == {"message": placeholder}
    assert context.said == []
