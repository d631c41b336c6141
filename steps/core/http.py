"""`core.http`: asks any HTTP service that the configuration allows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from engine.contracts import Call, Effect, Reply, Schema, StepContext
from engine.errors import AnswerLost, InDoubt, Refused, StepError, Throttled, Unreachable
from engine.secret import Secret
from steps import authorization
from steps.authorization import Authorization
from steps.exchange import AnswerLate, Request, Response, Transport
from steps.fields import anything, exclusive, integer, list_of, map_of, one_of, record, text
from steps.parsing import Parse, check_schema, data_schema, parse, printable
from steps.step import BaseStep, known

_READS = ("GET", "HEAD")
_REPEATABLE = (*_READS, "PUT", "DELETE")
_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\Z", re.IGNORECASE)
_URL = re.compile(r"[!-\[\]-~]+\Z")
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
_CREDENTIALS = {"authorization", "proxy-authorization", "cookie"}
_MEDIA_TYPES = {"json": "application/json", "body": "text/plain; charset=utf-8"}


def _open_transport() -> Transport:
    from steps.transport import HttpTransport

    return HttpTransport()


class Http(BaseStep):
    """Sends one HTTP request to an origin listed in `http.allow` (`https://grafana.example.com`); redirects are not followed.

    Scheme, host and port must be those of an entry; plain http is sent only where an entry says http. Who asks is told by `auth`, with a
    secret of the configuration; headers with credentials are refused, since they would stand in the run's records in the clear. A secret
    goes over plain http to this machine only. When it is refused with 401 it is asked for again once, and sent again when it has changed.

    Outputs: `status`, `headers` (names in lower case, cookies left out), `text` and `data`: the text as `parse` says (unless given, JSON
    when the answer says it is JSON, else text), checked against `outputs`. A status outside `expect_status` (2xx unless given) fails
    the step.

    When no answer comes back: GET, HEAD, PUT and DELETE are sent once more, since twice is the same as once, and may be retried; POST
    and PATCH are in doubt. A server's error on POST or PATCH is in doubt too, unless `expect_status` names it.

    Args:
        open_transport: makes what the request is sent with.
    """

    name = "core.http"
    summary = "Sends one HTTP request to a service that the configuration allows."
    effect: Effect = "write"
    idempotency = "once"
    inputs: Schema = record(
        required=("method", "url"),
        method=one_of(*_REPEATABLE, "POST", "PATCH"),
        url=text(min_length=1, max_length=8192),
        auth=authorization.SCHEMA,
        headers=map_of(text(pattern=r"^[\t -~]*$")) | {"propertyNames": {"pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}},
        query=map_of({"type": ["string", "number", "boolean", "array"], "items": {"type": ["string", "number", "boolean"]}}),
        json=anything(),
        body=text(),
        parse=one_of("json", "lines", "text"),
        outputs={"type": "object", "x-literal": True},
        expect_status=list_of(integer(100, 599), min_items=1),
    ) | {"allOf": [exclusive("json", "body")]}

    def __init__(self, open_transport: Callable[[], Transport] = _open_transport) -> None:
        self._open_transport = open_transport

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Status, headers, the text, and the data in it."""
        fields = {"status": integer(100, 599), "headers": map_of(text()), "text": text(), "data": dict(data_schema(written, None))}
        return record(required=tuple(fields), **fields)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Sends it. Raises StepError."""
        check_schema(given.get("outputs"))
        if context.planning and not known(given):
            return self._plan(given, context)
        request = _request(given)
        _check_allowed(request.url, context.settings)
        login = authorization.authorization(given.get("auth"), request.url, context)
        call = Call(self.name, _effect(given), method=request.method, url=request.url, body=given.get("json", given.get("body")))
        deadline = context.clock.monotonic() + context.timeout
        reply, again = _call(call, lambda: self._ask(call, request, login, context, deadline), context, deadline)
        if reply is None:
            return self.unknown_outputs(given, context)
        _check_status(given, reply, login, again=again)
        return _outputs(given, reply)

    def _plan(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Shows a request of which only a real run knows some part; a method that is not known may write."""
        if known(given["url"]):
            _check_allowed(given["url"], context.settings)
        login = authorization.authorization(given.get("auth"), str(given["url"]), context)
        fields = {"url": str(given["url"]), "query": given["query"] if isinstance(given.get("query"), Mapping) else {}}
        call = Call(
            self.name,
            _effect(given) if known(given["method"]) else "write",
            method=str(given["method"]),
            url=_url(fields),
            body=given.get("json", given.get("body")),
            key=login.use(sealed=True) if login else None,
            detail={name: value for name, value in given.items() if name not in ("url", "json", "body") and not known(value)},
        )
        context.call(call, Reply)
        return self.unknown_outputs(given, context)

    def _ask(self, call: Call, request: Request, login: Authorization | None, context: StepContext, deadline: float) -> Reply | None:
        """The request; with a secret, once more when that was refused and has changed."""

        def left() -> float:
            return deadline - context.clock.monotonic()

        if login is None:
            return context.call(call, lambda: self._send(request, left()))

        def once(sent: list[Secret]) -> Reply | None:
            def send() -> Reply:
                sent.append(login.credential.secret())
                return self._send(login.signed(request, sent[-1]), left())

            return context.call(replace(call, key=login.use(sealed=context.planning)), send)

        return authorization.renewing(login.credential, once, context)

    def _send(self, request: Request, timeout: float) -> Reply:
        transport = self._open_transport()
        try:
            response = transport.send(request, timeout=timeout)
        finally:
            transport.close()
        headers = {name: value for name, value in response.headers.items() if name not in ("set-cookie", "set-cookie2")}
        return Reply(_text(response), response.status, headers)


