"""`uses` with `with`: one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts import Runner, Written
from engine.model import Step, Uses
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "uses": {
        "type": "string",
        "minLength": 1,
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
        "description": "The step to carry out, such as opsgenie.alert.create.",
    },
    "with": {"type": "object", "description": "What the step is given, under the vendor's field names."},
    "connection": {"type": "string", "minLength": 1, "description": "The connection to use instead of the provider's default."},
}


def read(raw: Mapping[str, Any], nested: Callable[[str], tuple[Step, ...]]) -> Uses:
    """The operation and what it is given."""
    del nested
    return Uses(raw["uses"], raw.get("with") or {})


def written(body: Uses) -> Sequence[Written]:
    """Nothing here: `with` is checked against the step's own schema."""
    del body
    return ()


async def carry_out(step: Step, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
    """One attempt of the operation."""
    return await runner.attempt(step, scope, attempt, poll)
