"""A stream over a pair of sockets: what waits, and for how long."""

from __future__ import annotations

import select
import socket
import ssl
import time

import httpcore
import pytest

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
