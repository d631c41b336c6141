"""The types of values, as JSON Schemas tell them: which a value may have, what is under a field, whether one can be another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.contracts import Schema
from engine.template.values import ABSENT, dotted, kind, nearest

ANY: Final[Schema] = {}
BOOLEAN: Final[Schema] = {"type": "boolean"}
STRING: Final[Schema] = {"type": "string"}

_OPEN_KEYS: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "patternProperties"})


@dataclass(frozen=True, slots=True)
class NoField:
    """A field that a type surely does not have."""

    message: str
    hint: str | None


def types_of(schema: Schema) -> frozenset[str]:
    """JSON types a value may have; empty when the schema does not say."""
    if "const" in schema or "enum" in schema:
        return frozenset(map(kind, choices(schema) or ()))
    told = schema.get("type", ())
    return frozenset((told,) if isinstance(told, str) else told)


def choices(schema: Schema) -> tuple[Any, ...] | None:
    """Every value it can have, where the schema lists them."""
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema["enum"]) if "enum" in schema else None


def of_types(types: Iterable[str]) -> Schema:
    """The schema of values of these types; none means any."""
    names = set(types)
    if "number" in names:
        names.discard("integer")
    if not names:
        return ANY
    return {"type": names.pop() if len(names) == 1 else sorted(names)}


def union(first: Schema, second: Schema) -> Schema:
    """The schema of a value that is one or the other."""
    if first == second:
        return first
    types = (types_of(first), types_of(second))
    if not all(types):
        return ANY
    listed = (choices(first), choices(second))
    if listed[0] is not None and listed[1] is not None:
        return {**of_types(types[0] | types[1]), "enum": [*listed[0], *(value for value in listed[1] if value not in listed[0])]}
    return of_types(types[0] | types[1])


def items_of(schema: Schema) -> Schema:
    """The schema of a list's items."""
    items = schema.get("items")
    return items if isinstance(items, Mapping) else ANY


def field(schema: Schema, key: str | int, above: str) -> Schema | NoField:
    """The schema of what is under a key or an index; `above` names the value in the message.

    An object that declares fields has these alone, unless it says `additionalProperties`.
    """
    types = types_of(schema) - {"null"}
    if isinstance(key, int):
        if types and not types & {"array", "string"}:
            return NoField(f"{above} is {said(types)} and has no items", None)
        return items_of(schema) if "array" in types else of_types(types)
    if types and "object" not in types:
        return NoField(
            f"no field {key} in {above}, which is {said(types)}", "take an item of the list, or use map" if "array" in types else None
        )
    return _property(schema, key, above)


def _property(schema: Schema, key: str, above: str) -> Schema | NoField:
    known = schema.get("properties", {})
    found = known.get(key, ABSENT)
    if isinstance(found, Mapping):
        return found
    others = schema.get("additionalProperties")
    if found is not ABSENT or not known or others or _OPEN_KEYS & set(schema):
        return others if isinstance(others, Mapping) else ANY
    return NoField(f"no field {key} in {above}", nearest(key, known))


def said(types: Iterable[str]) -> str:
    """Types in a sentence: `integer or string`."""
    return " or ".join(sorted(types))


def overlap(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether a value can be of both; a number may be whole, and no type at all means any."""
    one, other = set(first), set(second)
    for types in (one, other):
        if "number" in types:
            types.add("integer")
    return not one or not other or bool(one & other)


def compatible(found: Schema, wanted: Schema, what: str = "the value") -> str | None:
    """Why a value of one schema can never be right for another, or None where it may be."""
    types, needed = types_of(found), types_of(wanted)
    if not overlap(types, needed):
        return f"{what} is {said(types)}, and {said(needed)} is needed"
    values, allowed = choices(found), choices(wanted)
    if values is not None and allowed is not None and not any(value in allowed for value in values):
        return f"{what} is never one of {', '.join(map(str, allowed))}"
    if "array" in types and needed in ({"array"}, frozenset()):
        return compatible(items_of(found), items_of(wanted), f"an item of {what}")
    return None


def place(path: Iterable[str | int]) -> str:
    """A path in a message."""
    return dotted(path) or "the context"
