"""`file: /path`."""

from __future__ import annotations

import os

import pytest

from engine.audit.sinks.file import FileSink


def written(path, *lines):
    sink = FileSink(str(path))
    for line in lines:
        sink.write(line)
    sink.sync()
    sink.close()
    return path.read_bytes()


def test_it_is_made_private_and_only_added_to(tmp_path):
    assert written(tmp_path / "copy", b"one\n") == b"one\n"
    assert written(tmp_path / "copy", b"two\n") == b"one\ntwo\n"
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_half_a_line_that_a_crash_left_is_cut_away(tmp_path):
    (tmp_path / "copy").write_bytes(b"one\ntw")
    assert written(tmp_path / "copy", b"three\n") == b"one\nthree\n"


def test_a_line_that_a_crash_left_out_is_made_good_and_no_other(tmp_path):
    sink = FileSink(str(tmp_path / "copy"))
    for _ in range(2):
        sink.catch_up(b"one\n")
    sink.write(b"two\n")
    sink.catch_up(b"one\n")
    sink.close()
    assert (tmp_path / "copy").read_bytes() == b"one\ntwo\n"


def test_two_processes_do_not_mix_their_lines(tmp_path):
    one, other = FileSink(str(tmp_path / "copy")), FileSink(str(tmp_path / "copy"))
    for _ in range(20):
        one.write(b"a" * 500 + b"\n")
        other.write(b"b" * 500 + b"\n")
    one.close()
    other.close()
    assert {len(set(line)) for line in (tmp_path / "copy").read_bytes().splitlines()} == {1}


def test_links_folders_and_pipes_are_refused(tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", ".", "missing/copy"):
        with pytest.raises(OSError):
            FileSink(str(tmp_path / name))


def test_a_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    FileSink("~/copy").close()
    assert (tmp_path / "copy").exists()
