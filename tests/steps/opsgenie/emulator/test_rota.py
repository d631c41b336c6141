from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.rota import Rota

ANA, BEN, CAT, NONE = ({"type": "user", "id": name, "username": name} for name in ("ana", "ben", "cat", "none"))
NONE["type"] = "none"
BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def rota(kind="weekly", start="2026-03-02T09:00:00+01:00", *people, zone=BERLIN, overrides=(), **more):
    rotation = {"id": "r", "name": "r", "type": kind, "startDate": start, "participants": list(people or (ANA, BEN)), **more}
    return Rota(zone, rotation, overrides)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def name(duty):
    return duty and duty[0]["username"]


@pytest.mark.parametrize(
    ("kind", "length", "turns"),
    [
        ("weekly", 1, {"2026-03-09T08:59": "ana", "2026-03-09T09:00": "ben", "2026-03-16T09:00": "ana"}),
        ("weekly", 2, {"2026-03-16T08:59": "ana", "2026-03-16T09:00": "ben", "2026-03-30T09:00": "ana"}),
        ("daily", 1, {"2026-03-02T09:00": "ana", "2026-03-03T08:59": "ana", "2026-03-03T09:00": "ben"}),
        ("daily", 3, {"2026-03-05T08:59": "ana", "2026-03-05T09:00": "ben"}),
        ("hourly", 12, {"2026-03-02T20:59": "ana", "2026-03-02T21:00": "ben", "2026-03-03T09:00": "ana"}),
    ],
)
def test_turns(kind, length, turns):
    assert {moment: name(rota(kind, length=length).on_call(at(moment))) for moment in turns} == turns


def test_nobody_before_the_start_and_from_the_end_on():
    one = rota(endDate="2026-03-04T09:00:00+01:00")
    duties = [name(one.on_call(at(day))) for day in ("2026-03-02T08:59", "2026-03-02T09:00", "2026-03-04T08:59", "2026-03-04T09:00")]
    assert duties == [None, "ana", "ana", None]


def test_none_takes_a_turn_and_nobody_is_on_call():
    one = rota("daily", "2026-03-02T09:00:00+01:00", ANA, NONE)
    assert [name(one.on_call(at(f"2026-03-0{day}T10:00"))) for day in (2, 3, 4)] == ["ana", None, "ana"]


def test_daily_turns_change_at_the_same_time_of_the_day_over_both_changes_of_the_clocks():
    one = rota("daily", "2026-03-01T09:00:00+01:00")
    for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"):
        before, after = one.on_call(at(f"{day}T08:59")), one.on_call(at(f"{day}T09:00"))
        assert {name(before), name(after)} == {"ana", "ben"}


def test_hourly_turns_count_hours_over_a_change_of_the_clocks():
    one = rota("hourly", "2026-03-28T12:00:00+01:00", length=12)
    assert name(one.on_call(at("2026-03-29T12:59"))) == "ben"
    assert name(one.on_call(at("2026-03-29T13:00"))) == "ana"


def test_a_turn_that_changes_in_a_doubled_hour_changes_once():
    one = rota("daily", "2026-10-20T02:30:00+02:00")
    night = [at("2026-10-25T00:00") + timedelta(minutes=10 * step) for step in range(40)]
    duties = [name(one.on_call(moment)) for moment in night]
    assert sum(first != second for first, second in pairwise(duties)) == 1


def test_a_turn_that_changes_in_a_missing_hour_changes_once():
    one = rota("daily", "2026-03-20T02:30:00+01:00")
    night = [at("2026-03-29T00:00") + timedelta(minutes=10 * step) for step in range(40)]
    duties = [name(one.on_call(moment)) for moment in night]
    assert sum(first != second for first, second in pairwise(duties)) == 1


WORKING = {"type": "time-of-day", "restriction": {"startHour": 9, "startMin": 0, "endHour": 17, "endMin": 30}}
NIGHT = {"type": "time-of-day", "restriction": {"startHour": 22, "startMin": 0, "endHour": 6, "endMin": 0}}
WEEKEND = {
    "type": "weekday-and-time-of-day",
    "restrictions": [
        {"startDay": "friday", "startHour": 18, "startMin": 0, "endDay": "monday", "endHour": 8, "endMin": 0},
        {"startDay": "wednesday", "startHour": 12, "startMin": 0, "endDay": "wednesday", "endHour": 13, "endMin": 0},
    ],
}


