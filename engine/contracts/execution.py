"""How a runbook is carried out: a backend's primitives, the executor, constructs and modifiers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from engine.contracts.schemas import Schema
from engine.model import Body, Retry
from engine.model import Path as DocumentPath
from engine.model import Step as RunbookStep
from engine.scope import Scope


@dataclass(frozen=True, slots=True)
class Action:
    """One attempt of one step, as plain values.

    Attributes:
        key: the step's place in the run: `create`, `notify[ana]`, `wait_ack#3` for the third poll.
        given: `with`, rendered.
    """

    key: str
    step: str
    item: str | None
    attempt: int
    uses: str
    given: Mapping[str, Any]
    connection: str | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action came to: outputs, or the error."""

    outputs: Mapping[str, Any] | None
    error: Exception | None = None


class Backend(Protocol):
    """Where a run happens: the executor's only door to the world. Keys name places in the runbook, never moments."""

    def random(self, key: str) -> float:
        """A number in [0, 1) for jitter; in one run the same for the same key."""

    def begun(self, key: str) -> bool:
        """Whether an earlier process of this run began the step of this key, or a run before had done it."""

    def wind_down(self) -> None:
        """The run was cancelled: from now on only `finally` runs, for a limited time."""

    def shield(self) -> None:
        """`finally` begins: a request to cancel no longer stops at once, but gives a time of grace."""

    def heed(self) -> bool:
        """Whether the run is to end as cancelled. Raises Interrupted when it is to stop now."""

    async def perform(self, action: Action) -> Outcome:
        """Does the action once; a resumed run gets the remembered outcome."""

    async def moment(self, key: str) -> datetime:
        """The present moment, remembered under `key`."""

    async def sleep_until(self, key: str, until: datetime) -> None:
        """Waits until a moment, which is remembered under `key`: a resumed run keeps it."""

    async def side_by_side(self, children: Iterable[Callable[[], Coroutine[Any, Any, Any]]], limit: int) -> list[Any]:
        """Runs the children, `limit` at a time, and returns their results in order."""

    def tell(self, event: str, key: str, **fields: Any) -> None:
        """Writes an event that has no effect of its own (skipped, ended) to the audit log, once for each key."""


class Runner(Protocol):
    """The executor, as a construct sees it."""

    backend: Backend
    default_retry: Retry | None

    def holds(self, condition: str, names: Mapping[str, Any]) -> bool | None:
        """Whether an expression holds; None when planning and it depends on what only a real run would know."""

    async def sequence(self, steps: Sequence[RunbookStep], scope: Scope) -> None:
        """Carries steps out in order. Raises StepFailed at the first that fails."""

    async def attempt(self, step: RunbookStep, scope: Scope, attempt: int, poll: int) -> Mapping[str, Any]:
        """One attempt of a `uses` step."""

    async def limited(self, step: RunbookStep, scope: Scope, attempt: int, poll: int) -> Scope:
        """The scope of one attempt of a step that has a time limit of its own, without being one operation."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part of a step that holds templates or an expression, for the static checks.

    Attributes:
        value: as written.
        path: where it stands, below the step.
        expression: whether it is a bare expression.
        schema: what the rendered value must be, where that is known.
    """

    value: Any
    path: DocumentPath
    expression: bool = False
    schema: Schema | None = None


class Construct(Protocol):
    """One kind of step; a module of engine/control."""

    PROPERTIES: Mapping[str, Any]
    """Schema of the step's own keys; the first names the kind."""

    def read(self, raw: Mapping[str, Any], nested: Callable[[str], tuple[RunbookStep, ...]]) -> Body:
        """The body of a step; `nested` reads the steps under one of its keys."""

    def written(self, body: Any) -> Sequence[Written]:
        """Every part with templates, apart from nested steps."""

    async def carry_out(self, step: RunbookStep, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
        """Does it once and returns the outputs. Raises StepError."""


class Modifier(Protocol):
    """One thing put around a step; a module of engine/modifiers."""

    PROPERTIES: Mapping[str, Any]
    """Schema of its keys; the first names it."""

    def read(self, raw: Mapping[str, Any]) -> Any:
        """The modifier's value. Under its own key for `until` and `retry`, the whole step for `for_each`."""

    def written(self, value: Any) -> Sequence[Written]:
        """Every part with templates."""
