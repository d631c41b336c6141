"""The audit log: the chain, what is found when somebody changes it, and what happens when the disk fails."""

from __future__ import annotations

import errno
import functools
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import journal
from engine.errors import AuditUnwritable
from engine.journal import GENESIS, Flaw, Journal, canonical, digest, events, last_event, verify, verify_lines


@pytest.fixture
def log(tmp_path):
    """A log of 100 events, closed."""
    made = Journal(tmp_path / "audit.jsonl", fields={"run": "r1"})
    for number in range(99):
        made.append("moment", key=f"k{number}", moment="é\u2028")
    made.append("run.ended", status="succeeded")
    made.close()
    return made.path


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_each_line_holds_the_hash_of_the_one_before(log):
    head = GENESIS
    for number, line in enumerate(lines(log), 1):
        event = json.loads(line)
        assert (event["seq"], event["prev"], event["run"]) == (number, head, "r1")
        bare = json.dumps({k: v for k, v in event.items() if k != "hash"}, sort_keys=True, separators=(",", ":"))
        head = event["hash"]
        assert head == hashlib.sha256(bare.encode()).hexdigest()
    verified = verify(log)
    assert (verified.events, verified.head, verified.flaws) == (100, head, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_an_event_is_spelt_in_one_way(event):
    spelt = canonical(event)
    assert spelt.isascii() and b"\n" not in spelt
    assert canonical(json.loads(spelt)) == spelt
    assert canonical(dict(reversed(event.items()))) == spelt
    assert digest({**event, "hash": "whatever"}) == digest({k: v for k, v in event.items() if k != "hash"})


def test_numbers_that_json_does_not_know_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        canonical({"n": float("nan")})


def test_every_change_of_one_byte_is_found_and_named_by_its_line(log, monkeypatch):
    monkeypatch.setattr(journal, "_check", functools.cache(journal._check))  # the lines that were not changed are as they were
    chance, every = random.Random(1), lines(log)
    for number, line in enumerate(every, 1):
        before, after = every[: number - 1], every[number:]
        for position, old in enumerate(line):
            new = chance.choice([old ^ 1 << chance.randrange(8), *b'\n \r}",0a\x00\xff'])
            if new != old:
                changed = line[:position] + bytes([new]) + line[position + 1 :]
                assert first_flaw(before, changed, after) == number, (position, new)


@pytest.mark.parametrize("number", [1, 50, 99, 100])
def test_a_changed_line_feed_is_found_everywhere(log, number):
    every = lines(log)
    for new in set(range(256)) - {10}:
        assert first_flaw(every[: number - 1], every[number - 1][:-1] + bytes([new]), every[number:]) == number


def first_flaw(before, changed, after):
    parted = io.BytesIO(changed + b"".join(after[:1])).readlines()
    flaws = verify_lines([*before, *parted, *after[1:]]).flaws
    return flaws[0].line if flaws else None


def mangled(every, how):
    at = 40
    return {
        "removed": every[:at] + every[at + 1 :],
        "first removed": every[1:],
        "duplicated": every[: at + 1] + every[at:],
        "swapped": [*every[:at], every[at + 1], every[at], *every[at + 2 :]],
        "inserted": [*every[:at], b'{"event":"x"}\n', *every[at:]],
        "blank": [*every[:at], b"\n", *every[at:]],
        "spelt otherwise": [*every[:at], every[at].replace(b'":', b'": ', 1), *every[at + 1 :]],
        "no object": [*every[:at], b"[]\n", *every[at + 1 :]],
        "too deep": [*every[:at], b"[" * 100000 + b"\n", *every[at + 1 :]],
        "not JSON's numbers": [*every[:at], every[at].replace(b'"seq":41', b'"seq":NaN'), *every[at + 1 :]],
    }[how]


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("removed", 41), ("first removed", 1), ("duplicated", 42), ("swapped", 41), ("inserted", 41), ("blank", 41), ("spelt otherwise", 41),
        ("no object", 41), ("too deep", 41), ("not JSON's numbers", 41),
    ],
)  # fmt: skip
def test_a_removed_moved_or_added_line_is_named(log, how, line):
    log.write_bytes(b"".join(mangled(lines(log), how)))
    assert verify(log).flaws[0].line == line


def test_a_line_that_was_hashed_anew_does_not_fit_the_next(log):
    every = lines(log)
    event = {**json.loads(every[40]), "moment": "another"}
    every[40] = canonical({**event, "hash": digest(event)}) + b"\n"
    log.write_bytes(b"".join(every))
    assert [flaw.line for flaw in verify(log).flaws] == [42]


def test_a_wrong_number_is_named(tmp_path):
    event = {"event": "x", "seq": 2, "prev": GENESIS}
    (tmp_path / "log").write_bytes(canonical({**event, "hash": digest(event)}) + b"\n")
    assert verify(tmp_path / "log").flaws == [Flaw(1, "is numbered 2, expected 1")]


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
    def fail(*_):
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
        "import sys; from pathlib import Path; from engine.journal import Journal; Journal(Path(sys.argv[1])).append('e');"
        "assert 'structlog' in sys.modules; assert 'rich' not in sys.modules; import rich.text"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "log"], check=True)
