"""`block` with `rescue` and `always`: steps together, with what to do on failure, and always."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts import Runner, Written
from engine.errors import StepError
from engine.model import Block, Step
from engine.scope import Scope

_STEPS = {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/step"}}

PROPERTIES: Mapping[str, Any] = {
    "block": _STEPS | {"description": "Steps carried out together; the first that fails ends the block."},
    "rescue": _STEPS | {"description": "Steps for when the block fails; `error` says why. A rescued block succeeds."},
    "always": _STEPS | {"description": "Steps for afterwards, whether the block succeeded or failed."},
}


def read(raw: Mapping[str, Any], nested: Callable[[str], tuple[Step, ...]]) -> Block:
    """The three lists of steps."""
    del raw
    return Block(nested("block"), nested("rescue"), nested("always"))


def written(body: Block) -> Sequence[Written]:
    """Nothing of its own: the steps inside are checked as steps."""
    del body
    return ()


async def carry_out(step: Step, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
    """The block, its rescue when it fails, and in the end what is always done.

    Only a StepError is rescued or cleaned up after: a signal, a failing disk or a doubt stops everything at once.
    """
    body = step.body
    assert isinstance(body, Block)
    inner = scope if attempt == poll == 1 else scope.inside(f"{scope.prefix}{step.id}@{attempt}.{poll}/")
    failure = await _attempt(body, inner, runner)
    await runner.sequence(body.always, inner)
    if failure is not None:
        raise failure
    return {child.id: inner.steps[child.id]["outputs"] for child in body.steps if "outputs" in inner.steps.get(child.id, {})}


async def _attempt(body: Block, scope: Scope, runner: Runner) -> StepError | None:
    try:
        await runner.sequence(body.steps, scope)
    except StepError as error:
        if error.final:
            raise
        if not body.rescue:
            return error
        return await _rescue(body.rescue, error, scope, runner)
    return None


async def _rescue(steps: Sequence[Step], error: StepError, scope: Scope, runner: Runner) -> StepError | None:
    try:
        await runner.sequence(steps, scope.inside(scope.prefix, error=error.as_value()))
    except StepError as second:
        if second.final:
            raise
        return second
    return None
