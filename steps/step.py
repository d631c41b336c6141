"""What steps that are no single operation have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Effect, Need, Schema, StepContext
from engine.secret import SecretName


class BaseStep:
    """A step that says itself what it does; the rest of engine.contracts.Step is read off its attributes.

    Attributes:
        idempotency: what may be done when an answer is lost, in the words of steps.operation.Idempotency.
        rate_limit_domain: bucket its calls are counted in, or None.
    """

    name: str
    summary: str
    effect: Effect
    inputs: Schema
    idempotency: str
    rate_limit_domain: str | None = None

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it asks of the connection's keys: nothing, unless a step says otherwise."""
        return ()

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Schema of the outputs, given `with` as written."""
        raise NotImplementedError

    def listing(self) -> Mapping[str, Any]:
        """The row of `steps list --json`: the kinds of key that may make every call, and every right those calls need."""
        kinds = [set(need.kinds) for need in self.needs]
        rights = dict.fromkeys(right for need in self.needs for right in need.right.split("+") if "(" not in right)
        return {
            "name": self.name,
            "summary": self.summary,
            "method": None,
            "path": None,
            "effect": self.effect,
            "asynchronous": False,
            "keys": [kind for kind in self.needs[0].kinds if all(kind in allowed for allowed in kinds)] if kinds else [],
            "right": "+".join(rights) or None,
            "rate_limit_domain": self.rate_limit_domain,
            "idempotency": self.idempotency,
            "jsm": None,
        }

    def unknown_outputs(self, given: Mapping[str, Any], context: StepContext) -> dict[str, Any]:
        """A placeholder for each output, for planning."""
        fields = self.outputs(given)["properties"]
        return {name: context.unknown(schema, name) for name, schema in fields.items()}


def known(value: Any) -> bool:
    """Whether a value is plain JSON, or the name of a secret, throughout; in planning it may be, or hold, a placeholder."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(known(item) for item in value)
    return value is None or isinstance(value, str | int | float | SecretName)
