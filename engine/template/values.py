"""The values templates work on: plain JSON, reached by keys and indexes only, spelled as JSON inside text.

No attribute of a Python object can be reached: a mapping has its keys, a list its indexes, and nothing else has anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.advice import FEW, closest
from engine.errors import OpsbookError, StepError
from engine.template.unknown import Unknown, UnknownValue

Path = tuple[str | int, ...]

LONGEST_TEXT: Final = 256 * 1024
LONGEST_LIST: Final = 100_000
LARGEST_INTEGER: Final = 2**63

ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a template reads the context.

    Attributes:
        path: keys from the root (`("steps", "create", "outputs", "alertId")`).
        fragment: the path as written.
        guarded: absence is expected there: under `default` or `is defined`, or behind a condition that excludes it.
    """

    path: Path
    fragment: str
    guarded: bool


class TemplateError(OpsbookError):
    """A template or an expression that cannot be taken.

    Attributes:
        fragment: the part of the source that is wrong, letter for letter, or None.
    """

    code = "template"
    exit_status = 3

    def __init__(self, message: str, fragment: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fragment = fragment


def fault(message: str, hint: str | None = None) -> StepError:
    """The error of a template that fails in a run; trying again would change nothing."""
    return StepError(message, hint=hint, code="template", again="never")


def kind(value: Any) -> str:
    """The JSON type of a value: null, boolean, integer, number, string, array, object.

    Raises:
        StepError: it is of no JSON type.
        UnknownValue: it is Unknown.
    """
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    if isinstance(value, Unknown):
        raise UnknownValue(value.name)
    raise fault("this value cannot be used inside a template; a secret can only be the whole value of a field")


_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (str, "string"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (type(None), "null"),
    (dict, "object"),
    ((list, tuple), "array"),
    (Mapping, "object"),
)


def member(value: Any, key: Any) -> Any:
    """The value under a key or at an index; ABSENT when there is none."""
    if isinstance(value, Mapping):
        return value[key] if isinstance(key, str) and key in value else ABSENT
    if isinstance(value, list | tuple | str) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if -len(value) <= key < len(value) else ABSENT
    return value[key] if isinstance(value, Unknown) else ABSENT


def follow(context: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a dotted path. Raises StepError, naming the path, when something on the way is absent."""
    value: Any = context
    for depth, key in enumerate(path):
        found = member(value, key)
        if found is ABSENT:
            raise absent(path, depth, value)
        value = found
    return value


def absent(path: Sequence[str | int], depth: int, parent: Any) -> StepError:
    """The error for a path whose part number `depth` is not in `parent`."""
    name = dotted(path[: depth + 1])
    above = dotted(path[:depth])
    if isinstance(parent, Mapping):
        return fault(f"`{name}` is not there", nearest(str(path[depth]), parent))
    if isinstance(parent, list | tuple):
        return fault(f"`{name}` is not there", f"`{above}` is a list of {len(parent)}; write an index or use a filter such as first or map")
    return fault(f"`{name}` is not there", f"`{above}` is of type {kind(parent)} and has no fields")


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: `steps.list.outputs.items[0]`."""
    return "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in path).removeprefix(".")


def nearest(name: str, known: Iterable[str]) -> str:
    """Did-you-mean, or what there is to choose from."""
    names = sorted(map(str, known))
    near = closest(name, names)
    if near:
        return f"did you mean {near}?"
    return f"there is {', '.join(names[:FEW])}{', …' if len(names) > FEW else ''}" if names else "there is nothing in it"


def spelled(value: Any) -> str:
    """A value inside text: text as it is, everything else as JSON (`true`, `null`, `[1, 2]`).

    Raises:
        StepError: it is no JSON value, or too long.
    """
    text = value if isinstance(value, str) else str(value) if isinstance(value, Unknown) else as_json(value)
    if len(text) > LONGEST_TEXT:
        raise fault(f"the text is longer than {LONGEST_TEXT} characters")
    return text


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON text. Raises StepError when it is no JSON value, or too long."""
    weigh(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise fault("the value cannot be written as JSON") from error


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Unknown) else dict(value)


def weigh(value: Any, limit: int = LONGEST_TEXT) -> int:
    """A lower bound of the value's size as JSON text, known before any of it is written. Raises StepError above the limit."""
    total, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        total += 1
        if isinstance(part, str):
            total += len(part)
        elif isinstance(part, Mapping):
            total += sum(len(str(key)) for key in part)
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
        elif not isinstance(part, Unknown):
            kind(part)
        if total + len(waiting) > limit:
            raise fault(f"the value is larger than {limit} characters")
    return total


def number(value: float) -> float:
    """The number, when it is finite and of a size JSON readers agree on. Raises StepError."""
    if (isinstance(value, int) and abs(value) > LARGEST_INTEGER) or not math.isfinite(value):
        raise fault("the number is too large")
    return value
