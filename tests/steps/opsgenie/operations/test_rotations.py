from __future__ import annotations

from steps.operation import Idempotency
from steps.opsgenie.operations import OPERATIONS


def test_a_rotation_needs_its_start_its_kind_and_who_takes_part(faults):
    ana = {"type": "user", "username": "ana@example.com"}
    whole = {
        "identifier": "s",
        "startDate": "2026-03-02T09:00:00Z",
        "type": "hourly",
        "length": 12,
        "participants": [ana, {"type": "none"}],
    }
    assert faults("opsgenie.schedule.create_rotation", **whole) == set()
    assert faults("opsgenie.schedule.create_rotation", **whole | {"length": 0}) == {"length minimum"}
    assert faults("opsgenie.schedule.create_rotation", identifier="s") == {"required"}
    assert faults("opsgenie.schedule.update_rotation", identifier="s", id="r", length=2) == set()


def test_a_lost_create_is_a_persons_decision():
    assert OPERATIONS["opsgenie.schedule.create_rotation"].idempotency is Idempotency.ONCE