def _effect(given: Mapping[str, Any]) -> Effect:
    return "read" if given["method"] in _READS else "write"


def _call(call: Call, ask: Callable[[], Reply | None], context: StepContext, deadline: float) -> tuple[Reply | None, bool]:
    """The reply, and whether the request may have been sent twice for it."""
    try:
        return ask(), False
    except AnswerLost as lost:
        if call.method not in _REPEATABLE or context.clock.monotonic() >= deadline:
            raise _lost(call, lost) from lost
    try:
        return ask(), True
    except AnswerLost as lost:
        raise _lost(call, lost) from lost


def _lost(call: Call, lost: AnswerLost) -> StepError:
    """What a request is that found no answer, once it will not be sent again in this attempt."""
    if call.effect == "read":
        again: Literal["maybe", "safe"] = "maybe" if isinstance(lost, AnswerLate) else "safe"
        return Unreachable(f"{call.method} {urlsplit(call.url or '').netloc}: {lost.message}", again=again)
    if call.method not in _REPEATABLE:
        return _doubt(call.method, lost.message)
    error: StepError = AnswerLost(lost.message, since=lost.since)
    error.again = "safe"
    return error


def _doubt(method: Any, what: str) -> InDoubt:
    return InDoubt(f"whether the {method} was carried out is not known: {what}", hint="look at the service before sending it again")


def _request(given: Mapping[str, Any]) -> Request:
    try:
        return _build(given)
    except ValueError as exc:
        raise StepError("the request holds text that is not valid Unicode, or no JSON number", code="invalid_input", again="never") from exc


def _build(given: Mapping[str, Any]) -> Request:
    headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
    for name in headers:
        _check_header(name)
    _check_own_header(given.get("auth", {}).get("header"), headers)
    kind = next((kind for kind in _MEDIA_TYPES if kind in given), None)
    body = None
    if kind is not None:
        headers.setdefault("content-type", _MEDIA_TYPES[kind])
        content = json.dumps(given["json"], ensure_ascii=False, allow_nan=False) if kind == "json" else given["body"]
        body = content.encode()
    elif given["method"] in ("POST", "PUT", "PATCH"):
        body = b""
    headers.setdefault("user-agent", "opsbook")
    return Request(given["method"], _url(given), headers, body)


