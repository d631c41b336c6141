"""The wire: httpx's transport interface over httpcore's connections, with one deadline a call and an honest account of what was sent.

Only this file imports httpx. It costs some 70 ms to import, so it is imported at the first send.

Why not `httpx.Client`: at 20 threads it costs 0.8 to 0.9 ms of CPU a request, most of it in a pool that looks at every connection under
one lock, twice a request. httpx's Request and Response over one httpcore connection a thread cost 0.24 to 0.34 ms (urllib3's pool: 0.38
to 0.48; 0.54 with httpx's models). httpcore also lets the network be given, which makes a total deadline and "did a byte leave" exact.
"""

from __future__ import annotations

import logging
import ssl
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from typing import Any

from engine.errors import AnswerLost, StepError, Unreachable
from engine.secret import Secret
from steps.deadline import Lane, UnusableAnswer
from steps.exchange import AnswerLate, Request, Response, Spoilt


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Makes the import of one optional module fail, the way its importer is prepared for."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


with _without("httpx._main"):  # httpx's own command line, and with it click, rich and pygments: 45 of 115 ms
    import httpcore
    import httpx


for _name in ("httpx", "httpcore"):  # they log addresses and headers
    logging.getLogger(_name).setLevel(logging.CRITICAL)

MAX_BODY = 5 * 1024 * 1024
"""Most bytes of an answer's body; httpcore caps the head at 100 KiB."""

KEEPALIVE = 20.0
"""Seconds an idle connection is kept."""

LOWER_ERRORS = (
    httpcore.ConnectionNotAvailable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpx.CookieConflict,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    UnicodeError,
)
"""Everything the layers below raise."""


_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (httpcore.ConnectTimeout, "no connection within the time limit"),
    (httpcore.TimeoutException, "no whole answer within the time limit"),
    (httpcore.ProxyError, "the proxy refused the connection"),
    (httpcore.ConnectError, "no connection"),
    (UnusableAnswer, ""),
    (httpcore.RemoteProtocolError, "the answer was cut off or is not HTTP"),
    (httpcore.LocalProtocolError, "the request is not valid HTTP"),
    (httpcore.NetworkError, "the connection broke"),
    (httpcore.UnsupportedProtocol, "the address is neither http nor https"),
    (httpx.InvalidURL, "the address is not a valid URL"),
    (UnicodeError, "the address or a header, such as the key's, holds characters that cannot be sent"),
)


def _cause(error: Exception) -> str:
    """What happened, in own words: a lower layer's text may quote a header."""
    words = next((words for kind, words in _CAUSES if isinstance(error, kind)), "the exchange failed")
    if isinstance(error, (UnusableAnswer, httpcore.ConnectError)):
        return ": ".join(filter(None, (words, str(error))))
    return words


_url = lru_cache(maxsize=256)(httpx.URL)


