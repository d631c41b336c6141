"""A raw-socket server before an emulator: the emulator gives the true answer and keeps the true state, a fault breaks the wire.

A fault strikes the requests of one operation (or the request status, or every connection), once or for ever; all others are answered
well, over connections that are kept.
"""

from __future__ import annotations

import contextlib
import functools
import random
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from steps.exchange import Request, Response
from steps.opsgenie.emulator import Emulator
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.routes import match

Moment = Literal["accept", "unread", "partial", "before", "after"]
"""When it breaks: at once, with the request unread, with half of it read, with all of it read and nothing done, or with the work done."""

EVER = 10**9
DRIP = 0.03
"""Seconds between two bytes of a slow answer: each of them would start a timeout for one read anew."""


TLS_HELLO = b"\x16"
"""How a client begins that takes this port for one of TLS."""


class Gone(Exception):
    """The other end has hung up."""


class Wire:
    """The server's end of one connection."""

    def __init__(self, plain: socket.socket, server: FaultServer) -> None:
        self._socket = plain
        self.server = server
        self.requests = 0
        self.open = True
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def peek_line(self) -> str:
        """The request line, left unread. Raises Gone."""
        seen = b""
        while b"\r\n" not in seen:
            before, seen = len(seen), self._received(4096, socket.MSG_PEEK)
            if seen.startswith(TLS_HELLO):
                self.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                raise Gone
            if len(seen) == before:
                time.sleep(0.001)
        return seen.split(b"\r\n")[0].decode("latin-1")

    def read(self, size: int) -> bytes:
        """Some bytes. Raises Gone."""
        return self._received(size, 0)

    def read_request(self) -> Request:
        """One whole request. Raises Gone when it ends early: a request cut short has no effect."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.read(65536)
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.read(65536)
        method, target, _ = lines[0].split(" ")
        return Request(method, f"http://{headers['host']}{target}", headers, body)

    def send(self, data: bytes) -> None:
        """Raises Gone."""
        try:
            self._socket.sendall(data)
        except OSError:
            raise Gone from None

    def answer(self, response: Response) -> None:
        """A whole, well-formed answer; the connection is kept."""
        self.send(head(response, len(response.body)) + response.body)

    def drip(self, data: bytes) -> None:
        """Byte after byte, slowly. Raises Gone."""
        for place in range(len(data)):
            self.send(data[place : place + 1])
            time.sleep(DRIP)

    def silence(self) -> None:
        """Nothing until the client hangs up. Raises Gone."""
        while True:
            self.read(65536)

    def close(self) -> None:
        """Ends the connection in order."""
        self.open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """Ends it with a reset."""
        self.open = False
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _received(self, size: int, flags: int) -> bytes:
        try:
            data = self._socket.recv(size, flags)
        except (OSError, ValueError):
            raise Gone from None
        if not data:
            raise Gone
        return data


def head(response: Response, length: int | None, extra: str = "") -> bytes:
    """Status line and headers; no length: none is told."""
    lines = [f"HTTP/1.1 {response.status} X", *(f"{name}: {value}" for name, value in response.headers.items() if name != "content-length")]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode("latin-1")


@dataclass(frozen=True)
class Strike:
    """One fault at one moment, for one cell.

    Attributes:
        act: breaks the answer. At `after` it is given the true one, else none.
        target: name of the operation, `request_status`, or `*` for each request.
        times: how often.
        reused: only on a connection that has served a request.
    """

    act: Callable[[Wire, Response], None]
    moment: Moment
    target: str
    times: int
    reused: bool = False

    def fits(self, name: str, wire: Wire) -> bool:
        """Whether it strikes a request to the operation."""
        return (self.target == "*" or name == self.target or name.endswith(f".{self.target}")) and (wire.requests > 0 or not self.reused)


class Strikes(Protocol):
    """What strikes when."""

    def at_accept(self) -> Strike | None:
        """What strikes a new connection before anything is read."""

    def at_request(self, name: str, wire: Wire) -> Strike | None:
        """What strikes a request to an operation."""


class Repeated:
    """The same strike so many times."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._left = strike.times
        self._lock = threading.Lock()

    def at_accept(self) -> Strike | None:
        return self._counted() if self._strike.moment == "accept" else None

    def at_request(self, name: str, wire: Wire) -> Strike | None:
        return self._counted() if self._strike.moment != "accept" and self._strike.fits(name, wire) else None

    def _counted(self) -> Strike | None:
        with self._lock:
            self._left -= 1
            return self._strike if self._left >= 0 else None


