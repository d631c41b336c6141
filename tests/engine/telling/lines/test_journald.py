"""The journal's own protocol, spoken to a socket of the test's."""

import os
import socket
import types

import pytest

from engine.telling.lines import journald

RECORD = {
    "time": "12:00", "level": "error", "event": "step.ended", "message": "step failed: no\nroom", "run": "r1", "runbook": "nightly",
    "step": "tidy", "item": None, "error": {"code": "refused", "status": 409, "hint": None},
}  # fmt: skip


@pytest.fixture
def listening(tmp_path, monkeypatch):
    """What the journal was sent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "socket"))
        monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "socket"))
        yield made


def test_without_a_socket_a_line_begins_with_its_priority():
    assert journald.line(RECORD) == r"<3>r1 nightly tidy: step failed: no\nroom"


def test_a_datagram_has_one_field_a_line_that_can_be_searched_for(listening):
    handle = journald.connected()
    try:
        os.write(handle, journald.datagram(RECORD))
    finally:
        os.close(handle)
    assert listening.recv(4096).decode().splitlines() == [
        r"MESSAGE=r1 nightly tidy: step failed: no\nroom",
        "PRIORITY=3",
        "SYSLOG_IDENTIFIER=opsbook",
        "OPSBOOK_TIME=12:00",
        "OPSBOOK_EVENT=step.ended",
        "OPSBOOK_RUN=r1",
        "OPSBOOK_RUNBOOK=nightly",
        "OPSBOOK_STEP=tidy",
        "OPSBOOK_ERROR_CODE=refused",
        "OPSBOOK_ERROR_STATUS=409",
    ]


def test_names_of_fields_are_those_the_journal_takes():
    sent = journald.datagram({**RECORD, "answer": {"rate_limit": {"x-ratelimit-state": "OK"}, "grün": 1}}).decode()
    assert "OPSBOOK_ANSWER_RATE_LIMIT_X_RATELIMIT_STATE=OK\n" in sent
    assert "OPSBOOK_ANSWER_GR_N=1\n" in sent


def test_whether_there_is_a_journal(listening, monkeypatch, tmp_path):
    assert journald.is_there()
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path))
    assert not journald.is_there()


@pytest.mark.parametrize(("stream", "is_it"), [("{0.st_dev}:{0.st_ino}", True), ("1:1", False), ("", False), ("odd", False)])
def test_standard_error_is_the_journal_when_its_numbers_say_so(monkeypatch, stream, is_it):
    monkeypatch.setenv("JOURNAL_STREAM", stream.format(os.fstat(2)))
    assert journald.is_standard_error() is is_it


def test_a_closed_standard_error_is_no_journal(monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    with monkeypatch.context() as patched:
        patched.setattr(journald, "os", types.SimpleNamespace(environ=os.environ, fstat=lambda _: os.fstat(-1)))
        assert not journald.is_standard_error()
