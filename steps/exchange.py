"""Requests and responses as plain values: what transports send, and what the emulator answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.errors import AnswerLost
from engine.secret import Secret


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        url: absolute, with its query; carries no secret.
        headers: values may be secrets, revealed only as they go on the wire.
        secret_prefix: put before a secret header's value, such as `GenieKey `.
        fresh: over a new connection, and the kept ones are given up: one of them was spoilt, or must not spoil this request.
    """

    method: str
    url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    body: bytes | None = None
    secret_prefix: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One whole HTTP response; header names in lower case.

    Attributes:
        kept: it came over a connection that had served requests before, so that it may be a late second answer to one of them.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    kept: bool = False


class AnswerLate(AnswerLost):
    """The answer is lost because the call's whole time ran out: at once once more would take as long."""


class Spoilt(AnswerLost):
    """The answer is lost over a connection that had served requests before: a fresh one may bring it."""


class Transport(Protocol):
    """Sends one request and brings its whole response, or says what became of it."""

    def send(self, request: Request, *, timeout: float) -> Response:
        """One request, one response, within `timeout` seconds in all.

        Raises Unreachable when no byte left (name, connection, TLS; `again` is "maybe" when that took all the time), AnswerLost when
        bytes may have left and no whole, well-formed answer came back: AnswerLate when it did not in time, Spoilt when the connection
        was a kept one.
        """

    def close(self) -> None:
        """Gives its sockets back."""