class Storm:
    """Half of the requests, of whatever kind, are struck by one of many, until `times` were; drawn by a seed.

    One of several operations' reads may be struck as well as the writes and the looks after them.
    """

    def __init__(self, strikes: Sequence[Strike], times: int, seed: int) -> None:
        self._strikes = strikes
        self._left = times
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def at_accept(self) -> Strike | None:
        return None

    def at_request(self, name: str, wire: Wire) -> Strike | None:
        del name
        with self._lock:
            strike = self._random.choice(self._strikes)
            if self._left == 0 or self._random.random() < 0.5 or not strike.fits("", wire):
                return None
            self._left -= 1
            return strike


NOTHING = Response(0, {}, b"")


class FaultServer:
    """Listens on loopback until it is closed.

    Args:
        strikes: None for an honest server.
        tls: speak TLS, with a certificate nobody trusts.
        deaf: refuse connections until `recover`.
    """

    def __init__(self, emulator: Emulator, strikes: Strikes | None = None, *, tls: bool = False, deaf: bool = False) -> None:
        self.emulator = emulator
        self._strikes = strikes
        self._tls = server_context() if tls else None
        self._wires: list[Wire] = []
        self.struck = 0
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._listening = False
        if not deaf:
            self.recover()

    def recover(self) -> None:
        """Begins to listen."""
        if not self._listening:
            self._listening = True
            self._socket.listen(64)
            threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Hangs up on everybody."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for wire in self._wires:
            wire.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        if self._tls is not None:
            try:
                plain = self._tls.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                return
        wire = Wire(plain, self)
        self._wires.append(wire)
        with contextlib.suppress(Gone):
            if self._strikes is not None and (strike := self._strikes.at_accept()):
                self._hit(strike, wire, NOTHING)
            while wire.open:
                self._exchange(wire)
        wire.close()

    def _exchange(self, wire: Wire) -> None:
        """One request, answered well or broken."""
        name = _name_of(wire.peek_line())
        strike = self._strikes.at_request(name, wire) if self._strikes is not None else None
        moment = strike.moment if strike else None
        response = NOTHING
        if moment == "partial":
            wire.read(40)
        elif moment != "unread":
            request = wire.read_request()
            if moment != "before":
                response = _answered(self.emulator, request)
        if strike is not None:
            self._hit(strike, wire, response)
        else:
            wire.answer(response)
        wire.requests += 1

    def _hit(self, strike: Strike, wire: Wire, response: Response) -> None:
        self.struck += 1
        strike.act(wire, response)


def _answered(emulator: Emulator, request: Request) -> Response:
    """The true answer."""
    response = emulator.deliver(request).response
    assert response is not None
    return response


def _name_of(line: str) -> str:
    """The operation a request line means; empty when it is none."""
    method, _, rest = line.partition(" ")
    try:
        return match(method, rest.split(" ")[0].split("?")[0])[0].row.name
    except ApiError:
        return ""


class Stranger:
    """Another host, to which nobody must be led: counts who comes, and hangs up."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            plain, _ = self._socket.accept()
            self.visits += 1
            plain.close()


@functools.cache
def server_context() -> ssl.SSLContext:
    """TLS with a fresh self-signed certificate. Raises OSError when there is no openssl to make one."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1".split()
        subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context


def json_headers(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of the service's usual answer."""
    return {"content-type": "application/json", **(extra or {})}
