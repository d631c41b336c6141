from __future__ import annotations

from steps.opsgenie.operations.on_calls import ROWS


def test_a_date_and_flatness_may_be_given(faults):
    when = {"flat": True, "date": "2026-03-02T09:00:00+01:00"}
    assert faults("opsgenie.schedule.list_on_calls", **when) == set()
    for name in ("get_on_calls", "get_next_on_calls"):
        assert faults(f"opsgenie.schedule.{name}", identifier="duty", scheduleIdentifierType="name", **when) == set()
        assert faults(f"opsgenie.schedule.{name}", **when) == {"required"}
    assert faults("opsgenie.schedule.export_on_call_user", identifier="ana@example.com") == set()


def test_they_are_counted_in_a_domain_of_their_own():
    assert {row.rate_limit_domain for row in ROWS} == {"schedule-oncalls"}