class HttpTransport(httpx.BaseTransport):
    """Sends requests over HTTP/1.1, one connection for each thread that sends at the same time.

    Args:
        ca_file: certificates to trust instead of the well-known ones.
        proxy: address of an HTTP proxy; the environment is never asked.
    """

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        self._ca_file = ca_file
        self._proxy = proxy
        self._idle: defaultdict[tuple[bytes, bytes, int | None], deque[Lane]] = defaultdict(deque)
        self._tls_lock = threading.Lock()

    def send(self, request: Request, *, timeout: float) -> Response:
        """One request, one whole response within `timeout` seconds; see steps.exchange.Transport."""
        deadline = time.monotonic() + timeout
        while True:
            lane: Lane | None = None
            try:
                wire = _wire_request(request)
                lane = self._lane(wire.url, fresh=request.fresh)
                lane.deadline = deadline
                return self._exchange(wire, lane)
            except LOWER_ERRORS as error:
                failure = _fate(error, lane)
            if lane is not None:
                lane.connection.close()
            if lane is None or lane.left or not lane.kept:
                raise failure  # outside of the handler: no lower error, which may hold a header, hangs on it
            # else a kept connection was closed or spoilt before anything of the request arrived: take another

    def _exchange(self, wire: httpx.Request, lane: Lane) -> Response:
        """Sends over a lane and gives it back when all went well."""
        wire.extensions["lane"] = lane
        answer = self.handle_request(wire)
        if not lane.left:
            raise UnusableAnswer("an answer came before the request was sent: the rest of an earlier one")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers.raw}
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnusableAnswer("the answer is compressed although that was not asked for")
        body = _read_whole(answer)
        answer.close()
        response = Response(answer.status_code, headers, body, lane.kept)
        lane.kept = True
        self._idle[_origin(wire.url)].append(lane)
        return response

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Serves httpx's transport interface over the lane in the request's extensions."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        core = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
        )
        answer = request.extensions["lane"].connection.handle_request(core)
        return httpx.Response(answer.status, headers=answer.headers, stream=_AnswerStream(answer))

    def close(self) -> None:
        """Closes every idle connection."""
        for lanes in self._idle.values():
            while lanes:
                lanes.pop().connection.close()

    def _lane(self, url: httpx.URL, *, fresh: bool) -> Lane:
        """An idle connection that may still stand, or a new one."""
        idle = self._idle[_origin(url)]
        with suppress(IndexError):  # other threads take some, too
            while True:
                lane = idle.pop()
                if not fresh and lane.connection.is_idle() and not lane.connection.has_expired():
                    lane.left = False
                    return lane
                lane.connection.close()
        return self._new_lane(url)

    def _new_lane(self, url: httpx.URL) -> Lane:
        """A connection to be; it connects with its first request."""
        lane = Lane(tunnel=self._proxy is not None and url.scheme == "https")
        options: dict[str, Any] = {"network_backend": lane, "keepalive_expiry": KEEPALIVE}
        if url.scheme == "https":
            with self._tls_lock:
                options["ssl_context"] = self._tls
        pool = httpcore.HTTPProxy(self._proxy, **options) if self._proxy else httpcore.ConnectionPool(**options)
        lane.connection = pool.create_connection(httpcore.Origin(url.raw_scheme, url.raw_host, url.port or _PORTS[url.scheme]))
        return lane

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Verifying TLS; made once, since reading the certificates costs 30 ms."""
        if not self._ca_file:
            return httpx.create_ssl_context(trust_env=False)
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise httpcore.ConnectError(f"ca_file holds no certificates that can be read ({self._ca_file})") from error


_PORTS = {"http": 80, "https": 443}


class _AnswerStream(httpx.SyncByteStream):
    """The body of an httpcore answer as httpx wants it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._answer.stream, Iterable)
        yield from self._answer.stream

    def close(self) -> None:
        """Lets the connection be used again."""
        self._answer.close()


def _wire_request(request: Request) -> httpx.Request:
    """The request in httpx's terms; the one place where a secret is revealed."""
    url = _url(request.url)
    if url.scheme not in _PORTS or not url.host:
        raise httpcore.UnsupportedProtocol
    headers = [(b"Host", url.netloc), (b"Accept-Encoding", b"identity")]
    for name, value in request.headers.items():
        plain = request.secret_prefix + value.reveal() if isinstance(value, Secret) else value
        headers.append((name.encode("ascii"), plain.encode("ascii")))
    if request.body is not None:
        headers.append((b"Content-Length", str(len(request.body)).encode()))
    return httpx.Request(request.method, url, headers=headers, stream=httpx.ByteStream(request.body or b""))


def _read_whole(answer: httpx.Response) -> bytes:
    """The whole body, or UnusableAnswer when it is over the cap."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_raw():
        size += len(part)
        if size > MAX_BODY:
            raise UnusableAnswer(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB")
        parts.append(part)
    return b"".join(parts)


def _origin(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    """What a connection belongs to."""
    return (url.raw_scheme, url.raw_host, url.port)


def _fate(error: Exception, lane: Lane | None) -> StepError:
    """What a lower error means: nothing was sent, or the answer is lost."""
    late = isinstance(error, httpcore.TimeoutException)
    if lane is None or not lane.left or isinstance(error, httpcore.ProxyError):
        return Unreachable(_cause(error), again="maybe" if late else "safe")
    return (AnswerLate if late else Spoilt if lane.kept else AnswerLost)(_cause(error))
