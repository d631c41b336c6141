"""A request as the service reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from engine.secret import Secret
from steps.exchange import Request
from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.domains import FORMS
from steps.opsgenie.emulator.forms import body_of, check, query_of
from steps.opsgenie.emulator.keys import EmulatorKey
from steps.opsgenie.emulator.multipart import Upload, parts
from steps.opsgenie.emulator.routes import Route
from steps.opsgenie.emulator.store import Store


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request.

    Attributes:
        path: still percent-encoded, without the query.
        url: absolute, as the client wrote it; the addresses of further pages are made from it.
        authorization: the header, None when it is missing.
    """

    method: str
    path: str
    query: str
    url: str
    content_type: str
    authorization: str | None
    body: bytes

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


def incoming(request: Request, base_url: str) -> Incoming:
    """Reads a request; a url without a host is taken to be below `base_url`."""
    url = urljoin(base_url, request.url)
    split = urlsplit(url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Incoming(
        request.method.upper(),
        split.path or "/",
        split.query,
        url,
        _plain(headers.get("content-type"), "") or "",
        _plain(headers.get("authorization"), request.secret_prefix),
        request.body or b"",
    )


def _plain(value: str | Secret | None, prefix: str) -> str | None:
    return prefix + value.reveal() if isinstance(value, Secret) else value


@dataclass(frozen=True, slots=True)
class Desk:
    """Makes calls of requests: what every call is given besides the request."""

    store: Store
    limits: Mapping[str, Any]

    def call(self, request: Incoming, route: Route, ids: tuple[str, ...], key: EmulatorKey, now: datetime) -> Call:
        """The call a request makes, its form checked. Raises ApiError."""
        row = route.row
        body: Mapping[str, Any]
        files: Mapping[str, Upload] = {}
        if row.form:
            body, files = parts(request.content_type, request.body)
        else:
            body = body_of(request.body) if row.method not in ("GET", "DELETE") else {}
        query = query_of(request.query, row)
        check(row, query, body)
        call = Call(self.store, now, row, ids, query, body, files, key, None, request.url, self.limits)
        if form := FORMS.get(route.shape):
            form(call)
        return call
