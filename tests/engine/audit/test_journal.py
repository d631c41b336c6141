"""The audit log: what is written, and what happens when the disk fails or a crash comes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import types
import threading
from contextlib import suppress

import pytest

from engine.audit import segments
from engine.audit.chain import GENESIS, verify
from engine.errors import AuditUnwritable
from engine.audit.journal import Journal, events, last_event, logging_library, placed


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_what_a_crash_cuts_short_is_no_tampering_and_is_dropped(tmp_path):
    made = Journal(tmp_path / "log")
    made.append("one")
    made.append("two")
    made.close()
    first, second = lines(made.path)
    for cut in [0, 1, *range(2, len(second) - 1, 29), len(second) - 1]:
        made.path.write_bytes(first + second[:cut])
        assert verify(made.path).flaws == []
        assert [event["event"] for event in events(made.path)] == ["one"]
        again = Journal(made.path)
        again.append("three")
        again.close()
        assert [event["event"] for event in events(made.path)] == ["one", "three"]
        assert verify(made.path).flaws == []


def test_behind_the_end_nothing_may_stand_not_even_half_a_line(log):
    log.write_bytes(log.read_bytes() + b'{"event":')
    assert [flaw.line for flaw in verify(log).flaws] == [101]


@pytest.mark.parametrize("rest", [b"x", b"{\xff", b"[" * 100000])
def test_what_never_was_the_beginning_of_a_line_is_tampering(tmp_path, rest):
    made = Journal(tmp_path / "log")
    made.append("one")
    made.close()
    made.path.write_bytes(made.path.read_bytes() + rest)
    assert [flaw.line for flaw in verify(made.path).flaws] == [2]


def test_a_log_of_nothing_but_half_a_line_begins_anew(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'{"event"')
    made = Journal(path)
    assert (made.events, made.head) == (0, GENESIS)
    made.append("one")
    made.close()
    assert verify(path).flaws == []


def test_the_last_event_is_read_from_the_end_however_long_it_is(tmp_path):
    made = Journal(tmp_path / "log")
    assert last_event(made.path) is None
    for size in (1, 5000, 100_000, 3):
        made.append("long", text="x" * size)
        assert len(last_event(made.path)["text"]) == size
    made.close()
    again = Journal(made.path)
    assert (again.events, again.head) == (made.events, made.head)
    again.close()


def test_a_log_that_ends_in_no_event_is_not_written_to(tmp_path):
    path = tmp_path / "log"
    for text in (b"{}\n", b"x\n", b"[1]\n", b"[" * 100000 + b"\n"):
        path.write_bytes(text)
        with pytest.raises(AuditUnwritable, match="no event"):
            Journal(path)


def fails(error):
    def fail(*_, **__):
        raise OSError(error, os.strerror(error))

    return fail


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_failing_disk_poisons_the_log(tmp_path, monkeypatch, error, call):
    made = Journal(tmp_path / "log")
    made.append("one")
    with monkeypatch.context() as failing:
        failing.setattr(os, call, fails(error))
        with pytest.raises(AuditUnwritable) as caught:
            made.append("two", sync=True)
        assert caught.value.exit_status == 13
        assert os.strerror(error) in caught.value.message and caught.value.hint
    for use in (lambda: made.append("three"), made.sync):  # the disk works again; nobody knows what it holds
        with pytest.raises(AuditUnwritable):
            use()
    made.close()
    assert verify(made.path).flaws == []


def test_a_file_that_a_log_goes_on_in_is_no_programs_to_inherit(tmp_path, monkeypatch):
    kept, real = [], os.dup2
    monkeypatch.setattr(os, "dup2", lambda *given, **named: kept.append(real(*given, **named)))
    made = Journal(tmp_path / "log", segment=1)
    for _ in range(3):
        made.append("e")
    assert len(kept) == 2 and not any(map(os.get_inheritable, kept))
    made.close()


def test_every_line_is_told_with_its_place(tmp_path):
    made = grow(tmp_path / "log", [])
    made.close()
    told = [(str(part), number, line) for part in segments.every(made.path) for number, line in enumerate(lines(part), 1)]
    assert list(placed(made.path)) == told
    made.path.write_bytes(made.path.read_bytes()[:-1])
    assert len(list(placed(made.path))) == len(told) - 1


def test_a_failing_sync_of_what_was_written_poisons_too(tmp_path, monkeypatch):
    made = Journal(tmp_path / "log")
    made.append("one")
    monkeypatch.setattr(os, "fdatasync", fails(errno.EIO))
    with pytest.raises(AuditUnwritable):
        made.sync()
    monkeypatch.undo()
    with pytest.raises(AuditUnwritable):
        made.append("two")
    made.close()


def test_a_short_write_is_finished(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    made = Journal(tmp_path / "log")
    made.append("one", text="x" * 100)
    made.close()
    assert verify(made.path).events == 1


def test_only_what_must_be_is_synced(tmp_path, monkeypatch):
    synced = []
    made = Journal(tmp_path / "log")
    monkeypatch.setattr(os, "fdatasync", synced.append)
    made.append("read")
    assert synced == []
    made.append("write", sync=True)
    made.sync()
    assert len(synced) == 2
    made.close()


def test_the_new_name_is_synced_with_its_folder(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")) or real(file))
    for _ in range(2):
        Journal(tmp_path / "log").close()
    assert synced == [str(tmp_path)]


def test_a_link_a_folder_a_pipe_and_somebody_elses_file_are_refused(tmp_path, monkeypatch):
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "missing/log"):
        with pytest.raises(AuditUnwritable) as caught:
            Journal(tmp_path / name)
        assert str(tmp_path / name) in caught.value.message and "None" not in caught.value.message
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(AuditUnwritable, match="not a regular file of this user"):
        Journal(target)
    assert target.read_text() == ""


def test_it_is_private(tmp_path):
    Journal(tmp_path / "log").close()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_threads_keep_the_chain(tmp_path):
    made = Journal(tmp_path / "log")
    threads = [threading.Thread(target=lambda n=n: [made.append("e", n=n, i=i) for i in range(25)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    assert (verify(made.path).events, verify(made.path).flaws) == (200, [])
    assert {(event["n"], event["i"]) for event in events(made.path)} == {(n, i) for n in range(8) for i in range(25)}


def test_filters_come_before_the_hash_and_see_every_field(tmp_path):
    def hide(event):
        return json.loads(json.dumps(event).replace("canary", "***"))

    made = Journal(tmp_path / "log", filters=(hide,), fields={"runbook": "canary"})
    written = made.append("e", deep=[{"canary": "a canary"}])
    made.close()
    assert "canary" not in made.path.read_text()
    assert written["deep"] == [{"***": "a ***"}] and written["runbook"] == "***"
    assert verify(made.path).flaws == []


def test_the_log_needs_no_rich(tmp_path):
    code = (
        "import sys; from pathlib import Path; from engine.audit.journal import Journal; Journal(Path(sys.argv[1])).append('e');"
        "assert 'structlog' in sys.modules; assert 'rich' not in sys.modules; import rich.text"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "log"], check=True)


class Killed(BaseException):
    """The process ends here."""


def killed_at(monkeypatch, number, half):
    """Ends the process at the nth call upon the disk, after half of a write if so."""
    count = 0

    def counted(name, real):
        def call(*given, **named):
            nonlocal count
            count += 1
            if count > number:
                raise Killed
            if count == number:
                if half and name == "write":
                    real(given[0], given[1][: len(given[1]) // 2])
                raise Killed
            return real(*given, **named)

        return call

    for name in ("open", "write", "fdatasync", "fsync", "dup2", "ftruncate"):
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))


def grow(path, done, most=12):
    log = Journal(path, segment=500)
    while log.events < most:
        done.append(log.append("e", n=log.events, sync=True)["hash"])
    return log


@pytest.mark.parametrize("half", [False, True])
def test_a_crash_at_any_point_of_a_rotation_leaves_a_log_that_holds_and_goes_on(tmp_path, monkeypatch, half):
    number, alive = 0, False
    while not alive:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        done = []
        with monkeypatch.context() as patch, suppress(Killed):
            killed_at(patch, number, half)
            grow(folder / "log", done, most=9).close()
            alive = True
        verified = verify(folder / "log")
        assert verified.flaws == [] or not (folder / "log").exists()
        assert [hash_ for hash_ in verified.hashes if hash_ in done] == done  # what was said to be written is there
        grow(folder / "log", done, most=12).close()
        verified = verify(folder / "log")
        assert (verified.flaws, verified.events >= 12) == ([], True)
        assert last_event(folder / "log")["hash"] == verified.head
        assert [event["hash"] for event in events(folder / "log")] == list(verified.hashes)
    assert number > 30


def test_small_logs_have_one_file_and_large_ones_are_private_in_all(tmp_path):
    grow(tmp_path / "log", []).close()
    assert len(list(tmp_path.iterdir())) > 3
    assert {part.stat().st_mode & 0o777 for part in tmp_path.iterdir()} == {0o600}
    (tmp_path / "small").mkdir()
    made = Journal(tmp_path / "small" / "log")
    for _ in range(500):
        made.append("e")
    made.close()
    assert [part.name for part in (tmp_path / "small").iterdir()] == ["log"]


@pytest.mark.parametrize(("less", "files"), [(0, 2), (-1, 1)])
def test_a_file_that_has_its_size_is_the_last_but_one(tmp_path, less, files):
    one = Journal(tmp_path / "one")
    one.append("e")
    one.close()
    made = Journal(tmp_path / "log", segment=one.path.stat().st_size - less)
    for _ in range(2):
        made.append("e")
    made.close()
    assert len(list(segments.every(made.path))) == files


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["open", "fsync", "fdatasync", "write", "dup2"])
def test_a_rotation_that_fails_poisons_the_log(tmp_path, monkeypatch, error, call):
    made = Journal(tmp_path / "log", segment=1)
    made.append("one")
    with monkeypatch.context() as failing:
        failing.setattr(os, call, fails(error))
        with pytest.raises(AuditUnwritable, match=os.strerror(error)):
            made.append("two")
    with pytest.raises(AuditUnwritable):
        made.append("three")
    made.close()
    assert verify(tmp_path / "log").flaws == []
    again = Journal(tmp_path / "log", segment=10**6)
    again.append("four")
    again.close()
    assert verify(tmp_path / "log").flaws == []


def test_a_log_whose_next_file_is_missing_is_not_written_to(tmp_path):
    grow(tmp_path / "log", []).close()
    *_, before, last = segments.every(tmp_path / "log")
    last.unlink()
    with pytest.raises(AuditUnwritable) as caught:
        Journal(tmp_path / "log")
    assert caught.value.message == f"the audit log {tmp_path / 'log'} goes on in {last.name}, which is missing"
    assert caught.value.hint == "opsbook audit verify"
    last.write_bytes(b"")
    before.unlink()
    with pytest.raises(AuditUnwritable, match="No such file"):
        Journal(tmp_path / "log")
    before.write_bytes(b"{}\n")
    with pytest.raises(AuditUnwritable, match="no event"):
        Journal(tmp_path / "log")


def test_what_a_crash_left_unsynced_in_the_file_before_is_synced_before_the_log_goes_on(tmp_path, monkeypatch):
    made = Journal(tmp_path / "log", segment=1)
    made.append("one")
    with monkeypatch.context() as killed, suppress(Killed):
        killed.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(Killed))
        made.append("two")
    assert (tmp_path / "log.2").stat().st_size == 0 and last_event(tmp_path / "log")["event"] == "log.continued"
    synced, real = [], os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")) or real(file))
    again = Journal(tmp_path / "log")
    assert synced == [str(tmp_path / "log")]
    again.append("two")
    again.close()
    assert verify(tmp_path / "log").flaws == []


def test_threads_keep_the_chain_over_files(tmp_path):
    made = Journal(tmp_path / "log", segment=700)
    threads = [threading.Thread(target=lambda n=n: [made.append("e", sync=True, n=n, i=i) for i in range(15)]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.close()
    assert verify(made.path).flaws == []
    told = [(event["n"], event["i"]) for event in events(made.path) if event["event"] == "e"]
    assert sorted(told) == [(n, i) for n in range(6) for i in range(15)]


class Copy:
    """A sink that keeps what it is given, or fails."""

    def __init__(self, fails_at=None):
        self.lines, self.syncs, self.closed, self._fails_at = [], 0, False, fails_at

    def write(self, line):
        if self._fails_at == "write":
            raise OSError(errno.EPIPE, "Broken pipe")
        self.lines.append(line)

    def catch_up(self, line):
        self.caught_up = line
        self.write(line)

    def sync(self):
        if self._fails_at == "sync":
            raise OSError(errno.EIO, "Input/output error")
        self.syncs += 1

    def close(self):
        self.closed = True


def test_a_sink_gets_every_line_as_it_was_written(tmp_path):
    sink = Copy()
    made = Journal(tmp_path / "log", segment=500, sink=sink, filters=(lambda event: {**event, "n": "***"},))
    for number in range(10):
        made.append("e", n=number, sync=number == 5)
    made.close()
    parts = list(segments.every(made.path))
    assert len(parts) > 3 and b"".join(sink.lines) == b"".join(part.read_bytes() for part in parts)
    assert (sink.syncs, sink.closed) == (1, True)


def test_a_sink_is_offered_the_last_line_once_more_when_a_log_goes_on(tmp_path):
    made = Journal(tmp_path / "log", sink=(first := Copy()))
    made.append("one")
    made.append("two")
    made.close()
    Journal(tmp_path / "log", sink=(second := Copy())).close()
    assert not hasattr(first, "caught_up") and second.lines == first.lines[1:]
    with pytest.raises(AuditUnwritable) as caught:
        Journal(tmp_path / "log", sink=Copy("write"))
    assert caught.value.message == f"the audit log {tmp_path / 'log'} cannot be written: Broken pipe"


@pytest.mark.parametrize("at", ["write", "sync"])
def test_a_sink_that_fails_poisons_the_log(tmp_path, at):
    made = Journal(tmp_path / "log", sink=Copy(at))
    with pytest.raises(AuditUnwritable) as caught:
        made.append("one", sync=True)
    how = {"write": "written: Broken pipe", "sync": "synced: Input/output error"}[at]
    assert caught.value.message == f"the audit log {tmp_path / 'log'} cannot be {how}"
    with pytest.raises(AuditUnwritable):
        made.append("two")
    made.close()


def test_who_listens_hears_each_event_once_it_is_written(tmp_path):
    told = []

    def heard(name, written):
        told.append((name, written["seq"], len((tmp_path / "log").read_bytes().splitlines())))

    made = Journal(tmp_path / "log", heard=heard)
    made.append("one")
    made.append("two", sync=True)
    made.close()
    assert told == [("one", 1, 1), ("two", 2, 2)]


def test_a_log_that_ends_in_no_event_says_what_to_do(tmp_path):
    (tmp_path / "log").write_bytes(b"{}\n")
    with pytest.raises(AuditUnwritable) as caught:
        Journal(tmp_path / "log")
    assert caught.value.message == f"the audit log {tmp_path / 'log'} ends in a line that is no event"
    assert caught.value.hint == "opsbook audit verify"


def test_what_cannot_be_written_is_told_in_its_words(tmp_path, monkeypatch):
    made = Journal(tmp_path / "log")
    monkeypatch.setattr(os, "write", fails(errno.ENOSPC))
    with pytest.raises(AuditUnwritable) as caught:
        made.append("one")
    assert caught.value.message == f"the audit log {tmp_path / 'log'} cannot be written: {os.strerror(errno.ENOSPC)}"


@pytest.mark.parametrize("there", [{"structlog", "rich"}, {"structlog"}, {"rich"}, set()])
def test_the_logging_library_comes_without_rich_and_rich_comes_back(monkeypatch, there):
    seen = []

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "structlog":
                seen.append(sys.modules.get("rich", "not there"))

    known = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("structlog", "rich")}
    for name in known:
        monkeypatch.delitem(sys.modules, name)
    for name in there:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    before = sys.modules.get("rich")
    try:
        assert logging_library().__name__ == "structlog"
        assert sys.modules.get("rich") is before
        assert seen == ({frozenset(): [None], frozenset({"rich"}): [before]}.get(frozenset(there), []))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "structlog" and name not in known]:
            del sys.modules[name]
        sys.modules.update(known)


def test_a_log_that_is_not_there_holds_nothing(tmp_path):
    assert last_event(tmp_path / "log") is None
    assert list(events(tmp_path / "log")) == list(placed(tmp_path / "log")) == []
    (tmp_path / "log").mkdir()
    assert last_event(tmp_path / "log") is None
    assert list(placed(tmp_path / "log")) == []
