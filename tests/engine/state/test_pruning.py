"""Removing old runs without making a hole in the audit log."""

from __future__ import annotations

import errno
import os
import shutil
import time

import pytest

from engine.audit import chain, ledger
from engine.state import history, pruning
from engine.system import disk, turns
from engine.errors import AuditUnwritable, ChainBroken, Overlap
from engine.audit.journal import Journal
from engine.state.pruning import Rule, chosen, prune
from engine.state import LOG, State

STATUSES = {
    "01": "succeeded",
    "02": "failed",
    "03": "cancelled",
    "04": "waiting",
    "05": "in_doubt",
    "06": "interrupted",
    "07": None,
    "08": "succeeded",
}


@pytest.fixture
def state(tmp_path):
    """Eight runs, one a day: one of every status, one that a crash cut off."""
    made = State(tmp_path / "state")
    for day, status in STATUSES.items():
        begin(made, f"202601{day}", status, f"2026-01-{day}T00:00:00.000Z")
    return made


def begin(state, name, status, when, **started):
    (state.runs / name).mkdir(parents=True)
    ledger.write(state.ledger, "run.opened", run=name)
    log = Journal(state.runs / name / LOG, segment=700)
    log.append("run.started", runbook="r", started_at=when, actor={"trigger": "cron"}, **started)
    for _ in range(4):
        log.append("step.intent", time=when)
    if status:
        over = "run.ended" if status in pruning.STATUSES else "run.parked"
        log.append(over, status=status, time=when)
        ledger.write(state.ledger, "run.closed", run=name, status=status, head=log.head, events=log.events)
    log.close()
    (state.runs / name / "results.jsonl").touch()
    (state.runs / name / "output").mkdir()
    (state.runs / name / "output" / "report").touch()


def left(state):
    return [place.name[-2:] for place in state.every_run()]


def gone(state, rule):
    return [row["run_id"][-2:] for row in chosen(state, rule)]


@pytest.mark.parametrize(
    ("rule", "which"),
    [
        (Rule(), ["01", "02", "03", "08"]),
        (Rule(keep=1), ["01", "02", "03"]),
        (Rule(keep=9), []),
        (Rule(before="2026-01-03"), ["01", "02"]),
        (Rule(keep=3, before="2026-01-03"), ["01"]),
        (Rule(statuses=("succeeded",)), ["01", "08"]),
        (Rule(statuses=("succeeded",), keep=1), ["01"]),
        (Rule(statuses=("failed", "cancelled")), ["02", "03"]),
    ],
)
def test_only_what_is_over_goes_the_oldest_first(state, rule, which):
    assert gone(state, rule) == which
    done = prune(state, rule)
    assert [row["run_id"][-2:] for row in done.runs] == which and done.refused == []
    assert left(state) == [day for day in STATUSES if day not in which]
    assert history.verify(state).problems == []


def test_its_tombstone_says_what_it_was_by_whom_it_was_removed_and_when(state):
    head = chain.verify(state.runs / "20260102" / LOG).head
    prune(state, Rule(statuses=("failed",)), actor={"user": "ana"}, pruned_at="2026-02-01")
    (*_, entry) = history.told_of(history.journal.placed(state.ledger))["20260102"]
    told = {name: entry[name] for name in ("event", "head", "events", "status", "actor", "pruned_at", "runbook", "ended_at")}
    assert told == {
        "event": "run.pruned", "head": head, "events": 7, "status": "failed", "actor": {"user": "ana"}, "pruned_at": "2026-02-01",
        "runbook": "r", "ended_at": "2026-01-02T00:00:00.000Z",
    }  # fmt: skip
    assert head in history.verify(state).heads


def test_a_run_that_vanished_without_one_is_still_named(state):
    prune(state, Rule(keep=1))
    shutil.rmtree(state.runs / "20260108")
    assert [problem.message for problem in history.verify(state).problems] == ["the run 20260108 is gone"]


def test_a_run_that_somebody_holds_stays(state):
    with history.hold(state.runs / "20260101"):
        assert gone(state, Rule()) == ["02", "03", "08"]  # it is running
    held = disk.lock(state.runs / "20260101" / "lock")
    rows = chosen(state, Rule())
    os.close(held)
    assert rows[0]["run_id"] == "20260102"


def test_a_run_that_is_taken_at_that_moment_stays(state, monkeypatch):
    rows = chosen(state, Rule())
    monkeypatch.setattr(pruning, "chosen", lambda *_: rows)
    with history.hold(state.runs / "20260101"):
        assert [row["run_id"][-2:] for row in prune(state, Rule()).runs] == ["02", "03", "08"]


def test_a_run_whose_retry_has_not_taken_over_yet_stays(state):
    begin(state, "20260109", None, "2026-01-09T00:00:00.000Z", retry_of="20260102")
    assert gone(state, Rule()) == ["01", "03", "08"]
    begin(state, "20260110", "succeeded", "2026-01-10T00:00:00.000Z", retry_of="20260101")
    assert gone(state, Rule()) == ["01", "03", "08", "10"]


def test_a_run_whose_log_was_changed_is_evidence_and_stays(state):
    log = state.runs / "20260102" / LOG
    log.write_bytes(log.read_bytes().replace(b"cron", b"evil"))
    longer = Journal(state.runs / "20260103" / LOG)
    longer.append("run.ended", status="cancelled")
    longer.close()
    done = prune(state, Rule())
    assert [row["run_id"][-2:] for row in done.runs] == ["01", "08"]
    assert [(refused["run_id"][-2:], f"{LOG}:1:" in refused["reason"]) for refused in done.refused] == [("02", True), ("03", False)]
    assert "does not end as the ledger says" in done.refused[1]["reason"]
    assert left(state) == ["02", "03", "04", "05", "06", "07"]


