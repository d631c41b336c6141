"""`core.log`: tells people something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Schema, StepContext
from steps.fields import one_of, record, text
from steps.step import BaseStep, known


class Log(BaseStep):
    """Writes a message to the run's log; its level is `info` unless given."""

    name = "core.log"
    summary = "Writes a message to the run's log."
    effect: Effect = "read"
    idempotency = "repeatable"
    inputs = record(required=("message",), message=text(), level=one_of("debug", "info", "warning", "error"))

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """The message."""
        del written
        return record(required=("message",), message=text())

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Logs it."""
        if known(given["message"]):
            context.log(given["message"], given.get("level", "info"))
        return {"message": given["message"]}
