"""`retry`: a failed attempt is made again, after a delay that grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from engine import duration
from engine.contracts import Runner, Written
from engine.control import CONSTRUCTS
from engine.errors import StepError
from engine.model import Retry, Step
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "retry": {
        "type": "object",
        "description": "Make a failed attempt again.",
        "properties": {
            "attempts": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Attempts in all, the first included."},
            "delay": {"type": "string", "format": "duration", "x-literal": True, "description": "Before the second attempt."},
            "backoff": {"type": "string", "enum": ["constant", "linear", "exponential"]},
            "max_delay": {"type": "string", "format": "duration", "x-literal": True},
            "jitter": {"type": "boolean", "description": "Spread the delay between nothing and all of it."},
            "if": {"type": "string", "format": "expression", "description": "Which errors deserve another attempt."},
        },
        "additionalProperties": False,
    },
}

UNASKED = Retry(attempts=4, delay=1.0, backoff="exponential", max_delay=30.0, jitter=True, condition=None)
"""What is done for calls that are safe to make again when the author says nothing."""


def read(raw: Mapping[str, Any]) -> Retry:
    """The policy as written, the rest by default."""
    return Retry(
        attempts=int(raw.get("attempts", UNASKED.attempts)),  # 3.0 is an integer to JSON Schema
        delay=duration.seconds(raw.get("delay", "1s")),
        backoff=raw.get("backoff", UNASKED.backoff),
        max_delay=duration.seconds(raw.get("max_delay", "30s")),
        jitter=raw.get("jitter", UNASKED.jitter),
        condition=raw.get("if"),
    )


def written(value: Retry) -> Sequence[Written]:
    """Its condition."""
    return (Written(value.condition, ("retry", "if"), expression=True),) if value.condition else ()


async def carry_out(step: Step, scope: Scope, runner: Runner, poll: int = 1) -> Mapping[str, Any]:
    """Attempts the step until it succeeds or its policy is used up. Raises the last StepError."""
    policy = step.retry or (runner.default_retry if step.kind == "uses" else None) or UNASKED
    attempt = 1
    while True:
        try:
            return await CONSTRUCTS[step.kind].carry_out(step, scope, runner, attempt, poll)
        except StepError as error:
            if error.final or attempt >= policy.attempts or not _deserves(step, policy, error, scope, runner):
                raise
            await _pause(step, scope, runner, policy, attempt, poll, error)
        attempt += 1


def _deserves(step: Step, policy: Retry, error: StepError, scope: Scope, runner: Runner) -> bool:
    if step.kind != "uses" and step.retry is None:
        return False
    if policy.condition is not None:
        return runner.holds(policy.condition, scope.names(error=error.as_value())) is True
    return error.again == "safe" or (error.again == "maybe" and step.retry is not None)


async def _pause(step: Step, scope: Scope, runner: Runner, policy: Retry, attempt: int, poll: int, error: StepError) -> None:
    backend = runner.backend
    key = f"{scope.key(step.id)}@{attempt}.{poll}"
    length = max(_delay(policy, attempt, backend.random(key)), error.retry_after or 0.0)
    until = await backend.moment(key) + timedelta(seconds=length)
    if scope.deadline is not None and until >= scope.deadline:
        raise error
    await backend.sleep_until(key, until)


def _delay(policy: Retry, attempt: int, chance: float) -> float:
    """Seconds before the next attempt; with jitter, anything between none and all of it ("full jitter")."""
    from tenacity import RetryCallState, wait_exponential, wait_fixed, wait_incrementing  # costs start-up: only once needed

    shapes = {
        "constant": wait_fixed(policy.delay),
        "linear": wait_incrementing(start=policy.delay, increment=policy.delay, max=policy.max_delay),
        "exponential": wait_exponential(multiplier=policy.delay, max=policy.max_delay),
    }
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.attempt_number = attempt
    length = min(shapes[policy.backoff](state), policy.max_delay)
    return length * chance if policy.jitter else length
