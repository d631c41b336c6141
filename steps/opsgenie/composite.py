"""What the steps of several calls share: their place in the catalogue, and how they ask and compare.

None of them decides by whether it is planning. A value that only a real run would know never compares as equal, so that a plan shows every
request that may be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Need, Schema, StepContext
from engine.errors import Refused
from steps.fields import text
from steps.operation import OperationStep
from steps.opsgenie.operations import OPERATIONS
from steps.step import BaseStep, known

TEXT: Schema = text()
"""Schema of the placeholder for one id or name."""


class Composite(BaseStep):
    """A step of several operations.

    Attributes:
        operations: names of all it may carry out.
    """

    effect: Effect = "write"
    operations: tuple[str, ...]

    @property
    def needs(self) -> tuple[Need, ...]:
        """What its operations ask, each different need once."""
        return tuple(dict.fromkeys(need for name in self.operations for need in OperationStep(OPERATIONS[name]).needs))


def perform(context: StepContext, name: str, **given: Any) -> Mapping[str, Any]:
    """Carries one operation out over the step's connection and returns its outputs. Raises StepError."""
    outputs: Mapping[str, Any] = context.connection().perform(OPERATIONS[name], given, context)
    return outputs


def read_alert(context: StepContext, given: Mapping[str, Any]) -> Any:
    """The alert a step is about. Raises StepError.

    In planning an alert that is not there may be one that an earlier step will make: it is not known.
    """
    which = {name: given[name] for name in ("identifier", "identifierType") if name in given}
    try:
        return perform(context, "opsgenie.alert.get", **which)
    except Refused as exc:
        if not (context.planning and exc.status == 404):
            raise
        return context.unknown(OPERATIONS["opsgenie.alert.get"].outputs)


def alert_id(alert: Any, given: Mapping[str, Any]) -> Any:
    """The id that writes go to: an alias may come to mean another alert. A plan keeps to the id that was given."""
    found = part(alert, "id")
    return found if known(found) or "identifierType" in given else given["identifier"]


def look_up(context: StepContext, name: str, **given: Any) -> Mapping[str, Any] | None:
    """The outputs of a read, or None when there is no such thing. Raises StepError."""
    try:
        return perform(context, name, **given)
    except Refused as exc:
        if exc.status == 404:
            return None
        raise


def part(outputs: Any, name: str, default: Any = None) -> Any:
    """One field of an answer; a placeholder has placeholders for fields."""
    return outputs.get(name, default) if isinstance(outputs, Mapping) else outputs[name]


def differs(current: Any, wanted: Any) -> bool:
    """Whether two values are, or may be, different."""
    return not (known(current) and known(wanted)) or bool(current != wanted)


def may_be_set(value: Any) -> bool:
    """Whether a value is, or may be, true or not empty."""
    return not known(value) or bool(value)
