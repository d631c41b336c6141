"""What a write carries to be found again by, the same over retries and resumes: an alert's alias and source, the end of a note."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from engine.contracts import StepContext
from steps.operation import Idempotency, Operation

LONGEST_ALIAS = 512
LONGEST_SOURCE = 100


def alias_of(context: StepContext) -> str:
    """The alias of an alert whose author gave none: runbook, run, step and item."""
    return _capped("-".join(context.identity.split("/")), LONGEST_ALIAS)


def source_of(context: StepContext) -> str:
    """The source of an alert whose author gave none: run and step, by which a search finds it once it is closed."""
    item = f"-{_digest(context.item)[:8]}" if context.item is not None else ""
    return _capped(f"opsbook-{context.run}-{context.step}{item}", LONGEST_SOURCE)


def marker_of(context: StepContext, operation: Operation, given: Mapping[str, Any]) -> str:
    """The end of a note, by which it is known again; only a real run knows it."""
    if context.planning:  # the run's id is part of it
        return " [ob:<…>]"
    target = "/".join(str(given[name]) for name in operation.path_names)
    told = "|".join((context.identity, operation.name, target, str(given["note"])))
    return f" [ob:{_digest(told)[:8]}]"


def marked(operation: Operation, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    """What was given, with the marks of the operation's idempotency."""
    mark = _MARKS.get(operation.idempotency)
    return mark(operation, given, context) if mark else given


def _key(operation: Operation, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    del operation
    return {"alias": alias_of(context), "source": source_of(context), **given}


def _sign(operation: Operation, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
    return {**given, "note": f"{given['note']}{marker_of(context, operation, given)}"}


_MARKS: dict[Idempotency, Callable[[Operation, Mapping[str, Any], StepContext], Mapping[str, Any]]] = {
    Idempotency.KEYED: _key,
    Idempotency.MARKED: _sign,
}


def _capped(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 17]}-{_digest(text)[:16]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
