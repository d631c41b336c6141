"""The runbook as frozen values, each with its path in the file it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
"""Where a value stands in its file: keys and indexes from the root."""

SECRET_NAME: Mapping[str, Any] = {
    "type": "string",
    "pattern": "^[A-Za-z][A-Za-z0-9_]*$",
    "maxLength": 100,
    "x-rule": "write at most 100 letters, digits and _, a letter first",
}
"""What a secret may be called, in runbooks and in the configuration."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and how far apart, a failed attempt is made again; times in seconds."""

    attempts: int
    delay: float
    backoff: str
    max_delay: float
    jitter: bool
    condition: str | None


@dataclass(frozen=True, slots=True)
class Until:
    """Poll until a condition holds."""

    condition: str
    every: str
    timeout: str
    on_timeout: str


@dataclass(frozen=True, slots=True)
class ForEach:
    """One execution an item."""

    items: Any
    name: str
    key: str | None
    max_parallel: int
    fail_fast: bool


@dataclass(frozen=True, slots=True)
class Uses:
    """One operation, and what it is given as written.

    Attributes:
        clips: whether text that is longer than the operation takes is cut short rather than refused.
    """

    name: str
    given: Mapping[str, Any]
    clips: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Steps together, with what to do on failure, and always."""

    steps: tuple[Step, ...]
    rescue: tuple[Step, ...]
    always: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A durable sleep: for a time, or until one; templates as written."""

    duration: Any = None
    until: Any = None


@dataclass(frozen=True, slots=True)
class Return:
    """Ends the run well, with these outputs."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fail:
    """Ends the run badly, with this message."""

    message: Any


Body = Uses | Block | Wait | Return | Fail


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        id: given by the author, or made from the place.
        named: whether the author gave the id.
        kind: the key that says what the step is (`uses`, `block`, `wait`, `return`, `fail`).
        condition, expect: bare expressions.
        timeout: seconds one attempt may take, or a template for them; None takes the runbook's default.
    """

    id: str
    named: bool
    path: Path
    kind: str
    body: Body
    name: str | None = None
    condition: str | None = None
    timeout: Any = None
    retry: Retry | None = None
    until: Until | None = None
    for_each: ForEach | None = None
    expect: tuple[str, ...] = ()
    continue_on_error: bool = False
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Must hold before the first step."""

    condition: str | None
    that: str
    message: Any


@dataclass(frozen=True, slots=True)
class Concurrency:
    """Runs of one group do not overlap."""

    group: Any
    on_conflict: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a runbook runs by itself.

    Attributes:
        name: cron text and time zone; ` #2` behind that of the second that says the same.
        missed: what becomes of a moment at which the machine was off: `skip` or `run_once`.
        max_lateness: seconds after which a missed moment is not caught up any more; None for never too late.
        jitter: seconds within which each machine begins at a time of its own.
    """

    name: str
    cron: str
    timezone: str
    inputs: Mapping[str, Any]
    missed: str
    max_lateness: float | None
    jitter: float


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook.

    Attributes:
        secrets: names that the configuration has a reference for.
        inputs, outputs: JSON Schemas by name; an output's template is under `value`.
        timeout: of the whole run, as written, or None.
        default_timeout: seconds one attempt of a step may take.
        default_retry: what steps without `retry` do; None keeps to the engine's own care for calls that are safe to repeat.
        sha256: of the file's text.
        on_success, on_failure: what the end of a run tells a service, as written; None keeps to the configuration. See language.notices.
    """

    file: str
    text: str
    sha256: str
    name: str
    description: str = ""
    owners: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    concurrency: Concurrency | None = None
    timeout: str | None = None
    default_timeout: float = 30.0
    default_retry: Retry | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    finally_: tuple[Step, ...] = ()
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on_success: Mapping[str, Any] | None = None
    on_failure: Mapping[str, Any] | None = None

    def every_step(self) -> Iterator[Step]:
        """Each step in the order it is written, those inside blocks included."""
        yield from walk(self.steps)
        yield from walk(self.finally_)


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Each step and, after a block, the steps inside it."""
    for step in steps:
        yield step
        if isinstance(step.body, Block):
            yield from walk(step.body.steps)
            yield from walk(step.body.rescue)
            yield from walk(step.body.always)