def _check_header(name: str) -> None:
    if name in _CREDENTIALS:
        raise StepError(
            f"the header {name} may not be given: a credential here would stand in the records of the run",
            code="header_refused",
            again="never",
            hint='give it by auth, such as auth: {bearer: "{{ secrets.NAME }}"}',
        )
    if name in _OURS:
        raise StepError(f"the header {name} is set by the transport", code="header_refused", again="never", hint="leave it out")


def _check_own_header(own: Mapping[str, Any] | None, headers: Mapping[str, str]) -> None:
    """The header that `auth` names may be one that `headers` may not hold, but not one that stands there or is the transport's."""
    if own is not None and own["name"].lower() in {*headers, *_OURS}:
        raise StepError("the header that auth names is set already", code="header_refused", again="never", hint="leave one of them out")


def _url(given: Mapping[str, Any]) -> str:
    pairs = {name: _query_value(value) for name, value in given.get("query", {}).items()}
    if not pairs:
        return str(given["url"])
    return f"{given['url']}{'&' if '?' in given['url'] else '?'}{urlencode(pairs, doseq=True)}"


def _query_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_query_value(item) for item in value]
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _check_allowed(url: str, settings: Mapping[str, Any]) -> None:
    """Refuses a URL whose origin is not listed, or that two readers could read differently. Raises StepError."""
    origin = _origin(url)
    allowed = settings.get("http", {}).get("allow", ())
    if origin is None:
        raise StepError(
            "the url is not an absolute http or https URL of plain ASCII, without user name, fragment, and `.` or `..` in its path",
            code="url_refused",
            again="never",
            hint="write it like https://grafana.example.com/api/health",
        )
    if origin not in map(_origin, allowed):
        scheme, host, port = origin
        raise StepError(
            f"requests to {scheme}://{host}:{port} are not allowed",
            code="host_refused",
            again="never",
            hint="list the origin under `http.allow` in the configuration",
        )


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None for what is no plain URL."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    dotted = any(unquote(part) in (".", "..") for part in parts.path.split("/"))  # tidied up on the way, it would be another address
    plain = _URL.match(url) and "#" not in url and _AUTHORITY.match(parts.netloc) and not dotted
    if not plain or parts.scheme not in _PORTS or parts.hostname is None:
        return None
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port


def _text(response: Response) -> str:
    named = re.search(r'charset="?([\w.-]+)', response.headers.get("content-type", ""))
    try:
        return response.body.decode(named[1] if named else "utf-8", errors="replace")
    except LookupError:
        return response.body.decode(errors="replace")


def _check_status(given: Mapping[str, Any], reply: Reply, login: Authorization | None, *, again: bool) -> None:
    """Raises the error that an answer with this status is; a DELETE that was sent twice may find nothing left."""
    status = reply.status or 0
    gone = again and given["method"] == "DELETE" and status == 404
    if gone or (status in given["expect_status"] if "expect_status" in given else 200 <= status < 300):
        return
    if status == 401 and login is not None:
        raise login.refused(status)
    said = printable(reply.value, 200)
    message = f"the service answered {status}" + (f": {said}" if said else "")
    if status == 403 and login is not None:
        raise login.not_allowed(message)
    if status == 429:
        raise Throttled(message, status=status, retry_after=_retry_after(reply))
    if 400 <= status < 500:
        raise Refused(message, status=status)
    if status < 400:
        raise StepError(
            message, code="unexpected_status", status=status, again="never", hint="redirects are not followed; give the final address"
        )
    if given["method"] not in _REPEATABLE:
        raise _doubt(given["method"], message)
    raise Unreachable(message, code="server_error", status=status, retry_after=_retry_after(reply))


def _retry_after(reply: Reply) -> float | None:
    value = reply.headers.get("retry-after", "")
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _outputs(given: Mapping[str, Any], reply: Reply) -> Mapping[str, Any]:
    is_json = re.match(r"application/([\w.-]+\+)?json\b", reply.headers.get("content-type", ""), re.IGNORECASE)
    how: Parse = given.get("parse") or ("json" if is_json and reply.value else "text")
    data = parse(reply.value, how, given.get("outputs"))
    return {"status": reply.status, "headers": dict(reply.headers), "text": reply.value, "data": data}
