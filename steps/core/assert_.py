"""`core.assert`: goes on only when something holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Schema, StepContext
from engine.errors import StepError
from steps.fields import record, text
from steps.step import BaseStep, known


class Assert(BaseStep):
    """Fails with the author's message, and the code `assertion`, unless an expression holds."""

    name = "core.assert"
    summary = "Fails with a message unless an expression holds."
    effect: Effect = "read"
    idempotency = "safe"
    inputs = record(required=("that", "message"), that={"type": "boolean", "format": "expression"}, message=text(min_length=1))

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """None."""
        del written
        return record()

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Checks it; what planning cannot know yet, it lets pass. Raises StepError."""
        if not (context.planning and not known(given["that"])) and given["that"] is not True:
            message = given["message"] if known(given["message"]) else "the assertion does not hold"
            raise StepError(message, code="assertion", again="never")
        return {}
