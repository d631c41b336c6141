"""One template or expression of a runbook, with all that is known where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine import inference, template
from engine.contracts import Schema
from engine.model import Path, Step


@dataclass(frozen=True, slots=True)
class Absence:
    """One reason why a step may have no outputs.

    Attributes:
        why: ends the sentence "the step may have no outputs: …".
        owner: id of a step whose success rules the reason out, apart from the step itself.
        conditions: the reason is ruled out wherever all of these hold; empty when no condition does.
    """

    why: str
    owner: str | None = None
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ran:
    """A step that has had its turn.

    Attributes:
        schema: of `steps.<id>`.
        absences: why it may have no outputs; empty when it surely has.
    """

    schema: Schema
    absences: tuple[Absence, ...] = ()

    def doubted(self, *reasons: Absence) -> Ran:
        """The same step with further reasons for doubt."""
        return replace(self, absences=(*self.absences, *reasons))


@dataclass(frozen=True)
class View:
    """What can be seen from one place.

    Attributes:
        names: schema of each name of the context, `steps` apart.
        ran: the steps that had their turn before, by id.
        holds: conditions that hold here, cut at `and`.
        there: paths that those conditions make sure of.
    """

    names: Mapping[str, Schema]
    ran: Mapping[str, Ran] = field(default_factory=dict)
    holds: frozenset[str] = frozenset()
    there: frozenset[Path] = frozenset()

    @cached_property
    def scope(self) -> dict[str, Schema]:
        """Every name with its schema; steps not seen from here are left open, since another check speaks of them."""
        states = {name: ran.schema for name, ran in self.ran.items()}
        return {**self.names, "steps": {"type": "object", "properties": states, "required": list(states), "additionalProperties": True}}

    def also(self, ran: Mapping[str, Ran] | None = None, /, **names: Schema) -> View:
        """The view with more names, and more steps that ran."""
        return replace(self, names={**self.names, **names}, ran={**self.ran, **(ran or {})})

    def under(self, condition: str) -> View:
        """The view where a condition holds."""
        try:
            there = template.expression(condition).guards
        except template.TemplateError:
            there = ()
        return replace(self, holds=self.holds | conjuncts(condition), there=self.there | set(there))

    def is_sure_of(self, name: str) -> bool:
        """Whether a condition makes sure that a step has outputs."""
        return not self.there.isdisjoint({("steps", name), ("steps", name, "outputs")})

    def doubts(self, name: str) -> tuple[Absence, ...]:
        """The reasons for doubt about a step's outputs that no condition rules out."""
        if self.is_sure_of(name):
            return ()
        return tuple(reason for reason in self.ran[name].absences if not self._rules_out(reason))

    def _rules_out(self, reason: Absence) -> bool:
        if reason.owner is not None and self.is_sure_of(reason.owner):
            return True
        return bool(reason.conditions) and reason.conditions <= self.holds


@dataclass(frozen=True)
class Site:
    """One text of a runbook that is, or could be, a template or an expression.

    Attributes:
        path: where it stands in the document.
        bare: whether it is a bare expression.
        wanted: what the value must be, where that is known.
        step: the step it belongs to, if any.
    """

    source: str
    path: Path
    bare: bool
    wanted: Schema | None
    view: View
    step: Step | None

    @cached_property
    def _parsed(self) -> template.Template | template.Expression | template.TemplateError:
        try:
            return template.expression(self.source) if self.bare else template.text(self.source)
        except template.TemplateError as error:
            return error

    @property
    def fault(self) -> template.TemplateError | None:
        """Why it cannot be read, or None."""
        return self._parsed if isinstance(self._parsed, template.TemplateError) else None

    @property
    def is_static(self) -> bool:
        """Whether it is plain text."""
        return isinstance(self._parsed, template.Template) and self._parsed.is_static

    @property
    def references(self) -> tuple[template.Reference, ...]:
        """What it reads; nothing when it cannot be read."""
        return () if isinstance(self._parsed, template.TemplateError) else self._parsed.references

    @cached_property
    def _result(self) -> inference.Result | None:
        return None if isinstance(self._parsed, template.TemplateError) else inference.infer(self._parsed, self.view.scope)

    @property
    def schema(self) -> Schema:
        """Schema of its value, as far as it can be told."""
        return self._result.schema if self._result else {}

    @property
    def problems(self) -> tuple[inference.Problem, ...]:
        """What type inference finds wrong with it."""
        return tuple(self._result.problems) if self._result else ()


def conjuncts(condition: str) -> frozenset[str]:
    """The parts of a condition that all hold when it does; a condition with other operators stays whole."""
    spaced = " ".join(condition.split())
    whole = " or " in spaced or " if " in spaced or "(" in spaced
    return frozenset({spaced} if whole else spaced.split(" and "))
