"""The emulator as an HTTP server, for any client.

Faults of the connection break the real socket. A request whose body is shorter than it says has no effect. `refused` cannot keep a
client from connecting: the connection is reset before anything is answered.
"""

from __future__ import annotations

import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from steps.exchange import Request, Response
from steps.opsgenie.emulator.responses import Delivery
from steps.opsgenie.emulator.service import Emulator

MOST_BYTES = 64 * 1024 * 1024
IDLE_SECONDS = 60
_RESETS = ("lost", "refused", "reset_before")
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class EmulatorServer(ThreadingHTTPServer):
    """Listens from the start; `serve_forever` answers until `shutdown` is called from another thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        super().__init__((host, port), _handler_class())
        self.emulator = emulator

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def serve_forever(self, poll_interval: float = 0.05) -> None:
        """Answers requests until `shutdown`, then gives the socket back."""
        try:
            super().serve_forever(poll_interval)
        finally:
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is told in one line."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            sys.stderr.write(f"emulator: a request failed with {type(error).__name__}\n")


def serve(emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> EmulatorServer:
    """A server that listens on a port (0: a free one). Raises OSError when it cannot."""
    return EmulatorServer(emulator, host, port)


class _ShortBodyError(Exception):
    """The body ended early, or is of no form that can be read."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "opsbook-emulator"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def answer(self) -> None:
        """Takes one request to the emulator and its delivery back."""
        try:
            body = self._body()
        except _ShortBodyError:
            self.close_connection = True
            return
        target = self.requestline.split()[1]
        url = f"http://{self.headers['Host']}{target}" if self.headers["Host"] and target.startswith("/") else target
        emulator = cast("EmulatorServer", self.server).emulator
        delivery = emulator.deliver(Request(self.command, url, dict(self.headers.items()), body))
        if delivery.late:
            emulator.clock.sleep(delivery.late)
        self._deliver(delivery)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise _ShortBodyError
        return self._exactly(int(length))

    def _exactly(self, length: int) -> bytes:
        read = self.rfile.read(length)
        if len(read) < length:
            raise _ShortBodyError
        return read

    def _chunks(self) -> bytes:
        whole = b""
        while True:
            try:
                size = int(self.rfile.readline(32).split(b";")[0], 16)
            except ValueError:
                raise _ShortBodyError from None
            if size < 0 or len(whole) + size > MOST_BYTES:
                raise _ShortBodyError
            whole += self._exactly(size)
            self.rfile.readline(4)
            if size == 0:
                return whole

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.breaks in _RESETS:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if delivery.breaks or delivery.response is None:
            self.close_connection = True
        if delivery.response is not None and delivery.breaks in (None, "truncated", "headers_only"):
            self._send(delivery.response, {"truncated": 0.5, "headers_only": 0.0}.get(delivery.breaks or "", 1.0))
        elif delivery.breaks:
            self.connection.close()

    def _send(self, response: Response, share: float) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: int(len(response.body) * share)])
        self.wfile.flush()

    def log_message(self, *_args: Any) -> None:
        """The emulator keeps its own log."""


def _handler_class() -> type[_Handler]:
    """The handler with one method for each HTTP method, all the same."""
    return type("Handler", (_Handler,), {f"do_{method}": _Handler.answer for method in _METHODS})
