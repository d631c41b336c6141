"""What a step can see: the names its templates may use, its place in the run, and how long it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """One level of visibility; loops and retried blocks open a new one.

    Attributes:
        values: names for templates: `inputs`, `vars`, `run`, the loop's item name, `loop`, `error`.
        steps: `steps.<id>` by id; a loop's iteration has its own copy, so that siblings do not see each other.
        prefix: of the keys of the steps inside, such as `notify[ana]/`.
        item: key of the innermost loop item.
        deadline: no attempt may go on after this moment.
        maybe: in a dry run, the conditions above that only a real run can decide.
    """

    values: Mapping[str, Any]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    prefix: str = ""
    item: str | None = None
    deadline: datetime | None = None
    maybe: tuple[str, ...] = ()

    @property
    def total(self) -> int | None:
        """How many items the innermost loop has; None outside of loops."""
        return None if self.item is None else self.values["loop"]["length"]

    def names(self, /, **more: Any) -> dict[str, Any]:
        """The context a template is rendered with."""
        return {**self.values, "steps": self.steps, **more}

    def key(self, step_id: str) -> str:
        """The key of a step at this place."""
        return self.prefix + step_id

    def inside(self, prefix: str, /, **names: Any) -> Scope:
        """A scope below this one, which sees these names too."""
        return replace(self, values={**self.values, **names}, prefix=prefix)

    def of_item(self, prefix: str, item: str, names: Mapping[str, Any]) -> Scope:
        """The scope of one iteration: its names, and its own copy of the steps."""
        return replace(self, values={**self.values, **names}, prefix=prefix, item=item, steps=dict(self.steps))

    def until(self, moment: datetime | None) -> Scope:
        """The same scope with the earlier of both deadlines."""
        if moment is None or (self.deadline is not None and self.deadline <= moment):
            return self
        return replace(self, deadline=moment)

    def perhaps(self, condition: str) -> Scope:
        """The same scope, under a condition that only a real run can decide."""
        return replace(self, maybe=(*self.maybe, condition))
