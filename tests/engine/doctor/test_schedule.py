"""What starts runs, and the installed triggers that did not begin theirs."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.doctor import schedule
from engine.schedule.memory import Memory

BOOK = """\
apiVersion: runbook/v1
name: nightly
triggers: [{cron: "* * * * *"}]
steps: [{uses: core.log, with: {message: a}}]
"""


@pytest.fixture(autouse=True)
def processes(tmp_path, monkeypatch):
    """Those there are: none."""
    monkeypatch.setattr(schedule, "PROCESSES", tmp_path / "proc")
    monkeypatch.setattr(schedule, "SYSTEMD", tmp_path / "none")
    return tmp_path / "proc"


@pytest.fixture
def installed(tmp_path):
    """A runbook whose trigger was installed so long ago, and what is remembered of it."""

    def installed(ago=timedelta(days=1), **remembered):
        book = tmp_path / "night ly.yaml"
        book.write_text(BOOK)
        Memory(tmp_path / "state" / "schedule", book, "* * * * * UTC").write(since=datetime.now(UTC) - ago, **remembered)
        return book

    return installed


def test_what_can_start_runs(looked, processes):
    assert looked(schedule) == ["warning"]
    (processes / "7").mkdir(parents=True)
    (processes / "7" / "comm").write_text("cron\n")
    assert looked(schedule) == ["ok"]


def test_an_installed_runbook_that_is_gone(found, installed):
    book = installed()
    book.unlink()
    (one,) = found(schedule)[1:]
    assert one.status == "problem" and f"{book} is to run at '* * * * * UTC', and is not there any more" in one.message
    assert f"opsbook schedule remove '{book}'" in one.remedy


def test_an_installed_runbook_whose_last_run_was_missed(found, installed):
    book = installed()
    (one,) = found(schedule)[1:]
    assert one.status == "problem" and one.message.startswith(f"{book}: the run of 20") and one.message.endswith("did not happen")
    assert f"opsbook schedule install '{book}'" in one.remedy and "--scheduled '* * * * * UTC'" in one.remedy


def test_an_installed_runbook_whose_last_run_could_not_begin(found, installed):
    book = installed(moment=datetime.now(UTC), outcome="refused")
    (one,) = found(schedule)[1:]
    assert one.status == "problem" and "could not begin" in one.message
    assert f"opsbook validate '{book}'" in one.remedy


def test_an_installed_runbook_that_is_broken(found, installed):
    book = installed()
    book.write_text(BOOK.replace("* * * * *", "99 * * * *"))
    (one,) = found(schedule)[1:]
    assert one.status == "problem" and "cannot be read" in one.message and "opsbook validate" in one.remedy


def test_what_is_installed_and_ran(looked, installed):
    installed(moment=datetime.now(UTC), outcome="begun")
    assert looked(schedule) == ["warning", "ok"]


def test_what_nobody_installed_is_not_asked_for(looked, installed, tmp_path):
    Memory(tmp_path / "state" / "schedule", installed(), "* * * * * UTC").write(since=None)
    assert looked(schedule) == ["warning"]
