"""A small HTTP/1.1 server on loopback that gives every request the same answer: `server.py PORT DELAY`.

`GET /count` says how many other requests it has answered. Where nginx is installed it serves instead, except when answers must be slow.
"""

from __future__ import annotations

import asyncio
import re
import sys

BODY = b'{"result":"Created","data":{"id":"a1","name":"x"},"took":0.01,"requestId":"r1"}'
STATUS = 201
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Peer(asyncio.Protocol):
    """One connection. Answers each request `delay` seconds after its last byte came."""

    answered = 0

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._waiting) < whole:
                return
            self._waiting = self._waiting[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"GET /count "):
            self._transport.write(_response(b"%d" % Peer.answered))
            return
        Peer.answered += 1
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, _response(BODY))
        else:
            self._transport.write(_response(BODY))


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (STATUS, len(body), body)


async def serve(port: int, delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Peer(delay), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
