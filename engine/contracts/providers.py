"""Families of steps, and the connections they go over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from engine.contracts.schemas import Schema
from engine.contracts.steps import Clock, Need, Step
from engine.secret import Credential


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider needs to open a connection.

    Attributes:
        credential: a reference → its Credential, the same for all connections of a run.
        shared: what the connections of one run have in common, such as the emulator; a provider puts it there.
        emulate: use the embedded emulator instead of the network; `emulator_state` seeds it and `emulator_journal` keeps what it was told.
    """

    clock: Clock
    credential: Callable[[str], Credential]
    emulate: bool = False
    emulator_state: Mapping[str, Any] | None = None
    emulator_journal: Path | None = None
    emulator_faults: str | None = None
    shared: dict[str, Any] = field(default_factory=dict)


class Connection(Protocol):
    """An opened connection, as far as the engine uses it; steps use more."""

    def ready(self, need: Need) -> None:
        """Whether the key for a need is there and can be read. Raises KeyProblem; sends nothing."""

    def key_reference(self, need: Need) -> str | None:
        """The reference of the key that a call with this need goes with, or None when no key may make it."""

    def close(self) -> None:
        """Gives its sockets back."""


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What reads alone found out about one key of a connection.

    Attributes:
        kind, reference, team: as the configuration has it.
        rights: right → whether the key has it; None where only a write would show.
        problem: why it does not do what the configuration says, or None; `hint` says what to do.
        notes: what else people should know of it.
        exit_status: 0, 4 (the key) or 5 (no answer).
    """

    kind: str
    reference: str
    team: str | None = None
    rights: Mapping[str, bool | None] = field(default_factory=dict)
    problem: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    exit_status: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionStanding:
    """What reads alone found out about a connection.

    Attributes:
        address: scheme and host; `region` is None where the address is the user's own.
        reachable: whether the service answered; None when nothing was sent, since no key can be read.
        account, plan: as the service tells them; None when no key may read them.
        lacks: what the plan does not have, as far as it matters here.
        limits: rate-limit domain → `{limit, periodInSeconds}`; empty when no key may read them.
        throttled: domains that are held back at this moment.
        ends: the last day of the service's API, or None.
        ahead: seconds the service's clock is ahead of this machine's, or None.
    """

    name: str
    service: str
    address: str
    region: str | None = None
    reachable: bool | None = None
    account: str | None = None
    plan: str | None = None
    lacks: str | None = None
    keys: tuple[KeyStanding, ...] = ()
    limits: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)
    throttled: tuple[str, ...] = ()
    ends: date | None = None
    ahead: float | None = None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What a set of needs asks of one key, and what it was granted beyond that.

    Attributes:
        used: which of the needs go with it, counted from 0.
        needed: rights those needs ask of it.
        granted: rights the configuration says it has; None when it does not say, which counts as all.
        beyond: rights it has and nothing asks for.
        weaker: a less privileged kind of key that would do, or None.
        narrow: where in the vendor's menus its rights are changed.
    """

    kind: str
    reference: str
    team: str | None
    used: tuple[int, ...]
    needed: tuple[str, ...]
    granted: tuple[str, ...] | None
    beyond: tuple[str, ...]
    weaker: str | None
    narrow: str


class Provider(Protocol):
    """A family of steps, found by the prefix of their names.

    Attributes:
        settings_schema: schema of one connection in the configuration; empty for a provider without connections.
        notices: which of its steps serve the end of a run: the one behind `heartbeat` takes a heartbeat's `name`, the one behind `alert`
            the fields of an alert, with an `alias` by which alerts are told apart.
    """

    settings_schema: Schema
    notices: Mapping[str, str]

    def steps(self) -> Mapping[str, Step]:
        """Every step by its full name."""

    def connect(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Connection:
        """Opens the connection `name`; sends nothing and resolves no secret yet."""

    def key_findings(self, settings: Mapping[str, Any], need: Need) -> str | None:
        """Why no key of the connection can meet the need, or None; with nothing sent and no secret resolved."""

    def commands(self) -> Sequence[Any]:
        """Click commands the provider adds to the command line."""


class Vendor(Provider, Protocol):
    """A provider whose steps go over connections to a service."""

    def standing(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> ConnectionStanding:
        """Tries a connection and each of its keys, by reads alone; never raises for what it finds."""

    def key_usage(self, settings: Mapping[str, Any], needs: Sequence[Need]) -> Sequence[KeyUsage]:
        """What these needs ask of each key of the connection, and what it may beyond that; nothing is sent, no secret read."""
