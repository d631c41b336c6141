"""`block` with `rescue` and `always`: steps together, with what to do on failure, and always."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts import Runner, Written
from engine.errors import Returned, StepError
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
    failure = await _attempt(body, inner, await runner.limited(step, inner, attempt, poll), runner)
    await _always(body.always, failure, inner, runner)
    if failure is not None:
        raise failure
    children = (*body.steps, *body.rescue, *body.always)
    return {child.id: inner.steps[child.id]["outputs"] for child in children if "outputs" in inner.steps.get(child.id, {})}


async def _attempt(body: Block, scope: Scope, limited: Scope, runner: Runner) -> StepError | Returned | None:
    """How the steps, or else their rescue, failed or returned; None when they went through. A time limit is about the steps alone."""
    failure = await _left(body.steps, limited, runner)
    if isinstance(failure, StepError) and body.rescue:
        return await _left(body.rescue, scope.inside(scope.prefix, error=failure.as_value()), runner)
    return failure


async def _always(steps: Sequence[Step], failure: StepError | Returned | None, scope: Scope, runner: Runner) -> None:
    """What is always done; a failure in it never hides an earlier one."""
    later = await _left(steps, scope, runner)
    if later is not None and not isinstance(failure, StepError):
        raise later


async def _left(steps: Sequence[Step], scope: Scope, runner: Runner) -> StepError | Returned | None:
    """The failure or the `return` by which steps were left; None when they went through."""
    try:
        await runner.sequence(steps, scope)
    except StepError as error:
        if error.final:
            raise
        return error
    except Returned as returned:
        return returned
    return None
