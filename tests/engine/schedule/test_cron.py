"""Moments: cronsim's, over the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schedule import cron

NIGHTS = {
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Asia/Kolkata": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/Dublin": ("2026-03-29", "2026-10-25"),
    "Pacific/Chatham": ("2026-09-27", "2026-04-05"),
}
"""Zone → the dates on which its clocks go forward and back."""
EXPRESSIONS = ("30 2 * * *", "0,30 1-3 * * *", "*/15 * * * *", "0 */2 * * *", "45 0,23 * * *", "5 1 * * SUN", "15 3 L * *")


@pytest.mark.parametrize("zone", NIGHTS)
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_nights_of_clock_changes_are_those_of_cronsim(zone, text):
    where = cron.zone(zone)
    for night in NIGHTS[zone]:
        start = datetime.fromisoformat(night).replace(tzinfo=where) - timedelta(days=1)
        end = start.astimezone(UTC) + timedelta(days=40)
        wanted = [moment.timestamp() for moment in takewhile(lambda moment: moment.astimezone(UTC) < end, CronSim(text, start))]
        found = [moment.timestamp() for moment in takewhile(lambda moment: moment.astimezone(UTC) < end, cron.moments(text, where, start))]
        assert found == wanted
        assert len(set(wanted)) == len(wanted) > 0


def test_a_moment_that_the_clock_leaps_over_comes_when_it_lands():
    found = cron.moments("30 2 * * *", cron.zone("Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert next(found).isoformat() == "2026-03-29T03:00:00+02:00"


def test_a_fixed_time_in_the_repeated_hour_comes_once():
    found = cron.moments("30 2 * * *", cron.zone("Europe/Berlin"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert next(found).isoformat() == "2026-10-26T02:30:00+01:00", "the one at 02:30+02:00 has been"


ZONES, TEXTS = st.sampled_from(sorted(NIGHTS)), st.sampled_from([*EXPRESSIONS, "0 0 29 2 *", "0 12 1,15 * MON"])
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda time: time.replace(microsecond=0, tzinfo=UTC))


@settings(max_examples=60, deadline=None)
@given(ZONES, TEXTS, TIMES)
def test_the_latest_is_the_one_before_the_next(zone, text, time):
    where = cron.zone(zone)
    last = cron.latest(text, where, time)
    assert last.astimezone(UTC) <= time
    assert next(cron.moments(text, where, last.astimezone(UTC))).astimezone(UTC) > time
    assert cron.latest(text, where, last.astimezone(UTC)) == last


@settings(max_examples=60, deadline=None)
@given(ZONES, TEXTS, TIMES, st.integers(0, 5000))
def test_moments_do_not_depend_on_where_one_begins_to_look(zone, text, time, minutes):
    where, later = cron.zone(zone), time + timedelta(minutes=minutes)
    first = next(moment for moment in cron.moments(text, where, time) if moment.astimezone(UTC) > later)
    assert next(cron.moments(text, where, later)) == first


def test_words_for_cron_are_five_fields():
    for meant in cron.MACROS.values():
        cron.check(meant)
