"""What a step is, and all it sees of the world: its context, its calls and their replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from engine.contracts.schemas import Schema
from engine.secret import Credential, Secret, SecretName

Effect = Literal["read", "write"]


class Clock(Protocol):
    """Time, real or virtual."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Waits; on a virtual clock, time passes at once. Raises Interrupted when a signal says stop."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The key a call goes with, as far as it may be told."""

    kind: str
    reference: str
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One thing a step does to the world, told before it is done.

    Attributes:
        action: step name (`opsgenie.alert.create`), or what the call is for (`opsgenie.alert.request_status`).
        effect: a read may be repeated at will; a write is synced to disk before it leaves.
        method, url: of an HTTP request; None for other actions. The url carries no secret.
        path: the path template (`/v2/alerts/{identifier}`).
        ids: values of the path template, and the name that the body gives to what it makes.
        body: the JSON body, exactly as it would be sent.
        key: the key it goes with.
        domain: rate-limit domain.
        detail: what else the audit log and the plan should say (`{"argv": [...]}`).
    """

    action: str
    effect: Effect
    method: str | None = None
    url: str | None = None
    path: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    key: KeyUse | None = None
    domain: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back of a call: plain values only, so that it can be journalled and replayed.

    Attributes:
        value: decoded JSON body, or the action's result.
        status: HTTP status; None for other actions.
        headers: the answer's headers in lower case that later decisions need.
        names: what the thing it is about is called (`{"alertId": …, "alias": …}`), for the audit log.
        secrets: keys that stood in the answer, where `value` has `***`; made known to redaction first of all.
    """

    value: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()


class Values(Protocol):
    """What a runbook keeps for its next run. A step uses it inside a call, so that it is journalled."""

    def get(self, name: str) -> Mapping[str, Any] | None:
        """`{value, set_at}`, or None when nothing was kept under the name. Raises as `set`."""

    def set(self, name: str, value: Any, at: datetime) -> str:
        """Keeps a value under a name; `set_at` of it.

        Raises:
            StepError: the value is no JSON, too large, or holds a secret.
            AuditUnwritable: the state folder cannot be read or written.
        """


class StepContext(Protocol):
    """What one attempt of one step may use.

    Attributes:
        identity: stable over retries and resumes, unique over steps, loop items and runs: `<runbook>/<run>/<step>[/<item>]`.
            Aliases and markers are derived from it.
        timeout: seconds one attempt may take once it is sent.
        planning: True in a dry run: writes are recorded and not sent, and their replies are unknown.
        folder: the run's own output folder.
        settings: the configuration, without connections.
    """

    runbook: str
    run: str
    step: str
    item: str | None
    attempt: int
    identity: str
    timeout: float
    planning: bool
    clock: Clock
    folder: Path
    settings: Mapping[str, Any]

    @property
    def values(self) -> Values:
        """What the runbook keeps for its next run."""

    def connection(self) -> Any:
        """The provider's opened connection for this step. Raises KeyProblem when there is none."""

    def credential(self, named: SecretName) -> Credential:
        """The secret of a field that holds a name of one. Raises KeyProblem when the name has no reference; asks no source."""

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply | None:
        """Does `send` once, with its intent on disk before and its result after.

        Returns the recorded reply, without sending, when the journal has it (resume). Returns None when planning and the call
        was not made. Raises AnswerLost, without sending, when the journal holds the intent and no result.
        """

    def goes_on(self) -> bool:
        """After a call that the journal answered: whether this attempt made another, or was stopped before it could."""

    def unknown(self, schema: Schema, name: str = "") -> Any:
        """A typed placeholder for a value that only a real run would know; for planning."""

    def log(self, message: str, level: str = "info") -> None:
        """Tells people something."""


class Deferred(Protocol):
    """A part of `with` that is rendered by the step, once it knows the names it binds."""

    def resolve(self, **names: Any) -> Any:
        """The rendered value, expressions as True or False. Raises StepError."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step asks of a connection's keys."""

    kinds: tuple[str, ...]
    right: str


class Step(Protocol):
    """One kind of step: `uses: <name>`."""

    @property
    def name(self) -> str:
        """`provider.entity.verb`."""

    @property
    def summary(self) -> str:
        """One sentence."""

    @property
    def effect(self) -> Effect:
        """Whether it can change anything."""

    @property
    def inputs(self) -> Schema:
        """Schema of `with` as sent: every value rendered."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it asks of the connection's keys; empty for steps that use no connection."""

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Schema of the outputs, given `with` as written."""

    def listing(self) -> Mapping[str, Any]:
        """The row of `steps list --json`."""

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Does it and returns the outputs. Raises StepError."""
