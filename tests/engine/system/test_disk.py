"""Syncs that several threads share: nobody goes on before the own data is on disk, and no failure is forgotten."""

import errno
import fcntl
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.system import disk


@pytest.fixture
def file(tmp_path):
    opened = disk.open_private(tmp_path / "log", os.O_RDWR | os.O_APPEND)
    yield opened
    os.close(opened)


def test_each_returns_only_when_a_sync_that_began_after_its_write_has_ended(file, monkeypatch):
    covered = 0

    def slow(handle):
        nonlocal covered
        seen = os.fstat(handle).st_size
        threading.Event().wait(0.0005)
        covered = max(covered, seen)

    monkeypatch.setattr(os, "fdatasync", slow)
    sync, turn = disk.Sync(file), threading.Lock()

    def write(_):
        with turn:
            os.write(file, b"x")
            end = os.fstat(file).st_size
        sync()
        return covered >= end

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(write, range(200)))


def test_those_who_wait_share_one_sync(file, monkeypatch):
    calls, under_way, go_on = [], threading.Event(), threading.Event()

    def first_is_slow(handle):
        calls.append(handle)
        if len(calls) == 1:
            under_way.set()
            go_on.wait(5)

    monkeypatch.setattr(os, "fdatasync", first_is_slow)
    sync, asked = disk.Sync(file), []
    monkeypatch.setattr(sync, "_tickets", iter(lambda: asked.append(None) or len(asked), None))
    threads = [threading.Thread(target=sync) for _ in range(10)]
    threads[0].start()
    assert under_way.wait(5)
    for thread in threads[1:]:
        thread.start()
    while len(asked) < 11:  # each has asked, and the first has begun
        time.sleep(0)
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(calls) == 2


def test_a_failed_sync_fails_for_good(file, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "full")

    sync = disk.Sync(file)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="full"):
            sync()
    with pytest.raises(OSError, match="full"):
        sync()


def test_a_lock_whose_file_was_removed_meanwhile_is_made_anew(tmp_path, monkeypatch):
    path, got, opened, real = tmp_path / "lock", [], threading.Event(), fcntl.flock
    first = disk.lock(path)
    monkeypatch.setattr(fcntl, "flock", lambda *given: opened.set() or real(*given))
    waiting = threading.Thread(target=lambda: got.append(disk.lock(path, wait=True)))
    waiting.start()
    assert opened.wait(5)
    path.unlink()
    os.close(first)
    waiting.join(5)
    assert os.path.samestat(os.fstat(got[0]), path.stat())
    assert disk.lock(path) is None
    os.close(got[0])


def test_a_file_system_that_knows_no_locks_is_an_error(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(OSError, match="No locks"):
        disk.lock(tmp_path / "lock")


def test_folders_are_made_private_and_their_names_are_synced(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")) or real(file))
    disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")} == {0o700}


def test_a_record_that_takes_nothing_up(tmp_path):
    record = disk.Record(tmp_path / "r", "the record")
    record.sync()
    record.close()


def test_a_home_folder_may_be_written_short(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ana")
    assert disk.at_home("~/keys") == Path("/home/ana/keys")
    assert disk.at_home("keys/~") == Path("keys/~")
    with pytest.raises(OSError, match="no such home folder"):
        disk.at_home("~nobody-here/keys")
