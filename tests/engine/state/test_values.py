from __future__ import annotations

import json
import multiprocessing
import os
import stat
import threading
from datetime import UTC, datetime

import pytest

from engine.errors import AuditUnwritable, StepError
from engine.state.values import MOST_VALUE, Values

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def plain(value):
    return value


@pytest.fixture
def values(tmp_path):
    return Values(tmp_path / "values" / "book.json", plain)


def test_what_was_set_is_got_with_its_time(values):
    assert values.get("seen") is None
    assert values.set("seen", {"until": [1, None, "é"]}, AT) == "2026-03-01T12:00:00.000+00:00"
    assert values.get("seen") == {"value": {"until": [1, None, "é"]}, "set_at": "2026-03-01T12:00:00.000+00:00"}
    values.set("seen", 2, AT)
    values.set("other", None, AT)
    assert (values.get("seen")["value"], values.get("other")["value"]) == (2, None)


def test_files_are_private_and_nothing_is_left_beside_them(values):
    values.set("a", 1, AT)
    assert sorted(path.name for path in values.path.parent.iterdir()) == ["book.json", "book.lock"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in values.path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(values.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", object()])
def test_only_json_is_kept(values, value):
    with pytest.raises(StepError, match="is no JSON"):
        values.set("a", value, AT)
    assert values.get("a") is None


def test_what_is_too_large_is_not_kept(values):
    values.set("a", "x" * (MOST_VALUE - 2), AT)
    with pytest.raises(StepError, match="65537 bytes, 65536 are allowed"):
        values.set("a", "x" * (MOST_VALUE - 1), AT)
    with pytest.raises(StepError, match="all values together"):
        for number in range(20):
            values.set(f"n{number}", "x" * (MOST_VALUE - 2), AT)


def test_a_secret_is_refused_and_not_shown(tmp_path):
    values = Values(tmp_path / "book.json", lambda value: "***" if value == "hush" else value)
    with pytest.raises(StepError) as caught:
        values.set("a", "hush", AT)
    assert (caught.value.code, "hush" in str(caught.value)) == ("secret", False)
    assert not (tmp_path / "book.json").exists()


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', '{"a": {"value": 1}}', "[" * 100_000, '{"a"'])
def test_a_damaged_file_is_told_and_kept(values, content):
    values.path.parent.mkdir()
    values.path.write_text(content)
    for use in (lambda: values.get("a"), lambda: values.set("a", 1, AT)):
        with pytest.raises(StepError, match="is damaged"):
            use()
    assert values.path.read_text() == content


def test_no_link_is_followed(values, tmp_path):
    (tmp_path / "elsewhere").write_text(json.dumps({"a": {"value": 1, "set_at": "x"}}))
    values.path.parent.mkdir()
    values.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditUnwritable, match="cannot be read"):
        values.get("a")


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditUnwritable, match="cannot be written"):
        Values(tmp_path / "file" / "book.json", plain).set("a", 1, AT)


def test_a_failed_write_leaves_what_was_there(values, monkeypatch):
    values.set("a", 1, AT)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AuditUnwritable, match="No space left"):
        values.set("a", 2, AT)
    monkeypatch.undo()
    assert values.get("a")["value"] == 1
    assert sorted(path.name for path in values.path.parent.iterdir()) == ["book.json", "book.lock"]


def test_threads_take_turns(values):
    threads = [threading.Thread(target=values.set, args=(f"n{number}", number, AT)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [values.get(f"n{number}")["value"] for number in range(12)] == list(range(12))


def keep(path, number):
    Values(path, plain).set(f"n{number}", number, AT)


def test_processes_take_turns(values):
    values.set("first", 1, AT)
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=keep, args=(values.path, number)) for number in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert all(values.get(f"n{number}") for number in range(6))


def test_a_plan_has_nothing_kept():
    assert Values(None, plain).get("a") is None
