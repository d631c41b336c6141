"""What past runs left, and whether their logs are whole."""

from __future__ import annotations

import errno
import json
from pathlib import Path
import os
import shutil

import pytest

from engine.audit import chain, ledger
from engine.system import disk
from engine.state import history
from engine.errors import AuditUnwritable, Overlap
from engine.state import LOG
from engine.audit.journal import Journal
from engine.state import State


@pytest.fixture
def state(tmp_path):
    made = State(tmp_path / "state")
    for name in ("run-1", "run-2"):
        (made.runs / name).mkdir(parents=True)
        park(made, name, "run.ended", "succeeded")
    return made


def park(state, name, over, status):
    """What a process writes: some events, an end, and the ledger."""
    ledger.write(state.ledger, "run.opened", run=name)
    log = Journal(state.runs / name / LOG)
    for event in ("run.started", "step.intent", "step.result"):
        log.append(event, runbook="r", started_at="2026-11-23T12:00:00.000Z", actor={"trigger": "cron"}, step="s")
    log.append(over, status=status, time="2026-11-23T12:05:00.000Z")
    ledger.write(state.ledger, "run.closed", run=name, status=status, head=log.head, events=log.events)
    log.close()


def found(state, run=None):
    return [(os.path.relpath(problem.file, state.root), problem.line) for problem in history.verify(state, run).problems]


def cut(path, keep):
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep]))


def test_all_is_well(state):
    verified = history.verify(state)
    assert (verified.problems, verified.events) == ([], 8)
    assert verified.head == chain.verify(state.ledger).head
    one = history.verify(state, state.runs / "run-1")
    assert (one.events, one.head) == (4, chain.verify(state.runs / "run-1" / LOG).head)


@pytest.mark.parametrize("keep", [0, 1, 2, 3])
def test_a_cut_tail_is_found_through_the_ledger(state, keep):
    cut(state.runs / "run-1" / LOG, keep)
    assert found(state) == found(state, state.runs / "run-1") == [("runs/run-1/audit.jsonl", keep or 1)]


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_a_run_the_ledger_knows_nothing_of_is_found(state, keep):
    cut(state.ledger, keep)
    unknown = [("runs/run-1/audit.jsonl", 1)] * (keep == 0) + [("runs/run-2/audit.jsonl", 1)]
    assert found(state) == unknown
    assert found(state, state.runs / "run-2") == unknown[-1:]
    assert "the ledger knows nothing of this run" in history.verify(state).problems[0].message


@pytest.mark.parametrize("where", ["ledger.jsonl", "runs/run-1/audit.jsonl"])
def test_a_folder_in_the_place_of_a_log_is_a_file_that_is_missing(state, where):
    (state.root / where).unlink()
    (state.root / where).mkdir()
    assert (where, 1) in found(state)
    assert len(list(map(history.summary, state.every_run()))) == 2


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\0\n", b"[1]\n", b'{"half'])
def test_a_run_with_a_spoilt_tail_did_begin(state, tail):
    place = state.runs / "run-1"
    cut(place / LOG, 3)
    with (place / LOG).open("ab") as log:
        log.write(tail)
    assert history.left(place) == "interrupted"


def test_what_was_added_behind_the_end_is_found(state):
    log = Journal(state.runs / "run-1" / LOG)
    log.append("step.intent")
    log.close()
    assert found(state) == [("runs/run-1/audit.jsonl", 5)]


def test_a_whole_log_put_in_the_place_of_another_is_found(state):
    (state.runs / "run-1" / LOG).write_bytes(b"")
    log = Journal(state.runs / "run-1" / LOG)
    for _ in range(4):
        log.append("run.started")
    log.close()
    assert found(state) == [("runs/run-1/audit.jsonl", 4)]


def test_a_run_that_went_on_is_longer_than_it_was_parked_but_holds_what_it_held(state):
    (state.runs / "run-3").mkdir()
    park(state, "run-3", "run.parked", "interrupted")
    ledger.write(state.ledger, "run.resumed", run="run-3")
    log = Journal(state.runs / "run-3" / LOG)
    log.append("run.resumed")
    log.close()
    assert found(state) == []
    cut(state.runs / "run-3" / LOG, 3)
    assert found(state) == [("runs/run-3/audit.jsonl", 3)]


def test_a_run_that_is_gone_is_found(state):
    for file in (state.runs / "run-2").iterdir():
        file.unlink()
    assert found(state) == [("ledger.jsonl", 3)]


def test_a_ledger_that_is_gone_or_was_changed_is_found(state):
    whole = state.ledger.read_bytes()
    state.ledger.write_bytes(whole.replace(b"succeeded", b"SUCCEEDED", 1))
    assert found(state) == [("ledger.jsonl", 2)]
    state.ledger.unlink()
    assert found(state) == [("ledger.jsonl", 1)]


def test_nothing_there_is_nothing_wrong(tmp_path):
    verified = history.verify(State(tmp_path))
    assert (verified.problems, verified.events, verified.head) == ([], 0, chain.GENESIS)


