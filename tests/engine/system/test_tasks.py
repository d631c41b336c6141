"""Coroutines without an event loop."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.system.tasks import Sleep, drive, in_threads, take_turns

START = datetime(2026, 11, 23, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def test_each_sleep_is_slept_where_it_stands():
    slept = []

    async def work():
        await Sleep(at(1))
        await Sleep(at(2))
        return "done"

    assert drive(work(), slept.append) == "done"
    assert slept == [at(1), at(2)]


def test_what_wakes_a_sleeper_reaches_the_coroutine():
    async def work():
        try:
            await Sleep(at(1))
        except KeyError:
            return "woken"

    def wake(_until):
        raise KeyError

    assert drive(work(), wake) == "woken"


def test_a_sleep_after_having_been_woken_is_slept_too():
    slept = []

    async def work():
        try:
            await Sleep(at(1))
        except KeyError:
            await Sleep(at(2))

    def sleep(until):
        slept.append(until)
        if len(slept) == 1:
            raise KeyError

    drive(work(), sleep)
    assert slept == [at(1), at(2)]


@given(st.lists(st.lists(st.integers(1, 5), max_size=3), max_size=6), st.integers(1, 7))
def test_children_take_turns_in_the_order_of_time(lengths, limit):
    log, now, running, most = [], [0], [0], [0]

    async def child(index):
        running[0] += 1
        most[0] = max(most[0], running[0])
        until = now[0]
        for length in lengths[index]:
            until += length
            await Sleep(at(until))
            log.append(until)
        running[0] -= 1
        return index

    def sleep(until):
        now[0] = max(now[0], int((until - START).total_seconds()))

    results = drive(take_turns([lambda i=i: child(i) for i in range(len(lengths))], limit), sleep)
    assert results == list(range(len(lengths)))
    assert log == sorted(log)
    assert most[0] <= limit


def test_a_failure_closes_those_that_sleep():
    closed = []

    async def sleeper():
        try:
            await Sleep(at(9))
        finally:
            closed.append("sleeper")

    async def failing():
        await Sleep(at(1))
        raise KeyError

    with pytest.raises(KeyError):
        drive(take_turns([sleeper, failing], 2), lambda _until: None)
    assert closed == ["sleeper"]


def test_threads_are_fed_one_by_one_and_give_results_in_order():
    started, both = [], threading.Barrier(2, timeout=5)

    async def child(index):
        started.append(index)
        if index < 2:
            both.wait()  # two at a time, or this breaks
        return index

    assert in_threads((lambda i=i: child(i) for i in range(20)), 2, lambda _until: None) == list(range(20))
    assert sorted(started) == list(range(20))


def test_an_exception_in_a_thread_starts_no_further_child_and_is_raised():
    started = []

    async def child(index):
        started.append(index)
        raise KeyError(index)

    with pytest.raises(KeyError):
        in_threads((lambda i=i: child(i) for i in range(50)), 1, lambda _until: None)
    assert started == [0]
