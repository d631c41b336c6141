"""The table of faults: what happens on the wire, and what a call must then come to."""

from __future__ import annotations

import functools
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from steps.exchange import Response
from tests.faults.server import Moment, Repeated, Storm, Stranger, Strike, Strikes, Wire, head, json_headers

Fate = Literal["unsent", "lost", "later", "failed", "fine", "lie", "storm"]
"""What the call has come to: nothing left; not known; refused for now; processed and failed; done all the same; or the service itself says
what is not so, of which nobody can know more than that it must not upset the client; or one after another of these, on any request."""
Act = Callable[[Wire, Response], None]
Endpoint = Literal["http", "deaf", "unresolved", "untrusted", "plain_on_https"]

MIB = 1024 * 1024
_MEGABYTE = b"x" * MIB
_BETWEEN_FLOODS = 0.002
OK = Response(200, json_headers(), b'{"result":"ok","took":0.1,"requestId":"r"}')


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        moments: when it may strike.
        target: `call` (the operation's own request), `request_status`, or `*` (every request).
        ever: whether it may also last for ever.
        reused: strikes a kept connection only.
        slow: takes the whole time limit, each time.
        emulated: instead of the wire, the emulator's own fault.
    """

    name: str
    fate: Fate
    act: Act | None = None
    moments: tuple[Moment, ...] = ("after",)
    target: str = "call"
    once: bool = True
    ever: bool = True
    reused: bool = False
    slow: bool = False
    endpoint: Endpoint = "http"
    emulated: str | None = None


def _true(answer: Response) -> Response:
    """The true answer; where nothing was done, one that looks like it."""
    return answer if answer.status else OK


def _cut(share: float) -> Act:
    def act(wire: Wire, answer: Response) -> None:
        answer = _true(answer)
        wire.send(head(answer, len(answer.body)) + answer.body[: int(len(answer.body) * share)])
        wire.close()

    return act


def _raw(data: bytes, *, reset: bool = False) -> Act:
    def act(wire: Wire, _answer: Response) -> None:
        wire.send(data)
        wire.reset() if reset else wire.close()

    return act


def _body(change: Callable[[bytes], bytes]) -> Act:
    """A well-formed answer with another body."""

    def act(wire: Wire, answer: Response) -> None:
        answer = _true(answer)
        wire.answer(replace(answer, body=change(answer.body)))

    return act


def _says(status: int, body: bytes = b"", **headers: str) -> Act:
    told = {name.replace("_", "-"): value for name, value in headers.items()}

    def act(wire: Wire, _answer: Response) -> None:
        wire.answer(Response(status, told, body))

    return act


def _error(status: int, message: str, **headers: str) -> Act:
    body = json.dumps({"message": message, "took": 0.01, "requestId": "r"}).encode()
    return _says(status, body, content_type="application/json", **headers)


def _close(wire: Wire, _answer: Response) -> None:
    wire.close()


def _reset(wire: Wire, _answer: Response) -> None:
    wire.reset()


def _answer_and_close(wire: Wire, answer: Response) -> None:
    """A good answer that promises nothing of the sort, and then the end."""
    wire.answer(answer)
    wire.close()


def _reset_during(wire: Wire, answer: Response) -> None:
    answer = _true(answer)
    wire.send(head(answer, len(answer.body)) + answer.body[:10])
    time.sleep(0.005)
    wire.reset()


def _chunked(wire: Wire, answer: Response) -> None:
    body = _true(answer).body
    wire.send(head(_true(answer), None, "Transfer-Encoding: chunked\r\n") + f"{len(body) + 100:x}\r\n".encode() + body)
    wire.close()


def _chunked_without_end(wire: Wire, answer: Response) -> None:
    body = _true(answer).body
    wire.send(head(_true(answer), None, "Transfer-Encoding: chunked\r\n") + f"{len(body):x}\r\n".encode() + body + b"\r\n")
    wire.close()


def _chunked_nonsense(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), None, "Transfer-Encoding: chunked\r\n") + b"zz\r\n" + _true(answer).body)
    wire.close()


def _shorter_length(wire: Wire, answer: Response) -> None:
    """The length says less than is sent: the rest stands where the next answer should begin."""
    body = _true(answer).body
    wire.send(head(_true(answer), len(body) // 2) + body)


def _longer_answer(wire: Wire, answer: Response) -> None:
    """A second answer nobody asked for follows the good one."""
    wire.answer(_true(answer))
    wire.answer(Response(200, json_headers(), b'{"data":{"id":"poison"},"requestId":"r"}'))


def _two_lengths(wire: Wire, answer: Response) -> None:
    body = _true(answer).body
    wire.send(head(_true(answer), len(body), f"Content-Length: {len(body) - 5}\r\n") + body)
    wire.close()


def _length_nonsense(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), None, "Content-Length: many\r\n") + _true(answer).body)
    wire.close()


def _until_close(wire: Wire, answer: Response) -> None:
    """No length: the end of the connection is the end of the body, so a cut cannot be told from it but by the JSON."""
    body = _true(answer).body
    wire.send(head(_true(answer), None) + body[: len(body) - 3])
    wire.close()


def _huge_body(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), 64 * MIB) + b'{"data":"')
    for _ in range(64):
        wire.send(_MEGABYTE)
    wire.close()


def _huge_claim(wire: Wire, answer: Response) -> None:
    """Ten gigabytes are announced; a client that sets memory aside for them has none left."""
    wire.send(head(_true(answer), 10**10) + b"x" * 1000)
    wire.close()


def _huge_header(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), len(_true(answer).body), f"X-Long: {'x' * 4 * MIB}\r\n") + _true(answer).body)
    wire.close()


def _endless_header(wire: Wire, _answer: Response) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        wire.send(b"X-More: " + b"x" * 4000 + b"\r\n")


def _endless_body(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), None, "Transfer-Encoding: chunked\r\n") + b'9\r\n{"data":"\r\n')
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    while True:
        wire.send(chunk)


def _endless_continue(wire: Wire, _answer: Response) -> None:
    while True:
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
        time.sleep(_BETWEEN_FLOODS)


def _early_hints(wire: Wire, answer: Response) -> None:
    """Interim answers are no answer; the true one follows."""
    wire.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    wire.answer(answer)


@functools.cache
def _bomb() -> bytes:
    """One megabyte of gzip that unpacks to one gigabyte."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)) * 1023


def _gzip_bomb(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), len(_bomb()), "Content-Encoding: gzip\r\n") + _bomb())
    wire.close()


