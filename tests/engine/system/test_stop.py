"""Signals."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from engine.system import stop as module
from engine.errors import Interrupted
from engine.system.stop import Stop


@pytest.fixture
def ended(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


@pytest.mark.parametrize(
    ("number", "ends", "status"), [(signal.SIGTERM, False, 14), (signal.SIGHUP, False, 14), (signal.SIGINT, True, 130)]
)
def test_the_first_signal_asks_and_the_second_ends(ended, number, ends, status):
    stop = Stop()
    stop.check()
    stop._take(number, None)
    for use in (stop.check, lambda: stop.wait(60)):
        with pytest.raises(Interrupted, match=number.name) as caught:
            use()
        assert (caught.value.ends, caught.value.exit_status) == (ends, status)
    stop._take(signal.SIGTERM, None)
    assert ended == [128 + signal.SIGTERM]


def test_finally_has_a_time_of_grace(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    stop = Stop()
    stop.shield()
    stop.cancel()
    stop.check()
    stop.wait(10)
    assert now[0] == pytest.approx(10)
    now[0] = module.GRACE + 0.1
    with pytest.raises(Interrupted, match="grace") as caught:
        stop.check()
    assert caught.value.ends


def test_cancelling_keeps_the_signal_that_came_first(ended):
    stop = Stop()
    stop._take(signal.SIGTERM, None)
    stop.cancel()
    with pytest.raises(Interrupted, match="SIGTERM"):
        stop.check()


def test_signals_are_taken_over_but_those_that_are_to_be_ignored():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, module.CANCEL)
    before = [signal.getsignal(number) for number in numbers]
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stop = Stop()
        stop.listen()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted, match="SIGTERM"):
            stop.wait(60)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_cancel_reaches_a_process_whose_shell_had_sigint_ignored(ended):
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, module.CANCEL)
    before = [signal.getsignal(number) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop = Stop()
        stop.listen()
        for _ in range(3):
            signal.raise_signal(module.CANCEL)
        with pytest.raises(Interrupted) as caught:
            stop.wait(60)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    assert (caught.value.ends, caught.value.exit_status, ended) == (True, 130, [])


def test_sigterm_stops_at_once_even_in_finally():
    stop = Stop()
    stop.shield()
    stop._take(signal.SIGTERM, None)
    with pytest.raises(Interrupted, match="SIGTERM") as caught:
        stop.check()
    assert not caught.value.ends


def test_the_second_signal_ends_the_programs_that_were_started(ended):
    program = subprocess.Popen(["sleep", "60"], start_new_session=True)
    stop = Stop()
    stop._take(signal.SIGINT, None)
    stop._take(signal.SIGINT, None)
    assert program.wait(timeout=5) == -signal.SIGKILL
