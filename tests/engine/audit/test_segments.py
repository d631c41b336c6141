"""The files of a log that grows."""

from __future__ import annotations

import errno
import os

import pytest

from engine import schema
from engine.audit import chain, journal, segments
from engine.audit.journal import Journal
from engine.errors import AuditUnwritable


def files(path):
    return [part.name for part in segments.every(path)]


def test_one_file_is_the_rule(tmp_path):
    path = tmp_path / "audit.jsonl"
    assert files(path) == ["audit.jsonl"]
    assert not segments.exists(path)
    path.touch()
    assert files(path) == ["audit.jsonl"] and segments.exists(path)


def test_they_are_counted_not_spelt(tmp_path):
    for number in range(1, 13):
        segments.name(tmp_path / "audit.jsonl", number).touch()
    for other in ("audit.1.jsonl", "audit.02.jsonl", "audit.x.jsonl", "audit.99.json", "other.99.jsonl", "audit.99.jsonl.bak"):
        (tmp_path / other).touch()
    assert files(tmp_path / "audit.jsonl") == ["audit.jsonl", *(f"audit.{number}.jsonl" for number in range(2, 13))]


def test_those_that_are_missing_between_are_named_too(tmp_path):
    (tmp_path / "audit.3.jsonl").touch()
    assert files(tmp_path / "audit.jsonl") == ["audit.jsonl", "audit.2.jsonl", "audit.3.jsonl"]
    assert segments.exists(tmp_path / "audit.jsonl")


def test_one_that_is_begun_meanwhile_comes_too(tmp_path):
    every = segments.every(tmp_path / "log.jsonl")
    assert next(every).name == "log.jsonl"
    (tmp_path / "log.2.jsonl").touch()
    assert [part.name for part in every] == ["log.2.jsonl"]


def test_a_folder_that_is_not_there_holds_none(tmp_path):
    assert not segments.exists(tmp_path / "no" / "audit.jsonl")


@pytest.mark.parametrize(("written", "size"), [("1KiB", 1024), ("64MiB", 64 * 1024**2), ("2GiB", 2 * 1024**3)])
def test_its_size_is_configured(written, size):
    assert schema.problems(written, segments.SCHEMA) == []
    assert segments.size({"audit": {"segment": written}}) == size
    assert segments.size({}) == segments.size({"audit": {}}) == segments.DEFAULT_SIZE


@pytest.mark.parametrize("written", ["0KiB", "1", "1kb", "1 MiB", "-1MiB", "1.5MiB", 5, "9999999MiB", ""])
def test_a_size_that_is_none(written):
    assert "such as 64MiB" in schema.problems(written, segments.SCHEMA)[0].message


def test_a_log_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    Journal(tmp_path / "log").close()
    monkeypatch.setattr(os, "open", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    for read in (chain.verify, lambda path: list(journal.events(path)), journal.last_event):
        with pytest.raises(AuditUnwritable, match="log cannot be read: Input/output error"):
            read(tmp_path / "log")
