"""The vocabulary in which operation rows declare their fields; each word is a draft-07 schema fragment."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
Fields = dict[str, Schema]


def text(*, min_length: int = 0, max_length: int | None = None, example: str | None = None, **more: Any) -> Schema:
    """Text; lengths in characters."""
    limits = {"minLength": min_length or None, "maxLength": max_length, "examples": [example] if example else None}
    return {"type": "string"} | {key: value for key, value in limits.items() if value is not None} | more


def one_of(*values: str) -> Schema:
    """One of the given words."""
    return {"type": "string", "enum": list(values)}


def integer(minimum: int | None = None, maximum: int | None = None) -> Schema:
    """A whole number between both bounds, inclusive."""
    limits = {"minimum": minimum, "maximum": maximum}
    return {"type": "integer"} | {key: value for key, value in limits.items() if value is not None}


def number() -> Schema:
    """Any number."""
    return {"type": "number"}


def flag() -> Schema:
    """True or false."""
    return {"type": "boolean"}


def moment() -> Schema:
    """A point in time, RFC 3339."""
    return {"type": "string", "format": "date-time"}


def list_of(item: Schema, *, max_items: int | None = None, min_items: int | None = None) -> Schema:
    """A list."""
    limits = {"maxItems": max_items, "minItems": min_items}
    return {"type": "array", "items": item} | {key: value for key, value in limits.items() if value is not None}


def map_of(value: Schema) -> Schema:
    """A mapping from any text to values of one kind."""
    return {"type": "object", "additionalProperties": value}


def secret() -> Schema:
    """A secret of the configuration, and nothing else."""
    return {
        "type": "string",
        "not": {},
        "x-secret": True,
        "x-rule": "write {{ secrets.NAME }}, a NAME that stands under secrets: at the top",
    }


def record(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object with exactly these fields."""
    schema: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    return schema | {"required": list(required)} if required else schema


def exclusive(first: str, second: str) -> Schema:
    """An object that does not have both fields."""
    return {"not": {"required": [first, second]}, "x-rule": f"{first} and {second} exclude each other: give one of them"}


def needs_one_of(*names: str) -> Schema:
    """An object that has at least one of these fields. Said as if/then: editors and validators give wrong advice on anyOf."""
    schema: Schema = {"required": [names[-1]], "x-rule": f"{', '.join(names[:-1])} or {names[-1]} is missing"}
    for name in reversed(names[:-1]):
        schema = {"if": {"not": {"required": [name]}}, "then": schema}
    return schema


def answer(**fields: Schema) -> Schema:
    """An object in an answer: these fields are known, the service may add others."""
    return {"type": "object", "properties": fields}


def anything() -> Schema:
    """Any JSON value."""
    return {}