def _gzip(wire: Wire, answer: Response) -> None:
    """A packed answer nobody asked for."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(_true(answer).body) + packer.flush()
    wire.answer(replace(_true(answer), headers={**_true(answer).headers, "content-encoding": "gzip"}, body=packed))


def _slow_header(wire: Wire, answer: Response) -> None:
    wire.drip(head(_true(answer), len(_true(answer).body)) + b"X-Slow: " + b"x" * 1000)


def _slow_body(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), 4000))
    wire.drip(_true(answer).body.ljust(4000))


def _silence(wire: Wire, _answer: Response) -> None:
    wire.silence()


def _headers_then_silence(wire: Wire, answer: Response) -> None:
    wire.send(head(_true(answer), len(_true(answer).body)))
    wire.silence()


@functools.cache
def stranger() -> Stranger:
    """The other host of this process."""
    return Stranger()


def _elsewhere(wire: Wire, _answer: Response) -> None:
    wire.answer(Response(307, {"location": f"http://127.0.0.1:{stranger().port}/v2/alerts"}, b""))


def _to_itself(wire: Wire, _answer: Response) -> None:
    wire.answer(Response(308, {"location": f"http://127.0.0.1:{wire.server.port}/v2/alerts"}, b""))


def _next_elsewhere(wire: Wire, answer: Response) -> None:
    """Whatever the answer links to lies on another host."""
    value = json.loads(answer.body)
    if isinstance(value.get("data"), list):
        value["paging"] = {"next": f"http://127.0.0.1:{stranger().port}/v2/alerts?offset=100"}
    wire.answer(replace(answer, body=json.dumps(value).encode()))


def _with_field(text: bytes) -> Act:
    return _body(lambda body: body.rstrip()[:-1] + b"," + text + b"}")


def _numbers(body: bytes) -> bytes:
    """Every text and list of the data is a number."""
    value = json.loads(body)
    data = value.get("data")
    if isinstance(data, dict):
        value["data"] = {name: 7 if isinstance(part, (str, list, dict)) else part for name, part in data.items()}
    elif isinstance(data, list):
        value["data"] = [7 for _ in data]
    return json.dumps(value).encode()


def _no_request_id(body: bytes) -> bytes:
    """An accepted request with an id that is none, as it would be asked for under another path; a read without its data."""
    value = json.loads(body)
    value.pop("data", None)
    value.pop("result", None)
    value["requestId"] = None
    return json.dumps(value).encode()


_PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>"
_BOTH: tuple[Moment, ...] = ("before", "after")

_ALL = (
    # No request can leave.
    Fault("refused", "unsent", endpoint="deaf"),
    Fault("dns", "unsent", endpoint="unresolved", once=False),
    Fault("wrong_certificate", "unsent", endpoint="untrusted", once=False),
    Fault("plain_http_on_https_port", "unsent", endpoint="plain_on_https", once=False),
    # The connection breaks.
    Fault("accepted_and_closed", "lost", _close, ("accept",)),
    Fault("accepted_and_reset", "lost", _reset, ("accept",)),
    Fault("greeting", "lost", _raw(b"220 mail.example ESMTP\r\n"), ("accept",)),
    Fault("reset_unread", "lost", _reset, ("unread",)),
    Fault("closed_unread", "lost", _close, ("unread",)),
    Fault("reset_in_request", "lost", _reset, ("partial",)),
    Fault("reset_for_answer", "lost", _reset, _BOTH),
    Fault("closed_for_answer", "lost", _close, _BOTH),
    Fault("reset_in_answer", "lost", _reset_during, _BOTH),
    Fault("kept_connection_reset", "lost", _reset, ("unread",), ever=False, reused=True),
    Fault("kept_connection_closed", "fine", _answer_and_close, target="*", once=False),
    # What comes is no answer.
    Fault("half_status_line", "lost", _raw(b"HTTP/1.1 20"), _BOTH),
    Fault("half_headers", "lost", _raw(b"HTTP/1.1 202 Accepted\r\nContent-Ty"), _BOTH),
    Fault("garbage", "lost", _raw(bytes(range(256)) * 4), _BOTH),
    Fault("http_0_9", "lost", _raw(b'{"result":"ok","requestId":"r"}'), _BOTH),
    Fault("status_no_number", "lost", _raw(b"HTTP/1.1 OK 200\r\nContent-Length: 0\r\n\r\n"), _BOTH),
    Fault("status_999", "lost", _says(999, b"{}")),
    Fault("null_in_header", "lost", _raw(b"HTTP/1.1 200 OK\r\nX-A: \x00\x01\r\nContent-Length: 2\r\n\r\n{}")),
    Fault("switching_protocols", "lost", _raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), _BOTH),
    # The answer is cut, or its length is a lie.
    Fault("headers_only", "lost", _cut(0.0)),
    Fault("truncated_body", "lost", _cut(0.6)),
    Fault("truncated_chunk", "lost", _chunked),
    Fault("chunks_without_end", "lost", _chunked_without_end),
    Fault("chunk_size_nonsense", "lost", _chunked_nonsense),
    Fault("length_too_short", "lost", _shorter_length),
    Fault("length_no_number", "lost", _length_nonsense),
    Fault("two_lengths", "lost", _two_lengths),
    Fault("body_cut_at_close", "lost", _until_close),
    Fault("second_answer", "fine", _longer_answer, ever=False),
    Fault("empty_body", "lost", _body(lambda _body: b"")),
    Fault("no_content", "lost", _says(204), _BOTH),
    # The answer is too much.
    Fault("huge_body", "lost", _huge_body, ever=False),
    Fault("huge_length", "lost", _huge_claim),
    Fault("huge_header", "lost", _huge_header),
    Fault("gzip_bomb", "lost", _gzip_bomb),
    Fault("gzip_unasked", "lost", _gzip),
    Fault("endless_body", "lost", _endless_body, ever=False),
    Fault("endless_header", "lost", _endless_header),
    # The answer is late, or never comes.
    Fault("slow_header", "lost", _slow_header, slow=True),
    Fault("slow_body", "lost", _slow_body, slow=True),
    Fault("no_answer", "lost", _silence, _BOTH, slow=True),
    Fault("no_body", "lost", _headers_then_silence, slow=True),
    Fault("continue_for_ever", "lost", _endless_continue, slow=True),
    Fault("interim_answers", "fine", _early_hints),
    # HTTP, but not the service's JSON.
    Fault("half_json", "lost", _body(lambda body: body[: len(body) // 2])),
    Fault("no_utf8", "lost", _with_field(b'"x":"\xff\xfe"')),
    Fault("duplicate_name", "lost", _with_field(b'"requestId":"other"')),
    Fault("not_a_number", "lost", _with_field(b'"x":NaN')),
    Fault("infinity", "lost", _with_field(b'"x":-Infinity')),
    Fault("json_list", "lost", _body(lambda body: b"[" + body + b"]")),
    Fault("json_null", "lost", _body(lambda _body: b"null")),
    Fault("json_text", "lost", _body(lambda _body: b'"ok"'), _BOTH),
    Fault("json_too_deep", "lost", _body(lambda _body: b'{"data":' + b"[" * 200_000)),
    Fault("json_of_another", "lost", _says(200, b'{"status":"ok"}', content_type="application/json"), _BOTH),
    Fault("json_accepted_by_another", "lost", _says(202, b'{"accepted":true}', content_type="application/json"), _BOTH),
    Fault("json_empty_object", "lost", _says(200, b"{}", content_type="application/json"), _BOTH),
    Fault("json_without_data", "lost", _says(200, b'{"data":null,"took":0.1,"requestId":null}', content_type="application/json"), ("before",)),
    Fault("data_empty", "lie", _says(200, b'{"data":{},"requestId":"r"}', content_type="application/json"), ("before",), "*"),
    Fault("data_list", "lie", _says(200, b'{"data":[1,null,[]],"requestId":"r"}', content_type="application/json"), ("before",), "*"),
    Fault("data_text", "lie", _says(200, b'{"data":"x","requestId":"r","paging":{"next":7}}', content_type="application/json"), ("before",), "*"),
    Fault("next_page_elsewhere", "lie", _next_elsewhere, target="*"),
    Fault("data_of_another_type", "lie", _body(_numbers), target="*"),
    Fault("request_id_no_text", "lost", _body(_no_request_id)),
    Fault("web_page", "lost", _says(200, _PAGE, content_type="text/html"), _BOTH),
    # The service, or what stands before it, says no.
    Fault("429_with_headers", "later", _error(429, "Too many requests", x_ratelimit_period_in_sec="2", x_ratelimit_state="THROTTLED"), ("before",)),
    Fault("429_retry_after", "later", _error(429, "Too many requests", retry_after="3"), ("before",)),
    Fault("429_bare", "later", _says(429), ("before",)),
    Fault("429_web_page", "later", _says(429, _PAGE, content_type="text/html"), ("before",)),
    Fault("500", "lost", _error(500, "Internal error"), _BOTH),
    Fault("500_web_page", "lost", _says(500, _PAGE, content_type="text/html"), _BOTH),
    Fault("502", "lost", _says(502, _PAGE, content_type="text/html"), _BOTH),
    Fault("503", "lost", _error(503, "Service unavailable"), _BOTH),
    Fault("503_retry_after", "lost", _error(503, "Service unavailable", retry_after="2"), ("before",)),
    Fault("504", "lost", _says(504), _BOTH),
    Fault("404_web_page", "lost", _says(404, _PAGE, content_type="text/html"), _BOTH),
    Fault("409_web_page", "lost", _says(409, _PAGE, content_type="text/html"), _BOTH),
    Fault("408", "lost", _error(408, "Request timeout"), _BOTH),
    Fault("redirect_elsewhere", "lost", _elsewhere, _BOTH),
    Fault("redirect_to_itself", "lost", _to_itself, ("before",)),
    # What became of an accepted request.
    Fault("processed_as_failed", "failed", emulated="processed_as_failed", ever=False),
    Fault("never_processed", "lost", emulated="never_processed"),
    Fault(
        "status_not_processed", "lost",
        _error(404, "Request not processed", x_opsgenie_errortype="RequestNotProcessed"), ("before",), "request_status", once=False,
    ),
    Fault("status_not_processed_yet", "fine", _error(404, "Request not processed", x_opsgenie_errortype="RequestNotProcessed"), ("before",), "request_status", ever=False),
    Fault("status_not_found", "lost", _error(404, "Not found"), ("before",), "request_status"),
    Fault("status_reset", "fine", _reset, ("after",), "request_status", ever=False),
    Fault("status_half_json", "fine", _body(lambda body: body[: len(body) // 2]), ("after",), "request_status", ever=False),
    Fault("status_500", "fine", _error(500, "Internal error"), ("before",), "request_status", ever=False),
    Fault("status_429", "fine", _error(429, "Too many requests"), ("before",), "request_status", ever=False),
    Fault("status_web_page", "lost", _says(200, _PAGE, content_type="text/html"), ("before",), "request_status", once=False),
    Fault("status_of_another", "lost", _says(200, b'{"data":{"status":"ok"},"requestId":"r"}', content_type="application/json"), ("before",), "request_status", once=False),
    Fault("status_no_answer", "lost", _silence, ("before",), "request_status", once=False, slow=True),
)  # fmt: skip

FAULTS = {fault.name: fault for fault in sorted(_ALL, key=lambda fault: fault.name)}
"""By name."""
_WEATHER = [
    Strike(fault.act, moment, "*", 1, fault.reused)
    for fault in FAULTS.values()
    for moment in fault.moments
    if fault.act
    and fault.fate in ("lost", "later")
    and fault.target == "call"
    and not fault.slow
    and moment != "accept"
    and "huge" not in fault.name
]
STORMS = {f"storm_{seed:02}": Fault(f"storm_{seed:02}", "storm", ever=False, moments=("before",)) for seed in range(20)}
"""Runs through up to eight faults, one after the other."""


def strikes_of(fault: Fault, moment: Moment, target: str, times: int) -> Strikes | None:
    """What strikes in a cell."""
    if fault.fate == "storm":
        return Storm(_WEATHER, 8, seed=int(fault.name.removeprefix("storm_")))
    return Repeated(Strike(fault.act, moment, target, times, fault.reused)) if fault.act else None
