"""Rate limits learned from the service's refusals."""

from __future__ import annotations

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from steps.opsgenie.buckets import Buckets


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Limited:
    """A service that lets so many calls through in a period: a token bucket."""

    def __init__(self, limit: int, period: float) -> None:
        self.limit, self.rate = limit, limit / period
        self.tokens, self.at = float(limit), 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(self.limit, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def test_nothing_is_held_back_before_a_limit_is_known():
    buckets, clock = Buckets(), Clock()
    assert [buckets.wait("alert", clock) for _ in range(1000)] == [0.0] * 1000


def test_a_refusal_sets_the_pace_for_everyone():
    buckets, clock = Buckets(), Clock()
    for _ in range(10):
        buckets.passed("alert", clock)
        clock.time += 0.05
    buckets.refused("alert", 1.0, clock)
    started = clock.time
    for _ in range(20):
        buckets.wait("alert", clock)
    assert 1.8 <= clock.time - started <= 2.3, "10 a second"


def test_domains_are_apart():
    buckets, clock = Buckets(), Clock()
    buckets.refused("search", 60.0, clock)
    assert buckets.wait("alert", clock) == 0.0
    assert buckets.wait("search", clock) > 0


def test_a_refusal_of_the_first_call_leaves_one_a_period():
    buckets, clock = Buckets(), Clock()
    buckets.refused("alert", 60.0, clock)
    assert buckets.wait("alert", clock) == 60.0


@settings(max_examples=15, deadline=None)
@given(limit=st.integers(2, 50), period=st.sampled_from([1.0, 60.0]), cost=st.floats(0.0005, 0.005))
def test_most_of_what_is_allowed_is_used_and_few_calls_are_refused(limit, period, cost):
    buckets, clock, service = Buckets(), Clock(), Limited(limit, period)
    done = refused = 0
    while clock.time < 20 * period and done + refused < 3000:
        buckets.wait("alert", clock)
        clock.time += cost
        if service.take(clock.time):
            buckets.passed("alert", clock)
            done += 1
        else:
            buckets.refused("alert", period, clock)
            refused += 1
    assert done >= 0.9 * limit * clock.time / period
    assert refused <= 0.1 * done + 10


def test_threads_get_slots_of_their_own():
    buckets, clock = Buckets(), Clock()
    buckets.refused("alert", 1.0, clock)
    waits: list[float] = []

    class Still(Clock):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    threads = [threading.Thread(target=buckets.wait, args=("alert", Still())) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(round, waits)) == list(range(1, 11))


def test_only_the_last_minute_is_kept():
    buckets, clock = Buckets(), Clock()
    for _ in range(300):
        buckets.passed("alert", clock)
        clock.time += 1
    assert len(buckets._buckets["alert"].passed) <= 61
