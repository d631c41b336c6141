from __future__ import annotations

from steps.operation import Idempotency
from steps.opsgenie.operations import OPERATIONS


def test_an_override_needs_who_and_when(faults):
    whole = {"user": {"type": "none"}, "startDate": "2026-03-02T09:00:00Z", "endDate": "2026-03-03T09:00:00Z"}
    assert faults("opsgenie.schedule.create_override", identifier="s", alias="leave", rotations=[{"name": "days"}], **whole) == set()
    assert faults("opsgenie.schedule.create_override", identifier="s", user={"type": "none"}) == {"required"}
    assert faults("opsgenie.schedule.update_override", identifier="s", alias="leave", **whole | {"rotations": [{}]}) == {
        "rotations.0 minProperties"
    }


def test_to_say_it_anew_is_repeatable_and_to_make_one_is_not():
    kinds = {name: OPERATIONS[f"opsgenie.schedule.{name}_override"].idempotency for name in ("create", "update")}
    assert kinds == {"create": Idempotency.ONCE, "update": Idempotency.REPEATABLE}
