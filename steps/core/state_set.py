"""`core.state.set`: keeps a value for the next run of this runbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Call, Effect, Reply, Schema, StepContext
from engine.errors import AnswerLost
from steps.core.state_get import VALUE_NAME
from steps.fields import anything, moment, record, text
from steps.step import BaseStep


class StateSet(BaseStep):
    """Keeps a value in the state folder, privately, under the runbook's name and this one; `core.state.get` reads it.

    Any JSON up to 64 KiB; a value that holds a key is refused. A run on the emulator keeps its values in its own folder, and a dry run
    keeps none. Two runs at once each keep theirs, the later one's last: a concurrency group lets them take turns.
    """

    name = "core.state.set"
    summary = "Keeps a value for the next run of this runbook."
    effect: Effect = "write"
    idempotency = "repeatable"
    inputs = record(required=("name", "value"), name=VALUE_NAME, value=anything())

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """The name, and when it was."""
        del written
        return record(required=("name", "set_at"), name=text(), set_at=moment())

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Keeps it. Raises StepError."""

        def send() -> Reply:
            return Reply({"set_at": context.values.set(given["name"], given["value"], context.clock.now())})

        call = Call(self.name, "write", body={"value": given["value"]}, detail={"name": given["name"]})
        try:
            reply = context.call(call, send)
        except AnswerLost:  # to keep it twice is to keep it once
            reply = context.call(call, send)
        if reply is None:
            return self.unknown_outputs(given, context) | {"name": given["name"]}
        return {"name": given["name"], **reply.value}
