"""`syslog: …`: what a daemon hears."""

from __future__ import annotations

import os
import re
import socket

import pytest

from engine import schema
from engine.audit.sinks import syslog
from engine.audit.sinks.syslog import SyslogSink

LINE = b'{"event":"e","seq":1}\n'
WIRE = re.compile(rb"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ opsbook \d+ audit - (\{.*\})")


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def test_over_udp_each_event_is_one_message(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        sink = SyslogSink(f"udp://127.0.0.1:{daemon.getsockname()[1]}")
        sink.write(LINE)
        sink.catch_up(LINE)
        sink.sync()
        sink.close()
        for _ in range(2):
            assert WIRE.fullmatch(daemon.recv(2000))[1] == LINE.strip()


def test_over_tcp_each_event_is_one_line(tcp):
    sink = SyslogSink(f"tcp://localhost:{tcp.getsockname()[1]}")
    sink.write(LINE)
    sink.write(LINE)
    sink.close()
    with tcp.accept()[0] as heard, heard.makefile("rb") as lines:
        assert [WIRE.fullmatch(line.rstrip(b"\n"))[1] for line in lines] == [LINE.strip()] * 2


def test_a_connection_that_the_daemon_closed_is_made_anew(tcp):
    sink = SyslogSink(f"tcp://127.0.0.1:{tcp.getsockname()[1]}")
    first = tcp.accept()[0]
    sink.write(LINE)
    assert first.recv(2000)
    first.close()
    while not sink._left():
        pass
    sink.write(LINE)
    with tcp.accept()[0] as second:
        assert WIRE.match(second.recv(2000))
    sink.close()


def test_a_connection_that_breaks_while_sending_is_made_anew(tcp, monkeypatch):
    sink = SyslogSink(f"tcp://127.0.0.1:{tcp.getsockname()[1]}")
    sink._socket.shutdown(socket.SHUT_WR)
    sink.write(LINE)
    sink.close()
    tcp.accept()[0].close()
    with tcp.accept()[0] as second:
        assert WIRE.match(second.recv(2000))


def test_nobody_listens(tcp):
    port = tcp.getsockname()[1]
    tcp.close()
    with pytest.raises(ConnectionRefusedError):
        SyslogSink(f"tcp://127.0.0.1:{port}")


def test_the_machines_own_daemon_hears_the_short_form(tmp_path, monkeypatch):
    monkeypatch.setattr(syslog, "LOCAL", str(tmp_path / "log"))
    with pytest.raises(FileNotFoundError):
        SyslogSink("local")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        daemon.settimeout(5)
        sink = SyslogSink("local")
        sink.write(LINE)
        sink.close()
        assert daemon.recv(2000) == b"<110>opsbook[%d]: " % os.getpid() + LINE.strip()


@pytest.mark.parametrize("good", ["local", "udp://logs.example.com:514", "tcp://10.0.0.1:601", "tcp://[::1]:601"])
def test_what_may_be_written(good):
    assert schema.problems(good, syslog.SCHEMA) == []


@pytest.mark.parametrize(
    "bad", ["", "Local", "logs:514", "udp://logs", "http://logs:514", "tcp://user:key@logs:1", "udp://a b:1", 5, "tcp://x:1/y"]
)
def test_what_may_not(bad):
    assert "write local" in schema.problems(bad, syslog.SCHEMA)[0].message
