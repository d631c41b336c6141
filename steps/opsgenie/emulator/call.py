"""One call of an operation, and what a behaviour answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from steps.operation import Operation
from steps.opsgenie.emulator.keys import EmulatorKey
from steps.opsgenie.emulator.multipart import Upload
from steps.opsgenie.emulator.store import Store


@dataclass(frozen=True, slots=True)
class Call:
    """One call, its form already checked.

    Attributes:
        now: when it came in.
        ids: values of the path template, in order.
        key: the key it came with; None when a person acts through the user interface.
        person: who acts, where no key does.
        url: absolute, as the client wrote it.
        limits: domain → limits, as the service tells them.
    """

    store: Store
    now: datetime
    row: Operation
    ids: tuple[str, ...] = ()
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    key: EmulatorKey | None = None
    person: str | None = None
    url: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Whose name logs and notes carry: the request's `user`, the person, or the integration."""
        given = self.body.get("user") or self.query.get("user")
        return str(given or self.person or "Alert API")

    @property
    def given(self) -> Mapping[str, Any]:
        """Body and query fields together: deletes carry in the query what others carry in the body."""
        return {**self.query, **self.body}

    @property
    def integration(self) -> str:
        """Id of the integration that acts; empty for a person."""
        return self.key.integration if self.key else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a synchronous call is answered: fields of the JSON body, besides `took` and `requestId`, or a calendar file."""

    body: Mapping[str, Any]
    status: int = 200
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an accepted request came to: the `status` text of its request status, and the entity's ids (`alertId`, `alias`)."""

    status: str
    ids: Mapping[str, str]


Answering = Callable[[Call], Answer]
"""Carries out a synchronous operation. Raises ApiError."""

Working = Callable[[Call], Done]
"""Carries out an accepted request when its time has come. Raises ProcessingError."""
