"""First come, first served, over processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.system import turns

ENV = {**os.environ, "PYTHONPATH": str(Path(turns.__file__).parents[2])}
WAIT = """
import os, sys, time
from pathlib import Path
from engine.system import turns
lock, name = Path(sys.argv[1]), sys.argv[2]
pauses = 0
def pause():
    global pauses
    pauses += 1
    if pauses == 1:
        print("waiting", flush=True)
    time.sleep(0.002)
handle = turns.wait_for(lock, pause)
with open(lock.with_name("order"), "a") as order:
    order.write(name + " ")
os.close(handle)
"""


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "group.lock"


@pytest.fixture
def waiter(lock):
    """Starts a process that waits for the lock and then signs; returns once it waits."""
    started = []

    def start(name):
        process = subprocess.Popen([sys.executable, "-c", WAIT, lock, name], env=ENV, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "waiting\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def order(lock):
    return (lock.with_name("order")).read_text().split()


def test_those_who_wait_get_it_in_the_order_they_came(lock, waiter):
    handle = turns.take(lock)
    names = ["a", "b", "c", "d", "e", "f"]
    waiting = [waiter(name) for name in names]
    os.close(handle)
    assert [process.wait(30) for process in waiting] == [0] * 6
    assert order(lock) == names


def test_one_that_is_killed_while_waiting_holds_nobody_up(lock, waiter):
    handle = turns.take(lock)
    first, killed, last = waiter("first"), waiter("killed"), waiter("last")
    killed.kill()
    killed.wait()
    os.close(handle)
    assert (first.wait(30), last.wait(30)) == (0, 0)
    assert order(lock) == ["first", "last"]
    assert [path.name for path in lock.with_suffix(".queue").iterdir()] == ["door"], "no ticket is left"


def test_nobody_who_comes_later_gets_it_while_somebody_waits(lock):
    held = turns.take(lock)
    refused = []

    def pause():
        nonlocal held
        if held is not None:
            os.close(held)
            held = None
            refused.append(turns.take(lock))

    handle = turns.wait_for(lock, pause)
    assert refused == [None]
    os.close(handle)
    os.close(turns.take(lock))


def test_a_wait_that_ends_early_gives_its_ticket_back(lock):
    class Enough(Exception):
        pass

    def pause():
        raise Enough

    held = turns.take(lock)
    with pytest.raises(Enough):
        turns.wait_for(lock, pause)
    os.close(held)
    os.close(turns.take(lock))


def test_of_many_at_once_one_gets_it(lock):
    code = "import sys; from pathlib import Path; from engine.system import turns; print(turns.take(Path(sys.argv[1])) is not None); sys.stdout.flush(); sys.stdin.read()"
    racers = [
        subprocess.Popen([sys.executable, "-c", code, lock], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    got = [racer.stdout.readline().strip() for racer in racers]
    for racer in racers:
        racer.communicate()
    assert sorted(got) == ["False"] * 7 + ["True"]


def test_a_lock_that_nobody_has_or_waits_for_is_forgotten(lock):
    assert turns.forget(lock)
    assert list(lock.parent.iterdir()) == []
    handle = turns.take(lock)
    assert not turns.forget(lock)
    os.close(handle)
    turns.wait_for(lock, lambda: None)
    assert lock.exists()


def test_one_that_somebody_waits_for_stays(lock, waiter):
    handle = turns.take(lock)
    waiting = waiter("a")
    assert not turns.forget(lock)
    os.close(handle)
    assert waiting.wait(10) == 0
    assert turns.forget(lock) and order(lock) == ["a"]


def test_one_that_somebody_comes_to_wait_for_at_that_moment_stays(lock, monkeypatch):
    turns._queue(lock).mkdir()
    numbers = iter([[], ["000000001"]])
    monkeypatch.setattr(turns, "_numbers", lambda _queue: next(numbers))
    assert not turns.forget(lock)
    assert lock.exists()


def test_a_queue_that_was_removed_meanwhile_is_made_anew(lock, monkeypatch):
    real, gone = turns.disk.lock, []

    def removed(path, **how):
        if path.name == "door" and not gone:
            gone.append(path)
            path.parent.rmdir()
            raise FileNotFoundError
        return real(path, **how)

    monkeypatch.setattr(turns.disk, "lock", removed)
    with turns._ticket(turns._queue(lock)) as ticket:
        assert ticket.exists() and gone
