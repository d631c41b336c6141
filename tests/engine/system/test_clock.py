"""Time, real and virtual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.system.clock import RealClock, VirtualClock
from engine.errors import Interrupted
from engine.system.stop import Stop

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(st.lists(st.floats(-100, 1e6)))
def test_virtual_time_passes_by_sleeping_and_never_back(lengths):
    clock = VirtualClock(START)
    for length in lengths:
        before = clock.now()
        clock.sleep(length)
        assert clock.now() - before == timedelta(seconds=max(0.0, length))
    assert clock.monotonic() == (clock.now() - START).total_seconds()
    clock.advance_to(START - timedelta(days=1))
    assert clock.now() >= START
    clock.advance_to(clock.now() + timedelta(hours=1))
    assert clock.monotonic() >= 3600


@pytest.mark.parametrize("clock", [RealClock, lambda stop: VirtualClock(START, stop)])
def test_a_signal_wakes_who_sleeps(clock):
    stop = Stop()
    stop.cancel()
    with pytest.raises(Interrupted):
        clock(stop).sleep(60)


def test_the_real_clock_tells_the_time():
    clock = RealClock(Stop())
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.monotonic() <= clock.monotonic()
    clock.sleep(-1)
