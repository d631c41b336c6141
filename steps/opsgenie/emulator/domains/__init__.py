"""Behaviour of the service, one file a domain; a behaviour is found by its request with the path's fields left blank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from steps.operation import Operation
from steps.opsgenie.emulator.call import Answering, Call, Working
from steps.opsgenie.emulator.domains import (
    account,
    alert_reads,
    alerts,
    attachments,
    contacts,
    heartbeats,
    incidents,
    on_calls,
    overrides,
    requests,
    roles,
    rotations,
    saved_searches,
    schedules,
    teams,
    users,
)

DOMAINS: dict[str, ModuleType] = {
    "account": account,
    "alert_reads": alert_reads,
    "alerts": alerts,
    "attachments": attachments,
    "contacts": contacts,
    "heartbeats": heartbeats,
    "incidents": incidents,
    "on_calls": on_calls,
    "overrides": overrides,
    "requests": requests,
    "roles": roles,
    "rotations": rotations,
    "saved_searches": saved_searches,
    "schedules": schedules,
    "teams": teams,
    "users": users,
}


def _tables(name: str) -> Iterator[tuple[str, Any]]:
    for domain in DOMAINS.values():
        yield from getattr(domain, name, {}).items()


ANSWERS: Mapping[str, Answering] = dict(_tables("ANSWERS"))
"""How synchronous operations are carried out."""

WORK: Mapping[str, Working] = dict(_tables("WORK"))
"""How accepted requests are processed."""

FORMS: Mapping[str, Callable[[Call], None]] = dict(_tables("FORMS"))
"""What is checked at once beyond the row's form. Each raises ApiError."""

ROWS: tuple[Operation, ...] = heartbeats.ROWS
"""Operations that the emulator has beyond those that are steps."""
