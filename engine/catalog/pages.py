"""The pages of the steps, read off the steps themselves: one page for each entity or provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.contracts import Schema, Step

TYPES = {"string": "text", "object": "mapping", "boolean": "true or false", "integer": "whole number", "array": "list"}


def pages(steps: Mapping[str, Step]) -> dict[str, str]:
    """Every page by its name: `core`, `opsgenie.alert`."""
    groups: dict[str, list[Step]] = {}
    for name, step in sorted(steps.items()):
        groups.setdefault(_group(name), []).append(step)
    return {group: _page(group, members) for group, members in groups.items()}


def _group(name: str) -> str:
    provider, _, rest = name.partition(".")
    return f"{provider}.{rest.partition('.')[0]}" if "." in rest else provider


def _page(group: str, members: Iterable[Step]) -> str:
    title = f"# Steps of {group}\n\nWritten by `python docs/generate.py` from the steps themselves.\n"
    return "\n".join([title, *(_section(step) for step in members)])


def _section(step: Step) -> str:
    row = step.listing()
    facts = [f"- request: `{row['method']} {row['path']}`"] if row["method"] else []
    if row["keys"]:
        facts.append(f"- key: {', '.join(row['keys'])}; right: `{row['right']}`")
    facts.append(f"- {row['effect']}; when its answer is lost: {row['idempotency']}")
    if row["jsm"]:
        facts.append(f"- in Jira Service Management: `{row['jsm']}`")
    takes, gives = _fields(step.inputs), _fields(step.outputs({}))
    return "\n".join([f"## {step.name}\n", f"{step.summary}\n", *facts, "", "Takes:\n", *takes, "", "Gives:\n", *gives, ""])


def _fields(schema: Schema) -> list[str]:
    lines = [f"{'  ' * one.depth}- `{one.name}`{' (required)' if one.required else ''}: {one.kind}" for one in fields(schema)]
    return lines or ["- any fields" if schema.get("type") == "object" else f"- {kind(schema)}"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of what a step takes or gives.

    Attributes:
        depth: how many mappings it lies in, beside the first.
        kind: what its value is, for people.
    """

    depth: int
    name: str
    kind: str
    required: bool


def fields(schema: Schema, depth: int = 0) -> Iterator[Field]:
    """Every field of a mapping, each followed by those inside its own mappings."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield Field(depth, name, kind(part), name in required)
        yield from fields(_member(part), depth + 1)


def _member(schema: Schema) -> Schema:
    """What a list or a mapping of any names holds, and what that holds in turn; else the schema itself."""
    inner = schema.get("items") or _of_any_name(schema)
    return _member(inner) if inner else schema


def _of_any_name(schema: Schema) -> Schema | None:
    """What a mapping holds whose names are free; None when that may be anything."""
    inner = schema.get("additionalProperties")
    return inner if isinstance(inner, Mapping) and inner and "properties" not in schema else None


def kind(schema: Any) -> str:
    """What a value is, for people: `text, at most 130 characters`."""
    if "enum" in schema:
        return " or ".join(str(option) for option in schema["enum"])
    if schema.get("x-secret"):
        return "secret" if "not" in schema else "text or secret"
    word: str | list[str] = schema.get("type", "anything")
    if isinstance(word, list):
        return " or ".join(TYPES.get(one, one) for one in word)
    if word == "array":
        return f"list of {kind(schema.get('items', {}))}"
    held = _of_any_name(schema)
    if held:
        return f"mapping of names to {kind(held)}"
    limit = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return TYPES.get(word, word) + limit