@pytest.mark.parametrize(
    ("restriction", "on", "off"),
    [
        (WORKING, ["2026-07-01T09:00", "2026-07-01T17:29"], ["2026-07-01T08:59", "2026-07-01T17:30", "2026-07-01T00:00"]),
        (NIGHT, ["2026-07-01T22:00", "2026-07-02T00:00", "2026-07-02T05:59"], ["2026-07-01T21:59", "2026-07-02T06:00"]),
        (
            WEEKEND,
            ["2026-07-03T18:00", "2026-07-05T12:00", "2026-07-06T07:59", "2026-07-01T12:30"],
            ["2026-07-03T17:59", "2026-07-06T08:00", "2026-07-01T13:00"],
        ),
    ],
)
def test_time_restrictions_count_by_the_clock_of_the_zone(restriction, on, off):
    one = rota(timeRestriction=restriction)
    assert all(one.on_call(at(moment)) for moment in on)
    assert not any(one.on_call(at(moment)) for moment in off)


def override(who, start, end):
    return {"user": who, "startDate": written(at(start)), "endDate": written(at(end)), "rotations": []}


def test_an_override_holds_while_it_lasts_and_the_later_one_holds_more():
    one = rota(
        "weekly",
        "2026-03-02T09:00:00+01:00",
        overrides=[override(CAT, "2026-03-03T10:00", "2026-03-03T14:00"), override(NONE, "2026-03-03T12:00", "2026-03-03T13:00")],
    )
    times = ("09:59", "10:00", "12:00", "13:00", "14:00")
    assert [name(one.on_call(at(f"2026-03-03T{time}"))) for time in times] == ["ana", "cat", None, "cat", "ana"]
    assert name(one.by_turns(at("2026-03-03T12:00"))) == "ana"


def test_periods_go_on_without_a_break_and_stop_where_nobody_is():
    one = rota("daily", "2026-03-02T00:00:00+01:00", timeRestriction=WORKING)
    found = one.periods(at("2026-03-02T12:00"), at("2026-03-04T12:00"))
    told = [(one.start, one.end, one.who["username"]) for one in found]
    assert told == [
        (at("2026-03-02T12:00"), at("2026-03-02T17:30"), "ana"),
        (at("2026-03-03T09:00"), at("2026-03-03T17:30"), "ben"),
        (at("2026-03-04T09:00"), at("2026-03-04T12:00"), "ana"),
    ]


def test_next_is_somebody_else():
    assert rota("daily").next_period(at("2026-03-02T10:00")).who == BEN
    assert rota("daily").next_period(at("2026-03-02T10:00")).start == at("2026-03-03T09:00")
    assert rota("daily", "2026-03-02T09:00:00+01:00", ANA).next_period(at("2026-03-02T10:00")) is None
    assert rota("weekly", length=8).next_period(at("2026-03-02T10:00")).who == BEN


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"])
STARTS = st.integers(0, 400 * 48).map(lambda half: datetime(2025, 10, 1, tzinfo=UTC) + half * timedelta(minutes=30))
ROTAS = st.builds(
    lambda kind, start, zone, length, people, restriction: rota(
        kind, written(start), *people, zone=ZoneInfo(zone), length=length, **({"timeRestriction": restriction} if restriction else {})
    ),
    st.sampled_from(["hourly", "daily", "weekly"]),
    STARTS,
    ZONES,
    st.integers(1, 5),
    st.lists(st.sampled_from([ANA, BEN, CAT, NONE]), min_size=1, max_size=4),
    st.sampled_from([None, WORKING, NIGHT, WEEKEND]),
)


@given(ROTAS, STARTS, st.lists(st.integers(0, 14 * 24 * 60 - 1), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_periods_and_moments_tell_the_same(one, start, minutes):
    """Whoever is on call at a minute is who the periods name for it, clocks changed or not."""
    end = start + timedelta(days=14)
    periods = one.periods(start, end)
    assert all(first.end <= second.start for first, second in pairwise(periods))
    for minute in minutes:
        moment = start + timedelta(minutes=minute)
        named = next((period.who["username"] for period in periods if period.start <= moment < period.end), None)
        assert named == name(one.on_call(moment))
