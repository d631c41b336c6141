"""A run in which nothing happens: reads are made, writes are written down, and what they would answer is a typed placeholder."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.contracts import Action, Call, Clock, Outcome, Reply, Schema, Step, Values
from engine.errors import KeyProblem, KeyRefused, StepError
from engine.rendering import Late
from engine.secret import Credential, Secret, SecretName
from engine.system.tasks import Child, drive, take_turns
from engine.template import Unknown, UnknownValue

_POLL = re.compile(r"#[0-9]+$")
"""What ends the key of an action that is one poll of several."""

PLACEHOLDER = re.compile(r"(?:<|%3C)(?:run|steps)\..+?(?:>|%3E)")
"""A placeholder inside text, as it is or percent-encoded."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One call a real run would make.

    Attributes:
        conditional: the conditions above it that only a real run can decide.
        made: whether the dry run made it (a read).
    """

    step: str
    item: str | None
    call: Call
    conditional: tuple[str, ...]
    made: bool


@dataclass(slots=True)
class Plan:
    """What a dry run wrote down, in order."""

    calls: list[Planned] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    conditions: dict[str, tuple[str, ...]] = field(default_factory=dict)


class DryContext:
    """One attempt of one step in a dry run. See engine.contracts.StepContext."""

    planning = True

    def __init__(self, backend: DryBackend, action: Action) -> None:
        self._backend = backend
        self._action = action
        self.runbook, self.run = backend.runbook, backend.run
        self.step, self.item, self.attempt = action.step, action.item, action.attempt
        self.identity = "/".join(part for part in (self.runbook, self.run, action.step, action.item) if part is not None)
        self.timeout = action.timeout
        self.clock = backend.clock
        import tempfile

        self.folder = Path(tempfile.gettempdir())
        self.settings = backend.settings
        self.values = backend.values

    def connection(self) -> Any:
        """The opened connection."""
        return self._backend.open(self._action.uses, self._action.connection)

    def credential(self, named: SecretName) -> Credential:
        """The secret of a name; its source is asked when a read is made."""
        return self._backend.credential(named)

    def log(self, message: str, level: str = "info") -> None:
        """Written down, not said: nothing has happened."""
        self._backend.plan.said.append(f"{level}: {message}")

    def goes_on(self) -> bool:
        """Nothing is remembered."""
        return True

    def unknown(self, schema: Schema, name: str = "") -> Any:
        """A placeholder; of an object with known fields, a mapping of placeholders, so that later steps still render."""
        return _placeholder(schema, f"steps.{self.step}.outputs" + (f".{name}" if name else ""))

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply | None:
        """Makes a read whose every part is known; writes down anything else."""
        made = call.effect == "read" and not self._backend.offline and not holds_unknown(call)
        plan = self._backend.plan
        conditional = plan.conditions.get(_POLL.sub("", self._action.key), ())
        plan.calls.append(Planned(self.step, self.item, call, conditional, made))
        reply = send() if made else None
        if reply is not None:
            self._backend.learn(reply.secrets)
        return reply


def holds_unknown(value: Any) -> bool:
    """Whether a value, a call or a structure depends on what only a real run would know."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Call):
        return any(holds_unknown(part) for part in (value.url, value.body, value.detail))
    if isinstance(value, Late):
        return holds_unknown(value.names)
    if isinstance(value, Mapping):
        return any(holds_unknown(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_unknown(part) for part in value)
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


def _placeholder(schema: Schema, name: str) -> Any:
    properties = schema.get("properties")
    if schema.get("type") == "object" and properties:
        return {key: Unknown(f"{name}.{key}", part) for key, part in properties.items()}
    return Unknown(name, schema)


class DryBackend:
    """See engine.contracts.Backend; nothing is remembered, and waiting takes no time but lets it pass."""

    def __init__(
        self,
        *,
        runbook: str,
        run: str,
        clock: Clock,
        settings: Mapping[str, Any],
        catalogue: Callable[[str], Step],
        credential: Callable[[SecretName], Credential],
        open: Callable[[str, str | None], Any],  # noqa: A002 - the word of engine.execution.context.Run
        values: Values,
        learn: Callable[[Iterable[Secret]], None],
        offline: bool = False,
    ) -> None:
        self.runbook, self.run, self.clock, self.settings, self.offline = runbook, run, clock, settings, offline
        self.credential, self.open, self.values, self.learn = credential, open, values, learn
        self.plan = Plan()
        self._find = catalogue
        self._latest = clock.now()

    def carry_out(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs the executor's coroutine to its end."""
        return drive(coroutine, lambda _until: None)

    def now(self) -> datetime:
        """The present moment, or the one that was last waited for."""
        self._latest = max(self._latest, self.clock.now())
        return self._latest

    def random(self, key: str) -> float:
        """No jitter."""
        del key
        return 0.0

    def begun(self, key: str) -> bool:
        """Nothing was."""
        del key
        return False

    def wind_down(self) -> None:
        """A dry run has nothing to wind down."""

    def shield(self) -> None:
        """A dry run is over at once."""

    def heed(self) -> bool:
        """A dry run is over at once."""
        return False

    async def perform(self, action: Action) -> Outcome:
        """The step's own code, over a context that sends no write. Of polling one poll is shown: a real run alone knows how it ends."""
        step = self._find(action.uses)
        placeholder = _placeholder(step.outputs(action.given), f"steps.{action.step}.outputs")
        try:
            outputs = step.perform(action.given, DryContext(self, action))
        except UnknownValue:
            outputs = placeholder
        except StepError as error:
            return Outcome(None, error)
        except KeyProblem as error:
            return Outcome(None, KeyRefused(error.message, hint=error.hint, code=error.code))
        return Outcome(placeholder if _POLL.search(action.key) else outputs)

    async def moment(self, key: str) -> datetime:
        """As `now`."""
        del key
        return self.now()

    async def sleep_until(self, key: str, until: datetime) -> None:
        """Passes at once."""
        del key
        self._latest = max(self._latest, until)

    async def side_by_side(self, children: Iterable[Child], limit: int) -> list[Any]:
        """One after the other."""
        del limit
        return await take_turns(children, 1)

    def tell(self, event: str, key: str, **fields: Any) -> None:
        """Remembers under which conditions steps stand."""
        if event == "step.conditional":
            self.plan.conditions[key] = fields["conditions"]
