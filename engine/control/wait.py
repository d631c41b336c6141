"""`wait`: a durable sleep, for a time or until one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine import duration, template
from engine.contracts import Runner, Written
from engine.errors import StepError
from engine.model import Step, Wait
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "wait": {
        "description": "How long to wait (10m), or {until: a time}.",
        "type": ["string", "object"],
        "format": "duration",
        "properties": {"until": {"type": "string", "format": "date-time"}},
        "required": ["until"],
        "additionalProperties": False,
    },
}


def read(raw: Mapping[str, Any], nested: Callable[[str], tuple[Step, ...]]) -> Wait:
    """Either a duration or a moment."""
    del nested
    wanted = raw["wait"]
    return Wait(until=wanted["until"]) if isinstance(wanted, Mapping) else Wait(duration=wanted)


def written(body: Wait) -> Sequence[Written]:
    """The duration or the moment."""
    if body.until is not None:
        return (Written(body.until, ("wait", "until"), schema={"type": "string"}),)
    return (Written(body.duration, ("wait",), schema={"type": "string"}),)


async def carry_out(step: Step, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
    """Sleeps; a resumed run keeps the moment that was fixed at first."""
    body = step.body
    assert isinstance(body, Wait)
    key = f"{scope.key(step.id)}@{attempt}.{poll}"
    scope = await runner.limited(step, scope, attempt, poll)
    until = await _moment(body, key, scope, runner)
    if until is None:
        return {}
    if scope.deadline is not None and until > scope.deadline:
        await runner.backend.sleep_until(key, scope.deadline)
        raise StepError("the time limit ran out while waiting", code="timeout", again="never")
    await runner.backend.sleep_until(key, until)
    return {"until": _spell(until)}


async def _moment(body: Wait, key: str, scope: Scope, runner: Runner) -> datetime | None:
    names = scope.names()
    if body.until is not None:
        text = template.text(body.until).render(names)
        return None if isinstance(text, template.Unknown) else parse_moment(text)
    text = template.text(body.duration).render(names)
    if isinstance(text, template.Unknown):
        return None
    try:
        length = duration.seconds(str(text))
    except ValueError as error:
        raise StepError(f"wait: {error}", code="template", again="never") from error
    return await runner.backend.moment(key) + timedelta(seconds=length)


def parse_moment(text: Any) -> datetime:
    """A point in time, RFC 3339. Raises StepError."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise StepError("wait.until is not a time; write it like 2026-11-23T22:30:00Z", code="template", again="never") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spell(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
