"""The wire against a server that misbehaves: every fault ends within the deadline and says honestly whether anything was sent."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import httpcore
import httpx
import pytest

from engine.errors import AnswerLost, Unreachable
from engine.secret import Secret
from steps import deadline
from steps import transport as wire
from steps.exchange import AnswerLate, Request, Spoilt
from steps.transport import LOWER_ERRORS, MAX_BODY, HttpTransport

DEADLINE = 0.3
Script = Callable[[socket.socket, bytes], None]


def ok(body: bytes = b"{}", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), extra, body)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    size = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class Server:
    """Answers each request on loopback by a script; keeps what it was sent."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v2/alerts"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while request := read_request(connection):
                self.requests.append(request)
                self.script(connection, request)

    def close(self) -> None:
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Server]]:
    with ExitStack() as stack:

        def start(script: Script) -> Server:
            server = Server(script)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    opened = HttpTransport()
    yield opened
    opened.close()


def answer(data: bytes) -> Script:
    return lambda connection, _request: connection.sendall(data)


def hang_up_after(data: bytes) -> Script:
    def script(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return script


def drip(data: bytes) -> Script:
    def script(connection: socket.socket, _request: bytes) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return script


def test_a_request_and_its_answer_travel_whole(serve, transport):
    server = serve(answer(ok(b'{"a":1}', b"X-RateLimit-State: OK\r\n")))
    request = Request(
        "POST", server.url + "?a=b%20c", {"Authorization": Secret("k-1234567", "env:K"), "User-Agent": "t"}, b"{}", "GenieKey "
    )
    response = transport.send(request, timeout=DEADLINE)
    assert (response.status, response.body, response.headers["x-ratelimit-state"]) == (200, b'{"a":1}', "OK")
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == b"POST /v2/alerts?a=b%20c HTTP/1.1"
    assert {b"Authorization: GenieKey k-1234567", b"Accept-Encoding: identity", b"Content-Length: 2"} <= set(lines)
    assert lines[-1] == b"{}"


def test_a_connection_is_kept(serve, transport):
    server = serve(answer(ok()))
    for _ in range(3):
        transport.send(Request("GET", server.url), timeout=DEADLINE)
    assert (server.connections, len(server.requests)) == (1, 3)


def test_chunked_answers_are_put_together(serve, transport):
    server = serve(answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
    assert transport.send(Request("GET", server.url), timeout=DEADLINE).body == b"{}"


def test_a_redirect_is_an_answer_like_any_other(serve, transport):
    server = serve(answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
    assert transport.send(Request("GET", server.url), timeout=DEADLINE).status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(lambda *_: None, "time limit", id="silence"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000), "time limit", id="head drips"),
        pytest.param(drip(ok(b"x" * 1000)[:60]), "time limit", id="body drips"),
        pytest.param(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), "time limit", id="body stops"),
        pytest.param(hang_up_after(b""), "cut off", id="hang up at once"),
        pytest.param(hang_up_after(b"HTTP/1.1 200 OK\r\nContent-"), "cut off", id="head cut off"),
        pytest.param(hang_up_after(ok(b"{}" * 50)[:-10]), "cut off", id="body cut off"),
        pytest.param(answer(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "not HTTP", id="another protocol"),
        pytest.param(answer(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000), "not HTTP", id="endless head"),
        pytest.param(answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "not HTTP", id="bad chunk"),
        pytest.param(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), "not HTTP", id="two lengths"),
        pytest.param(answer(ok(extra=b"Content-Encoding: gzip\r\n")), "compressed", id="compressed"),
        pytest.param(answer(ok(b"x" * (MAX_BODY + 1))), "5 MiB", id="too large"),
    ],
)
def test_an_answer_that_fails_is_lost_within_the_deadline(serve, transport, script, words):
    server = serve(script)
    started = time.monotonic()
    with pytest.raises(AnswerLost, match=words):
        transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE)
    assert time.monotonic() - started < DEADLINE + 0.5
    assert len(server.requests) == 1, "nothing is sent a second time on its own"


