"""From `with` as written to `with` as sent: templates rendered where the step's schema says what each field is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import template
from engine.contracts import Schema
from engine.secret import SecretName


@dataclass(frozen=True, slots=True)
class Late:
    """A part of `with` that names something only the step will know; plain values, so it can be kept or sent elsewhere."""

    source: Any
    schema: Schema
    names: Mapping[str, Any]

    def resolve(self, **names: Any) -> Any:
        """The rendered value. Raises StepError."""
        return render(self.source, self.schema, {**self.names, **names})


def render(value: Any, schema: Schema, names: Mapping[str, Any]) -> Any:
    """One value, rendered as its schema says; Unknown where planning cannot tell.

    An optional field whose template gives null is left out: that is how an author says "only when there is one".

    Raises:
        StepError: a template cannot be rendered.
    """
    if schema.get("x-literal"):
        return value
    if "x-binds" in schema:
        return Late(value, {key: part for key, part in schema.items() if key != "x-binds"}, names)
    if isinstance(value, str):
        return _scalar(value, schema, names)
    if isinstance(value, list):
        return [render(item, schema.get("items") or {}, names) for item in value]
    if isinstance(value, dict):
        return _mapping(value, schema, names)
    return whole(value, schema)


def whole(value: Any, schema: Schema) -> Any:
    """A number as the integer its schema asks for: to JSON Schema 3.0 is one, but it cannot count anything."""
    kinds = schema.get("type", ())
    wanted = kinds == "integer" or ("integer" in kinds and "number" not in kinds)
    return int(value) if wanted and isinstance(value, float) and value.is_integer() else value


def literal(value: Any, schema: Schema) -> bool:
    """Whether rendering leaves a value as it is written: no template in it, no expression, nothing for later."""
    if schema.get("x-literal"):
        return True
    if "x-binds" in schema:
        return False
    if isinstance(value, str):
        return schema.get("format") != "expression" and not any(mark in value for mark in ("{{", "{%", "{#"))
    if isinstance(value, list):
        return all(literal(item, schema.get("items") or {}) for item in value)
    return not isinstance(value, dict) or all(literal(part, _below(schema, key)) for key, part in value.items())


def clipped(value: Any, schema: Schema) -> Any:
    """The value with every text in it cut to the length its schema allows."""
    if isinstance(value, str):
        return value[: schema.get("maxLength", len(value))]
    if isinstance(value, list):
        return [clipped(item, schema.get("items") or {}) for item in value]
    return {key: clipped(part, _below(schema, key)) for key, part in value.items()} if isinstance(value, dict) else value


def _scalar(value: str, schema: Schema, names: Mapping[str, Any]) -> Any:
    named = secret_name(value) if schema.get("x-secret") else None
    if named is not None:
        return named
    try:
        if schema.get("format") == "expression":
            return template.expression(value).holds(names)
        return whole(template.text(value).render(names), schema)
    except template.UnknownValue as unknown:
        return template.Unknown(unknown.name, schema)


def secret_name(source: str) -> SecretName | None:
    """The name of the secret that a text is, and nothing else. Raises TemplateError."""
    found = template.text(source)
    match [reference.path for reference in found.references]:
        case [("secrets", str(name))] if found.shape == "path":
            return SecretName(name)
    return None


def _mapping(value: Mapping[str, Any], schema: Schema, names: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    required = schema.get("required") or ()
    rendered = {}
    for key, part in value.items():
        result = render(part, _below(schema, key), names)
        if result is None and part is not None and key in properties and key not in required:
            continue
        rendered[key] = result
    return rendered


def _below(schema: Schema, key: str) -> Schema:
    """The schema of a mapping's field."""
    rest = schema.get("additionalProperties")
    found: Schema = (schema.get("properties") or {}).get(key) or (rest if isinstance(rest, Mapping) else {})
    return found
