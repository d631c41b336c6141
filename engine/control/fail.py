"""`fail`: ends the run badly, with a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import template
from engine.contracts import Runner, Written
from engine.errors import StepError
from engine.model import Fail, Step
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "fail": {"type": "string", "minLength": 1, "description": "Ends the run badly with this message; a rescue may still catch it."},
}


def read(raw: Mapping[str, Any], nested: Callable[[str], tuple[Step, ...]]) -> Fail:
    """The message as written."""
    del nested
    return Fail(raw["fail"])


def written(body: Fail) -> Sequence[Written]:
    """The message."""
    return (Written(body.message, ("fail",)),)


async def carry_out(step: Step, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
    """Raises StepError with the rendered message."""
    del runner, attempt, poll
    body = step.body
    assert isinstance(body, Fail)
    raise StepError(str(template.text(body.message).render(scope.names())), code="fail", again="never")
