"""The pages of the steps, read off the steps themselves: one page for each entity or provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    fields = schema.get("properties", {})
    required = schema.get("required", ())
    if not fields:
        return ["- any fields" if schema.get("type") == "object" else f"- {kind(schema)}"]
    return [f"- `{name}`{' (required)' if name in required else ''}: {kind(part)}" for name, part in fields.items()]


def kind(schema: Any) -> str:
    """What a value is, for people: `text, at most 130 characters`."""
    if "enum" in schema:
        return " or ".join(str(option) for option in schema["enum"])
    word: str | list[str] = schema.get("type", "anything")
    if isinstance(word, list):
        return " or ".join(TYPES.get(one, one) for one in word)
    if word == "array":
        return f"list of {kind(schema.get('items', {}))}"
    limit = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return TYPES.get(word, word) + limit