def test_a_ledger_that_was_changed_stops_it(state):
    state.ledger.write_bytes(state.ledger.read_bytes().replace(b"failed", b"FAILED"))
    with pytest.raises(ChainBroken, match="nothing was pruned"):
        prune(state, Rule())
    assert left(state) == list(STATUSES)


def test_a_run_that_was_stopped_before_it_began_has_the_age_of_its_folder(state):
    place = state.runs / "20260109"
    place.mkdir()
    (place / LOG).touch()
    assert gone(state, Rule(before="2026-01-02")) == ["01"]
    os.utime(place, (0, 0))
    assert gone(state, Rule(before="2026-01-02")) == ["01", "09"]
    assert [row["run_id"][-2:] for row in prune(state, Rule(before="2026-01-02")).runs] == ["01", "09"]
    assert history.verify(state).problems == []


class Killed(BaseException):
    """The process ends here."""


CALLS = ("open", "write", "fdatasync", "fsync", "rename", "unlink", "rmdir", "ftruncate", "pwrite")


def test_a_crash_at_any_point_leaves_everything_verifiable_and_the_next_one_goes_on(tmp_path, monkeypatch):
    number, alive = 0, False
    while not alive:
        number += 1
        state = State(tmp_path / str(number))
        for day in ("01", "02", "03"):
            begin(state, f"202601{day}", STATUSES[day], f"2026-01-{day}T00:00:00.000Z")
        with monkeypatch.context() as patch:
            count = 0

            def counted(real):
                def call(*given, **named):
                    nonlocal count
                    count += 1
                    if count >= number:
                        raise Killed
                    return real(*given, **named)

                return call

            for name in CALLS:
                patch.setattr(os, name, counted(getattr(os, name)))
            try:
                prune(state, Rule(keep=1))
                alive = True
            except Killed:
                pass
        assert history.verify(state).problems == [], number
        assert set(left(state)) <= {"01", "02", "03"} and "03" in left(state)
        prune(state, Rule(keep=9))  # finishes only what was begun
        told = history.told_of(history.journal.placed(state.ledger))
        assert [run for run, entries in told.items() if entries[-1]["event"] == "run.pruned"] == [
            run for run in told if not (state.runs / run).exists()
        ]
        prune(state, Rule(keep=1))
        assert left(state) == ["03"] and history.verify(state).problems == []
        assert not list((state.root / "trash").iterdir())
    assert number > 40


@pytest.mark.parametrize("call", ["rename", "unlink", "rmdir", "mkdir"])
def test_what_cannot_be_removed_is_said(state, monkeypatch, call):
    def fail(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as failing:
        failing.setattr(os, call, fail)
        with pytest.raises(AuditUnwritable, match="cannot be removed: Read-only"):
            prune(state, Rule())
    assert history.verify(state).problems == []
    prune(state, Rule())
    assert left(state) == ["04", "05", "06", "07"]


def test_one_at_a_time(state):
    held = disk.lock(state.root / "prune.lock")
    with pytest.raises(Overlap, match="another process prunes"):
        prune(state, Rule())
    os.close(held)


def old(path, days=100):
    path.touch() if not path.exists() else None
    os.utime(path, (time.time() - days * 86400,) * 2)


def test_what_else_grows_goes_too(state):
    (state.root / "cache").mkdir()
    (state.root / "locks").mkdir()
    for path in ("cache/a", "cache/b.1234", "fingerprint.key.ab12", "fingerprint.key", "locks/a.lock"):
        old(state.root / path)
    (state.root / "cache/new").touch()
    (state.root / "fingerprint.key.new").touch()
    (state.runs / "20260120").mkdir()
    (state.runs / "20260121").mkdir()
    old(state.runs / "20260120")
    held = turns.take(state.root / "locks" / "held.lock")
    done = prune(state, Rule(keep=99))
    os.close(held)
    assert (done.runs, done.leftovers) == ([], 5)
    assert sorted(path.name for path in (state.root / "cache").iterdir()) == ["new"]
    assert sorted(path.name for path in state.root.glob("fingerprint*")) == ["fingerprint.key", "fingerprint.key.new"]
    assert sorted(path.name for path in (state.root / "locks").glob("*.lock")) == ["held.lock"]
    assert not (state.runs / "20260120").exists() and (state.runs / "20260121").exists()


def test_a_run_whose_log_was_taken_away_is_no_leftover(state):
    for part in (state.runs / "20260101").glob("audit*"):
        part.unlink()
    old(state.runs / "20260101")
    assert prune(state, Rule(keep=99)).leftovers == 0
    assert [problem.message for problem in history.verify(state).problems] == ["the run 20260101 is gone"]


def test_a_leftover_that_somebody_holds_stays(state):
    (state.runs / "20260120").mkdir()
    held = disk.lock(state.runs / "20260120" / "lock")
    old(state.runs / "20260120")
    assert prune(state, Rule(keep=99)).leftovers == 0
    os.close(held)


def test_an_entry_that_another_process_has_just_removed_is_none(state, monkeypatch):
    (state.root / "cache").mkdir()
    monkeypatch.setattr(pruning, "_in", lambda folder, pattern="*": [folder / "gone"] if folder.name == "cache" else [])
    assert prune(state, Rule(keep=99)).leftovers == 0


def test_where_nothing_was_there_is_nothing_to_do(tmp_path):
    assert prune(State(tmp_path / "state"), Rule()) == pruning.Pruned([], [], 0)
