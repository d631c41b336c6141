"""`until`: the step is carried out again and again until a condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine import duration, template
from engine.contracts import Runner, Written
from engine.errors import StepError
from engine.model import Step, Until
from engine.modifiers import retry
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "until": {
        "type": "object",
        "description": "Poll until a condition holds; `result` is the last answer.",
        "properties": {
            "condition": {"type": "string", "format": "expression"},
            "every": {"type": "string", "format": "duration", "description": "Between two polls; 30s by default, never less than 1s."},
            "timeout": {"type": "string", "format": "duration", "description": "How long to go on; 10m by default."},
            "on_timeout": {"type": "string", "enum": ["fail", "continue"]},
        },
        "required": ["condition"],
        "additionalProperties": False,
    },
}

SHORTEST = 1.0
"""Seconds between two polls, so that no runbook can hammer a service."""


def read(raw: Mapping[str, Any]) -> Until:
    """The poll as written, the rest by default."""
    return Until(raw["condition"], raw.get("every", "30s"), raw.get("timeout", "10m"), raw.get("on_timeout", "fail"))


def written(value: Until) -> Sequence[Written]:
    """Its condition and its times."""
    return (
        Written(value.condition, ("until", "condition"), expression=True),
        Written(value.every, ("until", "every"), schema={"type": "string"}),
        Written(value.timeout, ("until", "timeout"), schema={"type": "string"}),
    )


async def carry_out(step: Step, scope: Scope, runner: Runner) -> Mapping[str, Any]:
    """Polls, or carries the step out once when it has no `until`. Returns the last outputs."""
    if step.until is None:
        return await retry.carry_out(step, scope, runner)
    every = max(_length(step.until.every, scope), SHORTEST)
    ends = await runner.backend.moment(scope.key(step.id) + "#") + timedelta(seconds=_length(step.until.timeout, scope))
    poll = 1
    while True:
        outputs = await retry.carry_out(step, scope, runner, poll)
        if runner.holds(step.until.condition, scope.names(result=outputs)) in (True, None):
            return outputs
        key = f"{scope.key(step.id)}#{poll}"
        wake = await runner.backend.moment(key) + timedelta(seconds=every)
        if wake > ends:
            return await _ran_out(step, scope, runner, outputs, key, ends)
        await _sleep(runner, key, wake, scope)
        poll += 1


async def _ran_out(step: Step, scope: Scope, runner: Runner, outputs: Mapping[str, Any], key: str, ends: datetime) -> Mapping[str, Any]:
    assert step.until is not None
    await _sleep(runner, key, ends, scope)
    if step.until.on_timeout == "continue":
        return outputs
    waited = duration.spoken(_length(step.until.timeout, scope))
    raise StepError(f"the condition did not hold within {waited}: {step.until.condition}", code="timeout", again="never")


async def _sleep(runner: Runner, key: str, wake: datetime, scope: Scope) -> None:
    if scope.deadline is not None and wake > scope.deadline:
        await runner.backend.sleep_until(key, scope.deadline)
        raise StepError("the time limit ran out while polling", code="timeout", again="never")
    await runner.backend.sleep_until(key, wake)


def _length(source: str, scope: Scope) -> float:
    text = template.text(source).render(scope.names())
    if isinstance(text, template.Unknown):
        return 0.0
    try:
        return duration.seconds(str(text))
    except ValueError as error:
        raise StepError(f"until: {error}", code="template", again="never") from error
