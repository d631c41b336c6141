"""`core.set`: gives names to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Schema, StepContext
from steps.fields import anything, map_of
from steps.step import BaseStep

_TEMPLATE_MARKS = ("{{", "{%", "{#")


class Set(BaseStep):
    """Gives every field of `with` back as an output of the same name."""

    name = "core.set"
    summary = "Makes its fields outputs, for later steps to read."
    effect: Effect = "read"
    idempotency = "safe"
    inputs = map_of(anything()) | {"minProperties": 1}

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """The fields, each typed by what is written; a template may be anything."""
        return schema_of(written)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Gives them back."""
        del context
        return dict(given)


def schema_of(written: Any) -> Schema:
    """Schema that a literal meets; open where a template stands."""
    if isinstance(written, Mapping):
        fields = {str(name): schema_of(value) for name, value in written.items()}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    if isinstance(written, list):
        items = [schema_of(item) for item in written]
        same = bool(items) and all(item == items[0] for item in items)
        return {"type": "array", "items": items[0]} if same else {"type": "array"}
    if isinstance(written, str):
        return {} if any(mark in written for mark in _TEMPLATE_MARKS) else {"type": "string"}
    return {"type": _json_type(written)}


def _json_type(written: bool | float | None) -> str:
    if written is None:
        return "null"
    if isinstance(written, bool):
        return "boolean"
    return "integer" if isinstance(written, int) else "number"
