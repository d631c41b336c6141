"""The state folder."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import state as module
from engine.errors import AuditUnwritable, Interrupted, Overlap, UsageError
from engine.state import State, folder
from engine.system.stop import Stop

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state")


def made(state, *names):
    for name in names:
        (state.runs / name).mkdir(parents=True)
        (state.runs / name / "audit.jsonl").touch()


def test_where_it_is(monkeypatch):
    monkeypatch.setenv("OPSBOOK_STATE", "~/here")
    assert folder() == Path("~/here").expanduser()
    monkeypatch.delenv("OPSBOOK_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert folder() == Path("/somewhere/opsbook")
    monkeypatch.setenv("OPSBOOK_STATE", "~nobody-here/state")
    with pytest.raises(UsageError, match="no such home folder"):
        folder()


def test_where_the_users_configuration_is(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert module.settings_folder() == Path("/somewhere")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/ana")
    assert module.settings_folder() == Path("/home/ana/.config")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert module.settings_folder() == Path("/nonexistent")
    monkeypatch.delenv("OPSBOOK_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert folder() == Path("/nonexistent")


def test_runs_are_named_by_time_and_private(state):
    first, second = state.new_run(NOW), state.new_run(NOW.replace(hour=13))
    assert first.name.startswith("20261123T120000-") and first.name < second.name
    assert {path.stat().st_mode & 0o777 for path in (first, state.runs, state.root)} == {0o700}
    assert state.every_run() == []  # nothing was written down yet


def test_a_run_is_found_by_the_beginning_of_its_id(state):
    made(state, "20261123T120000-aa", "20261123T120000-ab", "20261123T12")
    assert state.run("20261123T120000-aa").name == "20261123T120000-aa"
    assert state.run("20261123T12").name == "20261123T12"
    for wrong in ("20261123T120000-a", "2027", "../etc", ""):
        with pytest.raises(UsageError):
            state.run(wrong)


def test_a_folder_that_cannot_be_made_fails_closed(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(AuditUnwritable, match="cannot be made"):
        State(tmp_path / "state").new_run(NOW)


ENV = {**os.environ, "PYTHONPATH": str(Path(module.__file__).parents[2])}
KEY = "import sys; from pathlib import Path; from engine.state import State; print(State(Path(sys.argv[1])).fingerprint_key().hex())"


def test_all_processes_come_to_one_fingerprint_key(state):
    racers = [subprocess.Popen([sys.executable, "-c", KEY, state.root], env=ENV, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    keys = {racer.communicate()[0] for racer in racers}
    assert keys == {state.fingerprint_key().hex() + "\n"}
    assert [path.name for path in state.root.iterdir()] == ["fingerprint.key"]
    assert (state.root / "fingerprint.key").stat().st_mode & 0o777 == 0o600


def test_a_slower_process_takes_the_key_that_is_there(state, monkeypatch):
    key = state.fingerprint_key()
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert state.fingerprint_key() == key


def test_a_damaged_or_unreadable_key_fails_closed(state):
    state.root.mkdir()
    (state.root / "fingerprint.key").write_bytes(b"short")
    with pytest.raises(AuditUnwritable, match="damaged"):
        state.fingerprint_key()
    (state.root / "fingerprint.key").unlink()
    (state.root / "fingerprint.key").mkdir()
    with pytest.raises(AuditUnwritable, match="cannot be made or read"):
        state.fingerprint_key()


def test_a_group_is_held_by_one(state):
    with state.lock("g/ü", "fail", Stop()):
        with state.lock("other", "fail", Stop()):
            pass
        for on_conflict, status in (("fail", 11), ("skip", 0)):
            with pytest.raises(Overlap) as caught, state.lock("g/ü", on_conflict, Stop()):
                pass
            assert caught.value.exit_status == status
    with state.lock("g/ü", "fail", Stop()):
        pass


def test_groups_that_only_look_alike_do_not_meet(state):
    with state.lock("a/b", "fail", Stop()), state.lock("a_b", "fail", Stop()), state.lock("x" * 300, "fail", Stop()):
        assert len(list((state.root / "locks").iterdir())) == 3


def test_a_queue_waits_until_the_group_is_free(state, monkeypatch):
    holder = state.lock("g", "fail", Stop())
    holder.__enter__()
    stop = Stop()
    monkeypatch.setattr(stop, "wait", lambda seconds: holder.__exit__(None, None, None))
    with state.lock("g", "queue", stop):
        pass


def test_a_signal_ends_the_queue(state, monkeypatch):
    monkeypatch.setattr(module, "POLL", 0)
    stop = Stop()
    stop.cancel()
    with state.lock("g", "fail", Stop()), pytest.raises(Interrupted), state.lock("g", "queue", stop):
        pass


def test_a_lock_that_is_a_link_fails_closed(state):
    with state.lock("g", "fail", Stop()):
        pass
    (lock,) = (state.root / "locks").iterdir()
    lock.unlink()
    lock.symlink_to(os.devnull)
    with pytest.raises(AuditUnwritable, match="cannot be taken"), state.lock("g", "fail", Stop()):
        pass