def test_a_reset_loses_the_answer(serve, transport):
    def reset(connection: socket.socket, _request: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    with pytest.raises(AnswerLost, match="connection broke"):
        transport.send(Request("POST", serve(reset).url, body=b"{}"), timeout=DEADLINE)


def test_a_body_nobody_reads_is_lost_within_the_deadline(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(AnswerLost):
            transport.send(Request("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", body=b"x" * 20_000_000), timeout=DEADLINE)
        assert time.monotonic() - started < DEADLINE + 0.5


def test_nothing_was_sent_when_nobody_listens(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        transport.send(Request("POST", f"http://127.0.0.1:{port}/", body=b"{}"), timeout=DEADLINE)
    assert caught.value.message == "no connection: connection refused"


def test_nothing_was_sent_when_the_time_is_over_before_it_begins(serve, transport):
    server = serve(answer(ok()))
    with pytest.raises(Unreachable, match="time limit") as caught:
        transport.send(Request("POST", server.url, body=b"{}"), timeout=0)
    assert (caught.value.again, server.connections) == ("maybe", 0)


def test_a_read_takes_a_whole_record_of_tls():
    """So that nothing is ever decrypted and left, which the socket would not call for."""
    assert httpcore.HTTP11Connection.READ_NUM_BYTES >= 2**14


@pytest.mark.parametrize("module", ["no.such.module", "json"])
def test_an_optional_module_is_left_alone_for_the_time_of_an_import(module):
    there = module in sys.modules
    with wire._without(module):
        assert (importlib.util.find_spec(module) is not None) if there else sys.modules[module] is None
    assert (module in sys.modules) is there


def test_nothing_was_sent_when_the_name_is_unknown(transport, monkeypatch):
    def unknown(*_args, flags=0, **_kwargs):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="cannot be resolved"):
        transport.send(Request("POST", "http://nowhere.invalid/", body=b"{}"), timeout=DEADLINE)


def test_a_resolver_that_hangs_is_left_behind(transport, monkeypatch):
    released, asking = threading.Event(), []
    real = socket.getaddrinfo

    def hang(*args, flags=0, **kwargs):
        if flags:
            return real(*args, flags=flags, **kwargs)
        asking.append(threading.current_thread())
        released.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(Unreachable, match="time limit"):
        transport.send(Request("POST", "http://slow.invalid/", body=b"{}"), timeout=0.1)
    assert time.monotonic() - started < 0.6
    assert [thread.daemon for thread in asking] == [True], "a program that ends does not wait for it"
    released.set()


def test_names_are_resolved(serve, transport, monkeypatch):
    server, asked = serve(answer(ok())), []
    real = socket.getaddrinfo

    def resolver(host, port, *, flags=0, **named):
        if flags:
            return real(host, port, flags=flags, **named)
        asked.append((host, port, named))
        return real("127.0.0.1", port, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    url = server.url.replace("127.0.0.1", "service.invalid")
    assert transport.send(Request("GET", url), timeout=1).status == 200
    assert asked == [("service.invalid", int(url.split(":")[2].split("/")[0]), {"type": socket.SOCK_STREAM})]


def test_a_large_request_arrives_whole(serve, transport):
    """In more than one piece: no buffer of the system takes it at once."""
    server, body = serve(answer(ok())), bytes(range(256)) * 40_000
    for _ in range(2):
        assert transport.send(Request("POST", server.url, body=body), timeout=5).status == 200
    assert [request.partition(b"\r\n\r\n")[2] == body for request in server.requests] == [True, True]


def test_an_answer_of_the_most_bytes_is_taken(serve, transport, monkeypatch):
    monkeypatch.setattr(wire, "MAX_BODY", 1000)
    server = serve(answer(ok(b"x" * 1000)))
    assert len(transport.send(Request("GET", server.url), timeout=DEADLINE).body) == 1000
    server.script = answer(ok(b"x" * 1001))
    with pytest.raises(AnswerLost, match="larger than"):
        transport.send(Request("GET", server.url), timeout=DEADLINE)


def test_nothing_was_sent_when_tls_fails(transport):
    def plain(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: plain(listener.accept()[0]), daemon=True).start()
        with pytest.raises(Unreachable, match="no TLS handshake"):
            transport.send(Request("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", body=b"{}"), timeout=DEADLINE)


def test_nothing_was_sent_when_the_tls_handshake_hangs(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="time limit"):
            transport.send(Request("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", body=b"{}"), timeout=DEADLINE)
        assert time.monotonic() - started < DEADLINE + 0.5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1".split()
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not here to make a certificate")
    return folder


@pytest.fixture
def secure_port(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    body = b"y" * 300_000
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                    while read_request(connection):
                        connection.sendall(ok(body))

    threading.Thread(target=run, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_tls_carries_requests_and_large_answers(certificate, secure_port):
    trusted = HttpTransport(ca_file=str(certificate / "cert.pem"))
    for _ in range(2):
        response = trusted.send(Request("POST", f"https://127.0.0.1:{secure_port}/", body=b"x" * 200_000), timeout=2)
        assert (response.status, len(response.body)) == (200, 300_000)
    trusted.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(Unreachable, match=f"no connection: ca_file holds no certificates that can be read .{file}"):
        HttpTransport(ca_file=str(file)).send(Request("GET", "https://127.0.0.1:1/"), timeout=2)


def test_a_key_of_other_characters_is_not_sent(serve, transport):
    server = serve(answer(ok()))
    with pytest.raises(Unreachable, match="holds characters that cannot be sent") as caught:
        transport.send(Request("GET", server.url, {"Authorization": Secret("schlüssel-1", "env:K")}), timeout=2)
    assert "schl" not in str(caught.value)


def test_records_of_tls_may_come_in_pieces(certificate, secure_port):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def relay() -> None:
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", secure_port)) as server:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=pass_on, args=(client, server, 65536), daemon=True).start()
                pass_on(server, client, 2000)

        def pass_on(one: socket.socket, other: socket.socket, size: int) -> None:
            with suppress(OSError):
                while data := one.recv(size):
                    other.sendall(data)
                    time.sleep(0.0005)

        threading.Thread(target=relay, daemon=True).start()
        trusted = HttpTransport(ca_file=str(certificate / "cert.pem"))
        assert len(trusted.send(Request("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/"), timeout=5).body) == 300_000
        trusted.close()


def test_a_large_request_that_nobody_reads_is_lost_within_the_deadline_over_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                held.append(context.wrap_socket(listener.accept()[0], server_side=True))

        threading.Thread(target=accept, daemon=True).start()
        trusted = HttpTransport(ca_file=str(certificate / "cert.pem"))
        with pytest.raises(AnswerLost, match="time limit"):
            trusted.send(Request("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", body=b"x" * 20_000_000), timeout=DEADLINE)
    for connection in held:
        connection.close()


def test_an_untrusted_certificate_is_refused_before_anything_is_sent(transport, secure_port):
    with pytest.raises(Unreachable, match="not trusted"):
        transport.send(Request("GET", f"https://127.0.0.1:{secure_port}/"), timeout=2)


def test_a_proxy_carries_http(serve):
    server = serve(answer(ok(b"[]")))
    proxied = HttpTransport(proxy=server.url.removesuffix("/v2/alerts"))
    assert proxied.send(Request("GET", "http://service.invalid/x"), timeout=DEADLINE).body == b"[]"
    assert server.requests[0].startswith(b"GET http://service.invalid/x HTTP/1.1")
    proxied.close()


@pytest.mark.parametrize("refusal", [answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), hang_up_after(b""), lambda *_: None])
def test_nothing_was_sent_when_the_proxy_opens_no_tunnel(serve, refusal):
    proxied = HttpTransport(proxy=serve(refusal).url.removesuffix("/v2/alerts"))
    with pytest.raises(Unreachable):
        proxied.send(Request("POST", "https://service.invalid/x", body=b"{}"), timeout=DEADLINE)


def test_the_environment_names_no_proxy(serve, transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert transport.send(Request("GET", serve(answer(ok())).url), timeout=DEADLINE).status == 200


@pytest.mark.parametrize("goodbye", [b"", b"Connection: close\r\n"])
def test_a_connection_the_server_closed_is_not_used_again(serve, transport, goodbye):
    server = serve(hang_up_after(ok(extra=goodbye)))
    transport.send(Request("GET", server.url), timeout=DEADLINE)
    time.sleep(0.02)  # the goodbye travels
    assert transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE).status == 200


TRUE, POISON = ok(b'{"answer": "true"}'), ok(b'{"answer": "poison"}')


class Late:
    """A second answer that comes once the first was read; `wait` returns when it is there."""

    def __init__(self) -> None:
        self._sent = threading.Event()

    def __call__(self, connection: socket.socket, _request: bytes) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(TRUE)
        time.sleep(0.02)
        connection.sendall(POISON)
        self._sent.set()

    def wait(self) -> None:
        assert self._sent.wait(5)
        self._sent.clear()


@pytest.mark.parametrize("script", [answer(TRUE + POISON), answer(TRUE + POISON[:30])], ids=["whole", "in part"])
def test_an_answer_nobody_asked_for_answers_nothing(serve, transport, script):
    server = serve(script)
    for _ in range(3):
        with suppress(AnswerLost):  # a part of an answer is found out only as the next one comes
            assert transport.send(Request("GET", server.url), timeout=DEADLINE).body == b'{"answer": "true"}'
    assert len(server.requests) == 3


@pytest.mark.parametrize(("name", "value"), [("TCP_INFO", deadline.TCP_INFO), ("TCP_INFO", None), ("SO_MEMINFO", -1)])
def test_a_connection_that_holds_what_nobody_asked_for_is_not_used_again(serve, transport, monkeypatch, name, value):
    """However the system tells: by both socket options, by none, or by one of them."""
    monkeypatch.setattr(deadline, name, value)
    server = serve(answer(TRUE))
    for _ in range(2):
        transport.send(Request("GET", server.url), timeout=DEADLINE)
    assert server.connections == 1
    server.script = late = Late()
    for _ in range(2):
        assert transport.send(Request("GET", server.url), timeout=DEADLINE).body == b'{"answer": "true"}'
        late.wait()
    assert server.connections == 2


def test_what_an_earlier_answer_spoilt_is_left_for_another_connection(serve, transport):
    server = serve(answer(TRUE + POISON))
    bodies = [transport.send(Request("GET", server.url), timeout=DEADLINE).body for _ in range(3)]
    assert bodies == [b'{"answer": "true"}'] * 3
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.fixture
def unaware(monkeypatch):
    """The last look at a kept connection shows nothing yet: what the server did to it is still on its way."""
    monkeypatch.setattr(deadline.DeadlineStream, "_broken", lambda _: False)


def test_a_request_that_met_the_end_of_its_connection_on_the_way_is_sent_over_another(serve, transport, unaware):
    server = serve(hang_up_after(ok()))
    transport.send(Request("GET", server.url), timeout=DEADLINE)
    time.sleep(0.02)  # the goodbye is there
    assert transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE).kept is False
    assert (len(server.requests), server.connections) == (2, 2), "the server had none of it, and got it once"


@pytest.mark.parametrize(("name", "value"), [("TCP_INFO", None), ("TCP_INFO", -1), ("TCP_BYTES_ACKED", struct.Struct("=600xQ"))])
def test_where_tcp_does_not_tell_what_arrived_a_request_is_not_sent_again(serve, transport, unaware, monkeypatch, name, value):
    monkeypatch.setattr(deadline, name, value)
    server = serve(hang_up_after(ok()))
    transport.send(Request("GET", server.url), timeout=DEADLINE)
    time.sleep(0.02)
    with pytest.raises(Spoilt):
        transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE)


def test_a_request_that_arrived_over_a_kept_connection_is_not_sent_again(serve, transport):
    server = serve(answer(ok()))
    transport.send(Request("GET", server.url), timeout=DEADLINE)
    server.script = hang_up_after(b"")
    with pytest.raises(Spoilt, match="cut off"):
        transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE)
    assert (len(server.requests), server.connections) == (2, 1)


def test_an_answer_that_was_on_its_way_before_the_request_is_not_taken_for_its_own(serve, transport, unaware, monkeypatch):
    monkeypatch.setattr(deadline.DeadlineStream, "_count_acknowledged", lambda _: 1000)  # a host some milliseconds away
    late = Late()
    server = serve(late)
    transport.send(Request("GET", server.url), timeout=DEADLINE)
    late.wait()
    with pytest.raises(Spoilt, match="a second one to an earlier request"):
        transport.send(Request("POST", server.url, body=b"{}"), timeout=DEADLINE)


def test_a_fresh_request_gives_up_the_kept_connections(serve, transport):
    server = serve(answer(ok()))
    kept = [transport.send(Request("GET", server.url, fresh=fresh), timeout=DEADLINE).kept for fresh in (False, False, True, False)]
    assert (kept, server.connections) == ([False, True, False, True], 2)


def test_many_threads_share_a_transport(serve, transport):
    server = serve(lambda connection, request: connection.sendall(ok(request.rpartition(b"\r\n")[2])))
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(5):
            body = f"{number}-{turn}".encode()
            echoed = transport.send(Request("POST", server.url, body=body), timeout=2).body
            if echoed != body:
                wrong.append((body, echoed))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(server.requests) == 150
    assert server.connections <= 30


def _exceptions(module: object) -> list[type[Exception]]:
    found = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, Exception)]
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", [*_exceptions(httpcore), *_exceptions(httpx)], ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_lower_error_is_mapped(kind):
    assert issubclass(kind, LOWER_ERRORS)
    error = kind.__new__(kind)
    lane = deadline.Lane(tunnel=False)
    lane.left = True
    left = wire._fate(error, lane)
    late = issubclass(kind, httpcore.TimeoutException)
    assert type(left) is (Unreachable if issubclass(kind, httpcore.ProxyError) else AnswerLate if late else AnswerLost)
    lane.kept = True
    assert type(wire._fate(error, lane)) is (Spoilt if type(left) is AnswerLost else type(left))
    lane.left = False
    for unsent in (wire._fate(error, lane), wire._fate(error, None)):
        assert (type(unsent), unsent.again) == (Unreachable, "maybe" if late else "safe")
    assert left.message


@pytest.mark.parametrize("key", ["bad\r\nX-Injected: 1", "schlüssel-12345", "nul\x00l12345678"])
def test_a_key_that_no_header_can_hold_is_not_told_to_anyone(serve, transport, key):
    server = serve(answer(ok()))
    with pytest.raises(Unreachable) as caught:
        transport.send(Request("GET", server.url, {"Authorization": Secret(key, "env:K")}, None, "GenieKey "), timeout=DEADLINE)
    assert key not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert server.requests == []


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nonsense", "http://", "http://[::"])
def test_an_address_that_is_none_sends_nothing(transport, url):
    with pytest.raises(Unreachable):
        transport.send(Request("GET", url), timeout=DEADLINE)


def test_importing_leaves_the_command_line_of_httpx_alone():
    code = "import sys, steps.transport; print([m for m in ('click', 'rich', 'pygments', 'httpx._main') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_module_is_kept_out_for_as_long_as_it_is_said():
    with wire._without("opsbook_nobody"):
        with pytest.raises(ImportError):
            __import__("opsbook_nobody")
    assert "opsbook_nobody" not in sys.modules
    with wire._without("json"):
        assert sys.modules["json"] is not None
