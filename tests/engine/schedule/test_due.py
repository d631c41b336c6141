"""Which moments are due, and that each comes to one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.audit import journal
from engine.errors import Interrupted, Invalid, Overlap, UsageError
from engine.schedule import cron, due, timing
from engine.schedule.due import Occasion, judge
from engine.schedule.memory import Memory
from engine.state import LOG

HOUR = 3600.0
MOMENT = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture
def occasion(state, clock):
    def make(entry, asking=True, delayed=True):
        return Occasion(state, entry.file, entry.trigger.name, clock.now, clock.sleep, asking, delayed)

    return make


@pytest.fixture
def ask(occasion):
    """Asks once; whether a run begins."""

    def ask(entry, begins=True, **how):
        one = occasion(entry, **how)
        with one.taken() as moment:
            if moment is None or not one.is_due(entry, moment):
                return False
            if begins:
                one.begun()
            return True

    return ask


def remembered(state, entry):
    return Memory(state.schedule, entry.file, entry.trigger.name).read()


@pytest.mark.parametrize(
    ("trigger", "late", "known", "verdict"),
    [
        ({}, 0, False, "due"),
        ({}, 299, False, "due"),
        ({}, 301, True, "missed"),
        ({}, -59, True, "due"),
        ({}, -61, True, "later"),
        ({"missed": "run_once"}, 90 * 24 * HOUR, True, "due"),
        ({"missed": "run_once"}, 301, False, "missed"),
        ({"missed": "run_once", "max_lateness": 2 * HOUR}, 2 * HOUR, True, "due"),
        ({"missed": "run_once", "max_lateness": 2 * HOUR}, 2 * HOUR + 1, True, "missed"),
        ({"missed": "run_once", "max_lateness": 1.0}, 30, True, "due"),
    ],
)
def test_verdicts(entry, trigger, late, known, verdict):
    start = MOMENT
    assert judge(entry(**trigger).trigger, start, start + timedelta(seconds=late), known=known) == verdict


def test_whoever_delays_on_purpose_is_not_late(entry):
    trigger = entry(jitter=2 * HOUR).trigger
    late = MOMENT + timedelta(hours=2)
    assert judge(trigger, MOMENT, late, known=True) == "missed"
    assert judge(trigger, MOMENT, late, known=True, slack=trigger.jitter) == "due"


def test_a_moment_comes_to_one_run(entry, ask, clock, state):
    one = entry()
    assert [ask(one), ask(one)] == [True, False]
    assert remembered(state, one).outcome == "begun"
    clock.sleep(24 * HOUR)
    assert [ask(one), ask(one)] == [True, False]


def test_what_was_missed_is_skipped(entry, ask, clock, state):
    one = entry()
    ask(one)
    clock.sleep(30 * HOUR)
    assert ask(one) is False
    assert (remembered(state, one).outcome, remembered(state, one).moment) == ("missed", MOMENT + timedelta(days=1))


def test_what_was_missed_is_caught_up_once_unless_it_is_too_late(entry, ask, clock):
    one = entry(missed="run_once", max_lateness=2 * HOUR)
    ask(one)
    clock.sleep(10 * 24 * HOUR + HOUR)
    assert [ask(one), ask(one)] == [True, False]
    clock.sleep(24 * HOUR + 1.5 * HOUR)
    assert ask(one) is False


def test_before_anything_is_remembered_only_what_is_on_time_is_due(entry, ask, clock, state):
    clock.sleep(HOUR)
    one = entry(missed="run_once")
    assert ask(one) is False
    assert (remembered(state, one).outcome, remembered(state, one).moment) == (None, MOMENT)
    clock.sleep(24 * HOUR)
    assert ask(one) is True


def test_each_machine_begins_at_its_own_time(entry, ask, clock, monkeypatch):
    monkeypatch.setattr("engine.schedule.entry._share", lambda text: 0.5)
    one = entry(jitter=600.0)
    assert one.delay == 300.0
    assert ask(one) is False
    clock.sleep(250)
    assert ask(one) is True
    assert clock.now() == MOMENT + timedelta(seconds=300), "the rest is waited for"


def test_the_delay_is_the_machines_own(entry, monkeypatch):
    one = entry(jitter=600.0)
    monkeypatch.setattr("socket.gethostname", lambda: "alpha")
    first, again = one.delay, one.delay
    monkeypatch.setattr("socket.gethostname", lambda: "beta")
    assert first == again != one.delay
    assert 0 <= first < 600


def test_systemd_delays_by_itself(entry, ask, clock):
    one = entry(jitter=600.0)
    clock.sleep(500)
    assert ask(one, delayed=False) is True


def test_a_crash_before_the_run_began_is_made_good(entry, ask, clock):
    one = entry(missed="run_once")
    assert ask(one, begins=False) is True
    clock.sleep(60)
    assert [ask(one), ask(one)] == [True, False]


def test_a_crash_just_after_the_run_began_is_no_reason_to_run_again(entry, ask, state):
    one = entry(missed="run_once")
    ask(one, begins=False)
    place = state.new_run(MOMENT + timedelta(seconds=1))
    log = journal.Journal(place / LOG)
    log.append("run.started", scheduled={"file": str(one.file), "trigger": one.trigger.name, "moment": "2026-11-23T03:00:00.000Z"})
    log.close()
    assert ask(one) is False
    assert remembered(state, one).outcome == "begun"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Invalid([]), "refused"),
        (Overlap("held"), "refused"),
        (Overlap("held", skip=True), "skipped"),
        (Interrupted("stop", ends=False), "claimed"),
    ],
)
def test_what_becomes_of_a_run_that_does_not_begin(entry, occasion, state, error, outcome):
    one, attempt = entry(), occasion(entry())
    with pytest.raises(type(error)), attempt.taken() as moment:
        attempt.is_due(one, moment)
        raise error
    assert remembered(state, one).outcome == outcome
    assert not Memory(state.schedule, one.file, one.trigger.name).is_held()


def test_an_interrupted_wait_is_caught_up(entry, occasion, ask):
    one, attempt = entry(missed="run_once"), occasion(entry())
    with pytest.raises(Interrupted), attempt.taken() as moment:
        attempt.is_due(one, moment)
        raise Interrupted("stop", ends=False)
    assert ask(one) is True


def test_while_somebody_begins_the_run_nobody_else_does(entry, occasion, ask):
    one, first = entry(), occasion(entry())
    with first.taken() as moment:
        assert first.is_due(one, moment)
        assert ask(one) is False
        first.begun()
    assert ask(one) is False


def test_the_next_moment_waits_until_the_last_has_begun(entry, occasion, state, clock):
    one, first, second = entry("* * * * *"), occasion(entry("* * * * *")), occasion(entry("* * * * *"))
    with first.taken() as moment:
        first.is_due(one, moment)
        clock.sleep(60)
        second.wait = lambda seconds: first.begun()
        with second.taken() as later:
            assert later == moment + timedelta(minutes=1)
            assert second.is_due(one, later)


def test_without_asking_it_runs_and_leaves_word(entry, ask, clock, state):
    one = entry()
    clock.sleep(5 * HOUR)
    assert [ask(one, asking=False), ask(one, asking=False)] == [True, True]
    assert (remembered(state, one).moment, remembered(state, one).outcome) == (MOMENT, "begun")


def test_a_name_that_no_trigger_has(state, clock):
    for name in ("", "soon", "0 3 * * *", "0 3 * * * Mars/Base", "0 25 * * * UTC"):
        with pytest.raises(UsageError, match="--scheduled"):
            Occasion(state, Path("/x"), name, clock.now, clock.sleep, True, True).latest()


NIGHTS = {
    "Europe/Berlin": "2026-03-28",
    "America/New_York": "2026-10-31",
    "Australia/Lord_Howe": "2026-04-04",
    "Pacific/Chatham": "2026-09-26",
}
TEXTS = ("30 2 * * *", "0,30 1-3 * * *", "*/15 * * * *", "45 */2 * * *")


@pytest.mark.parametrize("machine", ["UTC", "Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize("zone", NIGHTS)
def test_cron_by_any_clock_meets_each_moment_once_on_the_nights_that_clocks_change(entry, zone, machine):
    clock = cron.zone(machine)
    began = datetime.fromisoformat(NIGHTS[zone]).replace(hour=12, tzinfo=UTC)
    for text in TEXTS:
        one = entry(text, zone)
        wanted = [
            moment.astimezone(UTC)
            for moment, _ in zip(one.moments(began), range(200))
            if moment.astimezone(UTC) <= began + timedelta(hours=36)
        ]
        asked = timing.minutes(one, clock, began, 0.0)
        met, seen = [], one.latest(began).astimezone(UTC)
        for minute in range(1, 36 * 60 + 1):
            now = began + timedelta(minutes=minute)
            if now.astimezone(clock).minute not in asked:
                continue
            last = one.latest(now).astimezone(UTC)
            if last > seen and judge(one.trigger, last, now, known=True) == "due":
                assert now == last, "on the minute"
                met.append(last)
            seen = max(seen, last)
        assert met == wanted


BOOK = """\
apiVersion: runbook/v1
name: often
triggers: [{cron: "* * * * *", missed: run_once}]
steps: [{uses: core.log, with: {message: hello}}]
"""


def test_of_many_processes_at_once_one_runs(tmp_path):
    (tmp_path / "often.yaml").write_text(BOOK)
    environment = {**os.environ, "OPSBOOK_STATE": str(tmp_path / "state"), "PYTHONPATH": str(Path(due.__file__).parents[2])}
    command = [sys.executable, "-m", "engine", "-q", "run", "often.yaml", "--trigger", "cron", "--scheduled", "* * * * * UTC", "--if-due"]
    racers = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(6)]
    assert {(racer.communicate()[0], racer.returncode) for racer in racers} == {(b"", 0)}
    moments = [
        json.loads((place / "audit.jsonl").read_text().partition("\n")[0])["scheduled"]["moment"]
        for place in (tmp_path / "state" / "runs").iterdir()
    ]
    assert len(moments) == len(set(moments)) >= 1, "one for each minute that came"
