from __future__ import annotations

from steps.operation import Idempotency
from steps.opsgenie.operations import OPERATIONS

ANA = {"type": "user", "username": "ana@example.com"}
ROTATION = {"startDate": "2026-03-02T09:00:00+01:00", "type": "weekly", "participants": [ANA]}


def test_a_schedule_needs_a_name_and_a_rotation_its_turns(faults):
    assert faults("opsgenie.schedule.create", name="duty", rotations=[ROTATION]) == set()
    assert faults("opsgenie.schedule.create", timezone="UTC") == {"required"}
    assert faults("opsgenie.schedule.create", name="duty", rotations=[{"type": "weekly"}]) == {"rotations.0 required"}
    assert faults("opsgenie.schedule.create", name="duty", rotations=[]) == {"rotations minItems"}
    assert faults("opsgenie.schedule.update", identifier="duty", identifierType="name", rotations=[]) == set()


def test_a_time_restriction_is_of_one_of_two_kinds(faults):
    hours = {"startHour": 9, "startMin": 0, "endHour": 17, "endMin": 0}
    daily = {"type": "time-of-day", "restriction": hours}
    weekly = {"type": "weekday-and-time-of-day", "restrictions": [{"startDay": "monday", "endDay": "friday", **hours}]}
    for restriction in (daily, weekly):
        assert faults("opsgenie.schedule.create", name="duty", rotations=[ROTATION | {"timeRestriction": restriction}]) == set()
    wrong = {"type": "weekday-and-time-of-day", "restrictions": [{"startDay": "funday"}]}
    assert faults("opsgenie.schedule.create", name="duty", rotations=[ROTATION | {"timeRestriction": wrong}]) == {
        "rotations.0.timeRestriction.restrictions.0.startDay enum"
    }


def test_a_timeline_is_told_in_days_weeks_or_months(faults):
    assert faults("opsgenie.schedule.get_timeline", identifier="duty", intervalUnit="months", interval=2, expand=["base"]) == set()
    assert faults("opsgenie.schedule.get_timeline", identifier="duty", expand=["all"]) == {"expand.0 enum"}


def test_a_lost_create_is_settled_by_reading_the_schedule():
    create = OPERATIONS["opsgenie.schedule.create"]
    assert (create.idempotency, create.lookup) == (Idempotency.CLASH, "opsgenie.schedule.get")


def test_the_path_of_a_file_ends_after_the_field():
    export = OPERATIONS["opsgenie.schedule.export"]
    assert export.path_names == ("identifier",)
    assert export.url_path({"identifier": "night shift/1"}) == "/v2/schedules/night%20shift%2F1.ics"