def test_a_row(state):
    assert history.summary(state.runs / "run-1") == {
        "run_id": "run-1",
        "runbook": "r",
        "status": "succeeded",
        "started_at": "2026-11-23T12:00:00.000Z",
        "ended_at": "2026-11-23T12:05:00.000Z",
        "trigger": "cron",
        "scheduled": None,
        "events": 4,
    }


def test_the_status_is_the_last_word_or_that_somebody_carries_it_on(state):
    place = state.runs / "run-1"
    cut(place / LOG, 3)
    assert history.summary(place)["status"] == "interrupted"
    with (place / LOG).open("ab") as log:
        log.write(b'{"half')
    assert history.summary(place)["status"] == "interrupted"
    with history.hold(place):
        assert history.summary(place)["status"] == "running"
        assert (place / "lock").read_text() == str(os.getpid())
        with pytest.raises(Overlap), history.hold(place):
            pass
    assert not history.held(place)
    cut(place / LOG, 0)
    assert history.left(place) == "cancelled"


def test_a_lock_that_is_a_link_fails_closed(state):
    (state.runs / "run-1" / "lock").symlink_to(os.devnull)
    with pytest.raises(AuditUnwritable, match="lock"), history.hold(state.runs / "run-1"):
        pass


def test_a_look_at_a_run_writes_nothing(state, monkeypatch):
    def read_only(path, flags, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    place = state.runs / "run-1"
    assert not history.held(place)
    assert not (place / "lock").exists()
    with history.hold(place), monkeypatch.context() as patch:
        patch.setattr(disk, "open_private", read_only)
        assert history.summary(place)["status"] == "running"
        with pytest.raises(AuditUnwritable, match="cannot be taken: Read-only"), history.hold(place):
            pass
    assert not history.held(place)


def test_a_lock_that_cannot_be_looked_at_is_said(state):
    (state.runs / "run-1" / "lock").symlink_to(os.devnull)
    with pytest.raises(AuditUnwritable, match="cannot be looked at"):
        history.held(state.runs / "run-1")


@pytest.mark.parametrize("call", ["ftruncate", "pwrite"])
def test_a_lock_that_cannot_be_written_fails_closed(state, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(AuditUnwritable, match="run-1 cannot be written: No space left"), history.hold(state.runs / "run-1"):
            pass
    assert not history.held(state.runs / "run-1")


def test_the_steps_of_a_run(tmp_path):
    log = Journal(tmp_path / LOG)
    told = [
        ("run.started", {}),
        ("step.started", {"step": "a", "uses": "x.y", "time": "T1"}),
        ("step.intent", {"step": "a", "attempt": 1, "method": "GET", "path": "/p", "key_used": {"kind": "team"}}),
        ("step.result", {"step": "a", "answer": {"status": 200}}),
        ("step.intent", {"step": "a", "attempt": 2, "method": "POST", "path": "/q"}),
        ("step.ended", {"step": "a", "status": "failed", "error": {"message": "m"}, "time": "T2"}),
        ("step.skipped", {"step": "b", "time": "T3"}),
        ("step.started", {"step": "c", "item": "i", "uses": "z", "time": "T4"}),
    ]
    for name, fields in told:
        log.append(name, **fields)
    log.close()
    first, second, third = json.loads(json.dumps(history.steps(tmp_path)))
    assert first["status"] == "failed" and first["attempts"] == 2 and (first["started_at"], first["ended_at"]) == ("T1", "T2")
    assert [(request["method"], request["url"], request["status"]) for request in first["requests"]] == [
        ("GET", "/p", 200),
        ("POST", "/q", None),
    ]
    assert (second["id"], second["status"], third["item"], third["status"]) == ("b", "skipped", "i", "running")


def test_one_changed_byte_is_named_once(command):
    """The ledger knows where the log ends by its number of lines, changed ones counted."""
    command.write("r.yaml", "apiVersion: runbook/v1\nname: r\nsteps: [{uses: core.log, with: {message: hi}}]\n")
    run = json.loads(command("run", "r.yaml", "--json").out)
    log = Path(run["audit"]["path"])
    whole = log.read_bytes()
    for line in range(whole.count(b"\n")):
        lines = whole.splitlines(keepends=True)
        lines[line] = lines[line].replace(b'"event"', b'"evenf"', 1)
        log.write_bytes(b"".join(lines))
        done = command("audit", "verify", "--json")
        assert done.code == 12
        assert [problem["line"] for problem in json.loads(done.out)["problems"]] == [line + 1]


def test_who_holds_a_run(state):
    place = state.runs / "run-1"
    assert history.holder(place) is None
    with history.hold(place):
        assert history.holder(place) == os.getpid()
        (place / "lock").write_text("half")
        assert history.holder(place) is None


def test_a_document_is_retold_with_what_only_the_log_knows(tmp_path):
    log = Journal(tmp_path / LOG)
    for name, fields in [
        ("run.started", {"actor": {"user": "ana"}}),
        ("step.started", {"step": "a", "uses": "x.y", "time": "T1"}),
        ("step.result", {"step": "a"}),
        ("moment", {"step": "a"}),
        ("step.ended", {"step": "a", "status": "succeeded", "time": "T2"}),
        ("step.intent", {"step": "b", "item": "i", "attempt": 1, "method": "GET", "path": "/p"}),
        ("step.ended", {"step": "b", "item": "i", "status": "failed", "time": "T3", "error": {"message": "m"}}),
    ]:
        log.append(name, **fields)
    log.close()
    told = history.retold({"x": 1, "steps": [{"id": "a"}, {"id": "b", "items": {"total": 1}}, {"id": "never"}]}, tmp_path)
    assert (told["actor"], told["x"]) == ({"user": "ana"}, 1)
    first, second, third = told["steps"]
    assert first == {"id": "a", "started_at": "T1", "ended_at": "T2", "requests": []}
    assert second["items"] == {"total": 1, "failures": [{"item": "i", "message": "m"}]}
    assert second["requests"] == [{"method": "GET", "url": "/p", "status": None, "key": None}]
    assert third == {"id": "never"}


def test_a_run_that_is_carried_on_meanwhile_is_looked_at_once_more(state, monkeypatch):
    """What it writes between the look at its log and the look at the ledger is no tampering."""
    real, grown = chain.verify, []

    def verify(path):
        found = real(path)
        if path == state.runs / "run-2" / LOG and not grown:
            grown.append(path)
            park(state, "run-2", "run.ended", "succeeded")
        return found

    monkeypatch.setattr(chain, "verify", verify)
    assert found(state) == [] and grown


@pytest.mark.parametrize("tombstone", [True, False])
def test_a_run_that_is_pruned_meanwhile_is_not_missed(state, monkeypatch, tombstone):
    real = history.told_of

    def told_of(lines):
        told = real(lines)
        if (state.runs / "run-2" / LOG).exists():
            if tombstone:
                ledger.write(state.ledger, history.PRUNED, run="run-2", events=4, head="0")
            (state.runs / "run-2" / LOG).unlink()
        return told

    monkeypatch.setattr(history, "told_of", told_of)
    assert found(state) == ([] if tombstone else [("ledger.jsonl", 3)])


def test_a_ledger_that_tells_nonsense_is_named_and_breaks_nothing(state):
    with state.ledger.open("ab") as file:
        file.write(b'{}\n[]\n{"run":"run-1","event":"run.closed"}\n{"run":"run-2","event":"run.closed","events":"many","head":1}\n')
    assert found(state) == [("ledger.jsonl", line) for line in (5, 6, 7, 8)]


def test_a_head_that_was_kept_elsewhere_is_known_however_much_was_written_since(state):
    before = history.verify(state)
    (state.runs / "run-3").mkdir()
    park(state, "run-3", "run.parked", "interrupted")
    parked = chain.verify(state.runs / "run-3" / LOG).head
    park(state, "run-3", "run.ended", "succeeded")
    now = history.verify(state)
    assert {before.head, parked, *before.heads} <= now.heads and now.head != before.head
    assert parked in history.verify(state, state.runs / "run-3").heads
    cut(state.ledger, 3)
    assert before.head not in history.verify(state).heads


def test_a_run_that_is_pruned_while_it_is_looked_at_is_over(state):
    shutil.rmtree(state.runs / "run-1")
    assert history.summary(state.runs / "run-1")["status"] == "cancelled"
    assert not (state.runs / "run-1").exists()


@pytest.mark.parametrize(
    "line",
    [b'{"event":5,"seq":"x","step":[1],"time":{}}', b'{"event":"step.ended"}', b"[1]", b"\xff", b'{"event":"run.started","actor":5}'],
)
@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_line_that_was_changed_is_nobodys_word(command, fake, line, at):
    command("run", command.runbook("steps: [{id: a, uses: fake.write, with: {n: 1}}]"))
    (place,) = State(command.folder / "state").every_run()
    lines = (place / LOG).read_bytes().splitlines()
    lines[at] = line
    (place / LOG).write_bytes(b"\n".join(lines) + b"\n")
    for words in (
        ["runs", "list"],
        ["runs", "show", place.name],
        ["audit", "show"],
        ["audit", "show", "--key", "x"],
        ["runs", "prune", "--keep", "9"],
    ):
        assert command(*words).code == 0, words
    assert command("audit", "verify").code == 12


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_log_that_is_no_file_of_its_own_is_missed(command, fake, tmp_path, kind):
    command("run", command.runbook("steps: [{id: a, uses: fake.write, with: {n: 1}}]"))
    (place,) = State(command.folder / "state").every_run()
    (place / LOG).rename(tmp_path / "moved")
    {"pipe": lambda: os.mkfifo(place / LOG), "link": lambda: (place / LOG).symlink_to(tmp_path / "moved"), "folder": (place / LOG).mkdir}[
        kind
    ]()
    done = command("audit", "verify")
    assert done.code == 12 and "is missing" in done.err
    assert command("runs", "list").code == 0
