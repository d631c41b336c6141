"""Whether every run that should have happened did."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from engine.audit import journal
from engine.system import disk
from engine.schedule.memory import Memory, every_record
from engine.schedule.status import standings
from engine.state import LOG

MOMENT = datetime(2026, 11, 23, 3, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def stands(state):
    """The state of one entry, at a time, installed long ago unless it is said otherwise."""

    def stands(entry, now=NOON, since=NOON - timedelta(days=90)):
        memory = Memory(state.schedule, entry.file, entry.trigger.name)
        if since:
            memory.write(since=since)
        (standing,) = standings(state, [entry], now)
        return standing

    return stands


@pytest.fixture
def ran(state, entry):
    """Leaves a run behind."""

    def ran(moment=MOMENT, status="succeeded", trigger="cron", scheduled=True, began=None):
        one = entry()
        place = state.new_run(began or moment)
        log = journal.Journal(place / LOG)
        told = {"file": str(one.file), "trigger": one.trigger.name, "moment": moment.isoformat()}
        more = {"scheduled": told} if scheduled else {}
        log.append("run.started", runbook="nightly", actor={"trigger": trigger}, started_at=(began or moment).isoformat(), **more)
        if status != "running":
            log.append("run.ended", status=status)
        log.close()
        return place

    return ran


def test_a_run_that_was_there(entry, stands, ran):
    place = ran()
    standing = stands(entry())
    assert (standing.state, standing.moment, standing.run, standing.is_problem) == ("succeeded", MOMENT, place.name, False)


def test_a_run_that_was_not_there(entry, stands, ran):
    ran(MOMENT - timedelta(days=1))
    standing = stands(entry())
    assert (standing.state, standing.moment, standing.run, standing.is_problem) == ("missed", MOMENT, None, True)


@pytest.mark.parametrize("status", ["failed", "in_doubt", "interrupted"])
def test_a_run_that_did_not_go_well(entry, stands, ran, status):
    ran(status=status)
    assert stands(entry()).state == status and stands(entry()).is_problem


def test_before_it_was_installed_nothing_was_expected(entry, stands):
    assert stands(entry(), since=NOON - timedelta(hours=1)).state == "waiting"


def test_what_was_never_installed_is_expected_since_it_was_written(entry, stands):
    one = entry()
    one.file.write_text("")
    os.utime(one.file, (NOON.timestamp(), NOON.timestamp()))
    assert stands(one, since=None).state == "waiting"
    os.utime(one.file, (0, 0))
    assert stands(one, since=None).state == "missed"


@pytest.mark.parametrize(
    ("trigger", "late", "shown"),
    [
        ({}, 30, "succeeded"),
        ({}, 90, "missed"),
        ({"jitter": 600.0}, 630, "succeeded"),
        ({"jitter": 600.0}, 690, "missed"),
        ({"missed": "run_once"}, 330, "succeeded"),
        ({"missed": "run_once"}, 390, "missed"),
        ({"missed": "run_once", "max_lateness": 7200.0}, 7230, "succeeded"),
        ({"missed": "run_once", "max_lateness": 7200.0}, 7290, "missed"),
    ],
)
def test_a_run_may_begin_later(entry, stands, ran, trigger, late, shown):
    ran(MOMENT - timedelta(days=1))
    assert stands(entry(**trigger), now=MOMENT + timedelta(seconds=late)).state == shown


def test_a_run_that_is_still_going_is_not_missed(entry, stands, ran):
    place = ran(MOMENT - timedelta(days=1), status="running", began=MOMENT - timedelta(hours=2))
    handle = disk.lock(place / "lock")
    try:
        assert (stands(entry()).state, stands(entry()).is_problem) == ("running", False)
    finally:
        os.close(handle)
    assert stands(entry()).state == "missed"


def test_a_run_that_waits_its_turn_is_not_missed(entry, stands, state):
    one = entry()
    handle = Memory(state.schedule, one.file, one.trigger.name).lock(None)
    try:
        assert stands(one).state == "starting"
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("outcome", "shown", "problem"),
    [
        ("begun", "succeeded", False),
        ("skipped", "skipped", False),
        ("refused", "refused", True),
        ("missed", "missed", True),
        ("claimed", "missed", True),
    ],
)
def test_what_is_remembered_stands_for_a_run_that_is_not_there(entry, stands, state, outcome, shown, problem):
    one = entry()
    Memory(state.schedule, one.file, one.trigger.name).write(moment=MOMENT, outcome=outcome)
    assert (stands(one).state, stands(one).is_problem) == (shown, problem)


def test_a_line_that_somebody_wrote_by_hand_counts_too(entry, stands, ran):
    ran(trigger="cron", scheduled=False, began=MOMENT + timedelta(seconds=1))
    assert stands(entry()).state == "succeeded"


def test_a_run_by_hand_does_not_count(entry, stands, ran):
    ran(trigger="cli", scheduled=False, began=MOMENT + timedelta(seconds=1))
    assert stands(entry()).state == "missed"


def test_memory_survives_what_it_cannot_read(entry, state):
    one = entry()
    memory = Memory(state.schedule, one.file, one.trigger.name)
    memory.write(since=NOON, moment=MOMENT, outcome="begun")
    assert memory.read() == next(every_record(state.schedule))
    for text in (b"", b"[]", b"{}", b'{"since": 3}', b"\xff"):
        for path in state.schedule.glob("*.json"):
            path.write_bytes(text)
        assert memory.read().moment is None
        assert list(every_record(state.schedule)) == []
    memory.forget()
    memory.forget()
