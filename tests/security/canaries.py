"""A service that echoes the key it was sent, in every spelling and at every place of an answer; and what a run leaves, gathered."""

from __future__ import annotations

import base64
import html
import http.server
import json
import threading
from urllib.parse import urlsplit

from tests.engine.test_redaction import ENCODINGS

KEY = "d92b0c14-7a5e/4f63+9c81=e5f04c7a66b1"
"""A canary; slash, plus and equals are spelt differently by most encodings."""

ROTATED = "0b77e1a9-33cc/4d1e+8f20=9a6b5c4d3e2f"


def spelt(key):
    """Every distinct spelling of a key, by the encoding's name."""
    found = {}
    for name, encode in ENCODINGS.items():
        text = encode(key)
        if text not in found.values():
            found[name] = text
    return found


def leaks(text, key=KEY):
    """The encodings in which a key stands in a text, and in what the text decodes to."""
    seen = [text, html.unescape(text)]
    for line in (text, *text.splitlines()):
        try:
            seen += _texts(json.loads(line))
        except ValueError:
            continue
    needles = {name: _core(encode(key)) for name, encode in ENCODINGS.items()}
    needles["plain"] = key
    needles["halves"] = key[: len(key) // 2]
    return sorted(name for name, needle in needles.items() if any(needle in one for one in seen))


def _core(spelling):
    """A spelling without what stands around it for show."""
    return spelling.strip("\"'\n ")


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


class Echo:
    """A service on this machine; `modes` says by path what is answered, everything else is an alert that repeats the key.

    Attributes:
        asked: method, path and body of every request, in order.
        keys: what each was authorised with.
        accepts: the one key it takes; None for any.
    """

    def __init__(self):
        self.asked, self.keys, self.accepts, self.modes = [], [], None, {}
        self.on_request = lambda: None
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", 65536, True

            def log_message(self, *_arguments):
                pass

            def answer(self):
                length = int(self.headers.get("content-length", 0))
                status, headers, body = service.answer(self, self.rfile.read(length))
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request, body):
        key = presented(request.headers)
        path = urlsplit(request.path).path
        self.asked.append((request.command, request.path, body.decode()))
        self.keys.append(key)
        headers = {"X-Request-Id": key, "X-RateLimit-State": key, "X-Echo": " ".join(_core(one) for one in (key,))}
        self.on_request()
        if self.accepts is not None and key != self.accepts:
            return 401, headers, {"message": f"Key {key} is not known", "took": 0.1, "requestId": key}
        for part, made in self.modes.items():
            if part in path:
                return made(self, request, key, headers)
        if request.command != "GET":
            return 202, headers, {"result": "Request will be processed", "took": 0.1, "requestId": "r-1"}
        if "/requests/" in path:
            done = {"success": True, "isSuccess": True, "status": f"done with {key}", "action": "x", "alertId": "a-1", "alias": key}
            return 200, headers, {"data": done, "took": 0.1, "requestId": "r-1"}
        return 200, headers, {"data": echo(key), "took": 0.1, "requestId": "r-1"}


def presented(headers):
    """The key a request shows: in Authorization, by whatever scheme, or in a header of the service's own."""
    scheme, _, key = (headers.get("Authorization") or "").partition(" ")
    if scheme == "Basic":
        return base64.b64decode(key).decode().partition(":")[2]
    return key or headers.get("X-Api-Key") or ""


def echo(key):
    """An alert that holds a key in every spelling, as values and as names."""
    spellings = spelt(key)
    return {
        "id": "a-1", "tinyId": "1", "alias": key, "message": f"Authorization: GenieKey {key}", "status": "open", "acknowledged": False,
        "description": "\n".join(spellings.values()), "tags": list(spellings.values()), "source": key,
        "details": {**spellings, **{text[:80]: name for name, text in spellings.items()}}, "priority": "P3",
    }  # fmt: skip


def left(folder):
    """Every file of a run's state and output, by name, as text; the file in which a key lives left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and path.name != "the.key"
    }
