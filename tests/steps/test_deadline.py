"""A stream over a pair of sockets: what waits, and for how long."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from contextlib import nullcontext

import httpcore
import pytest

from steps import deadline
from steps.deadline import DeadlineStream, Lane


@pytest.fixture
def ends():
    """A stream with a second to its deadline, its lane, and the server's end of it."""
    ours, theirs = socket.socketpair()
    lane = Lane(tunnel=False)
    lane.deadline = time.monotonic() + 1
    with ours, theirs:
        yield DeadlineStream(ours, lane), lane, theirs


def test_past_its_deadline_nothing_remains():
    lane = Lane(tunnel=False)
    lane.deadline = time.monotonic() + 5
    assert 4 < lane.remaining(httpcore.ReadTimeout) <= 5
    lane.deadline = time.monotonic() - 0.001
    with pytest.raises(httpcore.ConnectTimeout):
        lane.remaining(httpcore.ConnectTimeout)


def test_a_new_lane_has_sent_nothing_and_served_nobody():
    lane = Lane(tunnel=True)
    assert (lane.deadline, lane.left, lane.kept, lane.tunnel) == (0.0, False, False, True)


def test_what_is_written_leaves_with_the_next_read(ends):
    stream, lane, theirs = ends
    stream.write(b"one ")
    stream.write(b"")
    stream.write(b"two")
    assert not lane.left and not select.select([theirs], [], [], 0)[0]
    theirs.sendall(b"answer")
    assert stream.read(3) == b"ans"
    assert (lane.left, theirs.recv(100)) == (True, b"one two")
    assert stream.read(100) == b"wer"


def test_a_read_waits_up_to_the_deadline_and_no_longer(ends):
    stream, lane, _ = ends
    lane.deadline = (began := time.monotonic()) + 0.05
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(100)
    assert 0.05 <= time.monotonic() - began < 0.5


@pytest.mark.parametrize(
    ("raised", "awaited"), [(ssl.SSLWantReadError, select.POLLIN), (ssl.SSLWantWriteError, select.POLLOUT), (BlockingIOError, 7)]
)
def test_tls_says_what_it_waits_for(ends, monkeypatch, raised, awaited):
    stream, _, _ = ends
    waited, tries = [], iter([raised, None])
    monkeypatch.setattr(stream, "_wait", waited.append)

    def operation():
        if error := next(tries):
            raise error
        return "done"

    assert (stream._insist(operation, 7), waited) == ("done", [awaited])


def test_it_tells_nothing_of_itself_and_closes(ends):
    stream, _, theirs = ends
    assert stream.get_extra_info("is_readable") is None
    stream.close()
    assert theirs.recv(1) == b""


def test_readiness_that_was_none_is_waited_for_once_more(ends, monkeypatch):
    stream, _, theirs = ends
    waited = []

    def wait(event):
        waited.append(event)
        if len(waited) == 2:
            theirs.sendall(b"answer")

    monkeypatch.setattr(stream, "_wait", wait)
    assert (stream.read(100), waited) == (b"answer", [select.POLLIN, select.POLLIN])


def test_what_tcp_counts_tells_nothing_while_something_earlier_is_not_acknowledged(ends, monkeypatch):
    stream, lane, theirs = ends
    monkeypatch.setattr(stream, "_broken", lambda: False)
    for number in range(3):
        lane.kept = number > 0
        monkeypatch.setattr(stream, "_count_acknowledged", lambda number=number: 10 * number - 1)
        stream.write(b"ten bytes.")
        theirs.sendall(b"answer")
        assert stream.read(100) == b"answer"


def test_all_acknowledged_and_nothing_since_tells_that_a_request_did_not_arrive(ends, monkeypatch):
    stream, lane, theirs = ends
    monkeypatch.setattr(stream, "_broken", lambda: False)
    monkeypatch.setattr(stream, "_count_acknowledged", lambda: 10)
    for lane.kept in (False, True):
        stream.write(b"ten bytes.")
        theirs.sendall(b"answer")
        with pytest.raises(deadline.UnusableAnswer) if lane.kept else nullcontext():
            stream.read(100)


@pytest.mark.parametrize("goodbye", ["closed", "reset", "silent"])
def test_a_kept_connection_is_looked_at_before_it_is_used(goodbye):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as ours:
        theirs, _ = listener.accept()
        with theirs:
            stream = DeadlineStream(ours, Lane(tunnel=False))
            assert not stream._broken()
            if goodbye == "reset":
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if goodbye != "silent":
                theirs.close()
                select.select([ours], [], [], 1)
            assert stream._broken() is (goodbye != "silent")


class Address:
    """A socket that connects as it is told; keeps how long it was given."""

    def __init__(self, *ends):
        self.ends, self.given = list(ends), []

    def __call__(self, *_):
        return self

    def settimeout(self, seconds):
        self.given.append(seconds)

    def connect(self, _):
        time.sleep(0.01)
        raise self.ends.pop(0)

    def close(self):
        pass


def connected(monkeypatch, *ends, seconds=6.0):
    """Connects to as many addresses, none of which answers."""
    lane, made = Lane(tunnel=False), Address(*ends)
    monkeypatch.setattr(deadline, "_addresses", lambda *_: [(0, 0, 0, "", "")] * len(ends))
    monkeypatch.setattr(socket, "socket", made)
    lane.deadline = time.monotonic() + seconds
    with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)) as caught:
        lane.connect_tcp("a.name", 443)
    return made.given, caught.value


def test_each_address_gets_its_share_of_the_time_that_is_left(monkeypatch):
    given, error = connected(monkeypatch, TimeoutError(), TimeoutError(), ConnectionRefusedError(111, "Connection refused"))
    assert [round(seconds) for seconds in given] == [2, 3, 6]
    assert isinstance(error, httpcore.ConnectError) and str(error) == "connection refused"


def test_when_the_time_is_over_no_further_address_is_tried(monkeypatch):
    given, error = connected(monkeypatch, TimeoutError(), TimeoutError(), seconds=0.005)
    assert (len(given), type(error)) == (1, httpcore.ConnectTimeout)


def test_a_name_without_addresses_is_told(monkeypatch):
    given, error = connected(monkeypatch)
    assert (given, str(error)) == ([], "the name has no address")


def test_tls_is_not_begun_when_the_time_is_over(ends):
    stream, lane, _ = ends
    lane.deadline = time.monotonic() - 1
    with pytest.raises(httpcore.ConnectTimeout):
        stream.start_tls(ssl.create_default_context(), server_hostname="a.name")
