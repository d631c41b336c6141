"""`core.state.get`: what the last run of this runbook kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Call, Effect, Reply, Schema, StepContext
from steps.fields import anything, flag, record, text
from steps.parsing import check_fits, check_schema
from steps.step import BaseStep

VALUE_NAME = text(min_length=1, max_length=100, pattern="^[A-Za-z0-9_.-]+$")


class StateGet(BaseStep):
    """Reads a value that `core.state.set` kept, in this run or in an earlier one of the runbook with this name.

    Outputs: `value` (`default`, else null, when nothing was kept), `found` and `set_at` (null when nothing was kept). `schema` says what
    the value is, so that its fields are known before the run; what does not fit it, kept or `default`, fails the step.
    """

    name = "core.state.get"
    summary = "Reads a value that this runbook kept, in this run or an earlier one."
    effect: Effect = "read"
    idempotency = "safe"
    inputs = record(required=("name",), name=VALUE_NAME, default=anything(), schema={"type": "object", "x-literal": True})

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """The value as its schema has it; null, too, where there is no default."""
        schema = written.get("schema")
        value: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        return record(
            required=("value", "found", "set_at"),
            value=value if "default" in written else _or_null(value),
            found=flag(),
            set_at={"type": ["string", "null"], "format": "date-time"},
        )

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Reads it. Raises StepError."""
        check_schema(given.get("schema"), "schema")

        def send() -> Reply:
            kept = context.values.get(given["name"])
            return Reply({"found": kept is not None, **(kept or {"value": None, "set_at": None})})

        reply = context.call(Call(self.name, "read", detail={"name": given["name"]}), send)
        if reply is None:
            return self.unknown_outputs(given, context)
        found = dict(reply.value)
        remedy = f"correct `schema`, or keep another value under {given['name']}"
        if not found["found"] and "default" in given:
            found["value"], remedy = given["default"], "correct `default` or `schema`: nothing was kept yet"
        if "schema" in given and (found["found"] or "default" in given):
            check_fits(found["value"], given["schema"], "schema", remedy)
        return found


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, and null."""
    kinds = schema.get("type")
    if kinds is None:
        return dict(schema) if "enum" not in schema else {**schema, "enum": [*schema["enum"], None]}
    widened = {**schema, "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
    return widened | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})
