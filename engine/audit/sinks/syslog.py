"""`syslog: local`, `udp://host:port` or `tcp://host:port`: one message an event.

Over the network a message is as RFC 5424 has it, in TCP ended by a line feed (RFC 6587, 3.4.2). The machine's own socket gets the short
form that every daemon there takes, journald included.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

LOCAL = "/dev/log"
PATIENCE = 5.0
"""Seconds to connect, or to get one message out."""
PRIORITY = 13 * 8 + 6
"""Facility "log audit", severity "informational" (RFC 5424, 6.2.1)."""
SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "pattern": r"^(local|(udp|tcp)://(\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+):[0-9]{1,5})$",
    "x-rule": "write local, udp://host:514 or tcp://host:601",
    "description": "local is the machine's own daemon.",
}


class SyslogSink:
    """A socket of a syslog daemon. Raises OSError."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target if target != "local" else "local://")
        self._kind = parts.scheme
        self._address = (parts.hostname, parts.port)
        self._host = socket.gethostname()
        self._socket = self._connected()

    def write(self, line: bytes) -> None:
        """Sends one message; once more over a new connection where the daemon closed the last one. Raises OSError."""
        message = self._message(line)
        if self._left():
            self._connect_anew()
        try:
            self._socket.sendall(message)
        except ConnectionError:
            self._connect_anew()
            self._socket.sendall(message)

    def catch_up(self, line: bytes) -> None:
        """Sends it again: a daemon says nothing of what it has. Raises OSError."""
        self.write(line)

    def sync(self) -> None:
        """Nothing: a daemon says nothing of what it has."""

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def _connect_anew(self) -> None:
        self._socket.close()
        self._socket = self._connected()

    def _connected(self) -> socket.socket:
        if self._kind == "tcp":
            return socket.create_connection(self._address, timeout=PATIENCE)
        if self._kind == "udp":
            family, _, _, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            return _datagrams(family, address)
        return _datagrams(socket.AF_UNIX, LOCAL)

    def _left(self) -> bool:
        """Whether the daemon has closed the connection: sending would seem to work once more."""
        if self._kind != "tcp":
            return False
        heard = select.poll()
        heard.register(self._socket, select.POLLIN)
        return bool(heard.poll(0)) and not self._socket.recv(1, socket.MSG_PEEK)

    def _message(self, line: bytes) -> bytes:
        if self._kind == "local":
            return f"<{PRIORITY}>opsbook[{os.getpid()}]: ".encode() + line.rstrip(b"\n")
        head = f"<{PRIORITY}>1 {datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {self._host} opsbook {os.getpid()} audit - ".encode()
        return head + (line if self._kind == "tcp" else line.rstrip(b"\n"))


def _datagrams(family: int, address: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.settimeout(PATIENCE)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made
