"""`for_each`: the step is carried out once an item, some of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import template
from engine.contracts import Runner, Written
from engine.errors import StepError
from engine.model import Block, ForEach, Step, walk
from engine.scope import Scope

PROPERTIES: Mapping[str, Any] = {
    "for_each": {"type": ["string", "array"], "description": "The items: a template that gives a list, or a list."},
    "as": {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$", "description": "The item's name in templates; `item` by default."},
    "key": {"type": "string", "description": "What tells items apart: resume and the audit log go by it. The index by default."},
    "max_parallel": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Items at the same time; 1 by default."},
    "fail_fast": {"type": "boolean", "description": "Start no further item after one has failed; true by default."},
}

LONGEST_KEY = 200


def read(raw: Mapping[str, Any]) -> ForEach:
    """The loop as written, the rest by default."""
    return ForEach(
        items=raw["for_each"],
        name=raw.get("as", "item"),
        key=raw.get("key"),
        max_parallel=int(raw.get("max_parallel", 1)),  # 2.0 is an integer to JSON Schema
        fail_fast=raw.get("fail_fast", not raw.get("continue_on_error", False)),
    )


def written(value: ForEach) -> Sequence[Written]:
    """The items; the key is seen with the item and checked as part of the step."""
    return (Written(value.items, ("for_each",), schema={"type": "array"}),)


@dataclass(frozen=True, slots=True)
class Item:
    """One item and its key."""

    index: int
    key: str
    value: Any


One = Callable[[Scope], Coroutine[Any, Any, dict[str, Any]]]
"""Carries the step out for one item's scope and returns its state: status, and outputs or error."""


async def carry_out(step: Step, scope: Scope, runner: Runner, one: One) -> list[dict[str, Any]]:
    """Carries out every item and returns their states, in item order."""
    loop = step.for_each
    assert loop is not None
    items = _items(loop, scope)
    failed = False

    def children() -> Iterator[Callable[[], Coroutine[Any, Any, tuple[dict[str, Any], dict[str, Any]]]]]:
        for item in items:
            yield lambda item=item: child(item)  # type: ignore[misc]

    async def child(item: Item) -> tuple[dict[str, Any], dict[str, Any]]:
        nonlocal failed
        inner = _scope(step, loop, scope, item, len(items))
        if failed and loop.fail_fast and not runner.backend.begun(inner.key(step.id)):
            return {"status": "cancelled"}, {}
        state = await one(inner)
        failed = failed or "raised" in state
        return state, {name: inner.steps[name] for name in nested}

    nested = _nested_ids(step)
    results = await runner.backend.side_by_side(children(), loop.max_parallel)
    _gather(nested, [inner for _, inner in results], scope)
    return [state for state, _ in results]


def _items(loop: ForEach, scope: Scope) -> list[Item]:
    values = template.walk(loop.items, scope.names())
    if isinstance(values, template.Unknown):
        values = [values[0]]
    if not isinstance(values, list):
        raise StepError(f"for_each needs a list, not {_kind(values)}", code="template", again="never")
    items = [Item(index, _key(loop, scope, index, value), value) for index, value in enumerate(values)]
    _refuse_equal_keys(items)
    return items


def _key(loop: ForEach, scope: Scope, index: int, value: Any) -> str:
    if loop.key is None:
        return str(index)
    names = scope.names(**{loop.name: value, "loop": {"index": index + 1}})
    key = str(template.text(loop.key).render(names))
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise StepError(f"the key of item {index + 1} must be printable text of 1 to {LONGEST_KEY} characters", code="loop", again="never")
    return key


def _refuse_equal_keys(items: Sequence[Item]) -> None:
    seen: dict[str, int] = {}
    for item in items:
        if item.key in seen:
            first, second = seen[item.key] + 1, item.index + 1
            raise StepError(
                f"items {first} and {second} of the loop have the same key {item.key!r}; a key must tell them apart",
                code="loop",
                again="never",
            )
        seen[item.key] = item.index


def _scope(step: Step, loop: ForEach, scope: Scope, item: Item, total: int) -> Scope:
    place = f"{scope.key(step.id)}[{_quoted(item.key)}]"
    key = item.key if scope.item is None else f"{scope.item}/{_quoted(item.key)}"
    names = {loop.name: item.value, "loop": {"index": item.index + 1, "length": total}}
    return scope.of_item(f"{place}/", key, names)


def _quoted(key: str) -> str:
    """A key without the characters that places are made of, so that two places never read the same."""
    return "".join(f"%{ord(char):02X}" if char in "%/[]#@" else char for char in key)


def _nested_ids(step: Step) -> tuple[str, ...]:
    if not isinstance(step.body, Block):
        return ()
    return tuple(child.id for child in walk((*step.body.steps, *step.body.rescue, *step.body.always)))


def _gather(nested: Sequence[str], inner: Sequence[Mapping[str, Any]], scope: Scope) -> None:
    """After the loop, a step inside it reads as the list of what it was for each item."""
    for name in nested:
        states = [states.get(name, {"status": "cancelled"}) for states in inner]
        scope.steps[name] = {"status": _worst([state["status"] for state in states]), "outputs": [state.get("outputs") for state in states]}


def _worst(found: Sequence[Any]) -> Any:
    """The status of several; not known in a plan when that of one is not."""
    unknown = [status for status in found if isinstance(status, template.Unknown)]
    return unknown[0] if unknown else next((status for status in ("failed", "succeeded") if status in found), "skipped")


def _kind(value: Any) -> str:
    names = {str: "text", dict: "a mapping", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), "that")
