"""`return`: ends the run well, with outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import template
from engine.contracts import Runner, Written
from engine.errors import Returned
from engine.model import Return, Step
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "return": {"type": "object", "description": "Ends the run well; these become its outputs."},
}


def read(raw: Mapping[str, Any], nested: Callable[[str], tuple[Step, ...]]) -> Return:
    """The outputs as written."""
    del nested
    return Return(raw["return"])


def written(body: Return) -> Sequence[Written]:
    """Each output."""
    return tuple(Written(value, ("return", name)) for name, value in body.values.items())


async def carry_out(step: Step, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
    """Raises Returned with the rendered outputs."""
    del runner, attempt, poll
    body = step.body
    assert isinstance(body, Return)
    raise Returned(template.walk(dict(body.values), scope.names()))
