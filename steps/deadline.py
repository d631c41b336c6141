"""A connection under one deadline for the whole call, which knows whether a byte of the request has left.

httpx's time limits are for one socket operation each: a server that sends a byte now and then is never late. Here every wait, from
the name's resolution to the last byte of the body, is cut to what is left of the call's time.

A kept connection may be closed by the server while a request is on its way, and may bring a second answer to an earlier request. What TCP
acknowledges tells both from an honest answer: whatever the server sends once its system has a byte of the request acknowledges that byte.
"""

from __future__ import annotations

import queue
import select
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import httpcore

TCP_INFO: int | None = socket.TCP_INFO if sys.platform == "linux" else None
TCP_ESTABLISHED = 1
"""First byte of what TCP_INFO tells while both ends are open."""
TCP_BYTES_ACKED = struct.Struct("=120xQ")
"""Where TCP_INFO tells how many bytes the other end has acknowledged (Linux's struct tcp_info, tcpi_bytes_acked)."""
SO_MEMINFO = 55
"""Linux: the first of its numbers is the memory that received and unread bytes take; the socket module does not name it."""


class UnusableAnswer(httpcore.RemoteProtocolError):
    """The answer breaks one of our own rules; the text says which."""


class Lane(httpcore.NetworkBackend):
    """One connection and the call that is on it.

    Attributes:
        deadline: when the call is late, by time.monotonic.
        left: whether a byte of the request has left.
        kept: whether it has served a request before.
        tunnel: what leaves before TLS stands is for a proxy and no part of the request.
    """

    def __init__(self, *, tunnel: bool) -> None:
        self.deadline = 0.0
        self.left = False
        self.kept = False
        self.tunnel = tunnel
        self.connection: httpcore.ConnectionInterface

    def remaining(self, late: type[Exception]) -> float:
        """Seconds to the deadline; past it, raises `late`."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise late
        return seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first address that answers; each gets its share of the time left."""
        del timeout, local_address, socket_options
        addresses = _addresses(host, port, self.remaining(httpcore.ConnectTimeout))
        failure: Exception = httpcore.ConnectError("the name has no address")
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            share = self.remaining(httpcore.ConnectTimeout) / (len(addresses) - tried)
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(share)
                plain.connect(address)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                plain.close()
                failure = _connect_failure(error)
            else:
                return DeadlineStream(plain, self)
        raise failure


class DeadlineStream(httpcore.NetworkStream):
    """A socket under the lane's deadline.

    Writes are kept until the first read: one system call, one packet, and one hand-over of the interpreter's lock a request.
    """

    def __init__(self, plain: socket.socket, lane: Lane) -> None:
        plain.setblocking(False)
        self._socket = plain
        self._lane = lane
        self._unsent: list[bytes] = []
        self._sent = 0
        self._acknowledged: int | None = None
        self._secure = isinstance(plain, ssl.SSLSocket)
        self._poll = select.poll()
        self._poll.register(plain, select.POLLIN)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Keeps the bytes for the next read."""
        del timeout
        if buffer:
            self._unsent.append(buffer)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Sends what is kept, then the bytes that are there, waiting for some up to the deadline."""
        del timeout
        try:
            if self._unsent:
                self._flush()
            self._wait(select.POLLIN)  # each read takes what TLS has decrypted whole: nothing is ever held back from the poll
            received: bytes = self._insist(partial(self._socket.recv, max_bytes), select.POLLIN)
            unheard = self._acknowledged is not None and self._acknowledged == self._count_acknowledged()
        except OSError as error:
            raise httpcore.ReadError from error
        self._acknowledged = None
        if unheard:
            self._refuse(received)
        return received

    def _refuse(self, received: bytes) -> None:
        """Judges what came before the server's system had a byte of the request: the end, so that it never left, or another's answer."""
        if received:
            raise UnusableAnswer("an answer came before the request arrived: a second one to an earlier request")
        self._lane.left = False

    def _flush(self) -> None:
        """Sends everything kept. Raises OSError when the server has hung up meanwhile, or sent what nobody asked for."""
        if self._lane.kept:
            if self._broken():
                raise ConnectionResetError
            count = self._count_acknowledged()
            self._acknowledged = count if count >= self._sent else None  # else what was answered was not counted: it tells nothing
        rest = memoryview(b"".join(self._unsent))
        self._unsent.clear()
        counts = self._secure or not self._lane.tunnel
        self._lane.left |= self._secure and bool(rest)  # a TLS record may leave in part although the call fails
        while rest:
            sent = self._insist(partial(self._socket.send, rest), select.POLLOUT)
            self._lane.left |= counts
            self._sent += sent
            rest = rest[sent:]

    def _insist(self, operation: Callable[[], Any], event: int) -> Any:
        """Does a socket operation as soon as the socket is ready for it."""
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)
            except BlockingIOError:
                self._wait(event)

    def _wait(self, event: int) -> None:
        """Waits until the socket is ready; past the deadline raises ReadTimeout."""
        self._poll.modify(self._socket, event)
        if not self._poll.poll(self._lane.remaining(httpcore.ReadTimeout) * 1000):
            raise httpcore.ReadTimeout

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        del timeout
        try:
            self._socket.settimeout(self._lane.remaining(httpcore.ConnectTimeout))
            return DeadlineStream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._lane)
        except OSError as error:
            self.close()
            raise _connect_failure(error) from error

    def get_extra_info(self, info: str) -> Any:
        """Nothing: whether an idle connection still stands is asked as late as can be, before its first byte leaves."""
        del info

    def _count_acknowledged(self) -> int:
        """Bytes of ours that the server's system has acknowledged since the connection was made; 0 where that is not told."""
        if TCP_INFO is not None:
            with suppress(OSError, struct.error):
                return int(TCP_BYTES_ACKED.unpack(self._socket.getsockopt(socket.IPPROTO_TCP, TCP_INFO, TCP_BYTES_ACKED.size))[0])
        return 0

    def _broken(self) -> bool:
        """Whether the server has hung up or sent what nobody asked for; asked before each use of a kept connection.

        Linux tells by socket options, without the hand-over of the interpreter's lock a poll costs (20 threads: 0.29, not 0.36 ms).
        """
        if TCP_INFO is not None:
            with suppress(OSError):
                hung_up = self._socket.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0] != TCP_ESTABLISHED
                return hung_up or any(self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4))
        self._poll.modify(self._socket, select.POLLIN)
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Gives the socket back."""
        self._socket.close()


def _connect_failure(error: OSError) -> Exception:
    """The connection error that stands for a socket's."""
    if isinstance(error, TimeoutError):
        return httpcore.ConnectTimeout()
    if isinstance(error, ssl.SSLCertVerificationError):
        return httpcore.ConnectError(f"the server's certificate is not trusted ({error.verify_message})")
    if isinstance(error, ssl.SSLError):
        return httpcore.ConnectError("no TLS handshake")
    return httpcore.ConnectError((error.strerror or "broken").lower())


def _addresses(host: str, port: int, seconds: float) -> list[Any]:
    """The addresses of a name, asked for in a thread of its own: the system's resolver knows no deadline."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
        threading.Thread(target=_resolve, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError("the name cannot be resolved") from answer
    return answer


def _resolve(host: str, port: int, answers: queue.SimpleQueue[list[Any] | Exception]) -> None:
    """Puts the addresses of a name, or the failure, into the queue."""
    try:
        answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        answers.put(error)
