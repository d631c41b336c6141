"""What a static check looks at: one runbook, the steps there are, and the keys of its connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from engine import analysis, inference
from engine.analysis.site import Site
from engine.contracts import Need
from engine.contracts import Step as StepType
from engine.errors import Finding
from engine.language import notices
from engine.model import Runbook, Step, Uses
from engine.source import Document

Keys = Callable[[Step, Need], str | None]
"""Why no key of a step's connection can meet a need, or None when one can."""

_LOOSE = {'"': "[\"']", " ": r"\s*"}
"""Characters that an author may have written otherwise than a message does."""


@dataclass(frozen=True)
class Subject:
    """One runbook, ready to be checked.

    Attributes:
        catalogue: finds a step by name; None when there is no such step.
        keys: what the configuration says of keys; None where there is no configuration.
        connections: the names of the connections there are; none where any name will do.
    """

    document: Document
    runbook: Runbook
    catalogue: Callable[[str], StepType | None]
    keys: Keys | None = None
    connections: Callable[[], Collection[str]] = tuple

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every text that is or could be a template or an expression."""
        return analysis.sites(self.runbook, self.catalogue)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step, those inside blocks included."""
        return tuple(self.runbook.every_step())

    @cached_property
    def notices(self) -> tuple[Step, ...]:
        """The steps that tell a service of a run's end."""
        return tuple(one.step for one in notices.written(self.runbook, self.catalogue))

    def kind(self, step: Step) -> StepType | None:
        """The operation of a `uses` step; None for every other."""
        return self.catalogue(step.body.name) if isinstance(step.body, Uses) else None

    def problems(self, *kinds: inference.Kind) -> Iterator[tuple[Site, inference.Problem]]:
        """What type inference finds wrong, of these kinds, and where."""
        return ((site, problem) for site in self.sites for problem in site.problems if problem.kind in kinds)

    def at(
        self,
        site: Site,
        id: str,  # noqa: A002 - the name that Finding has
        message: str,
        *,
        fragment: str | None = None,
        hint: str | None = None,
        severity: Literal["error", "warning"] = "error",
    ) -> Finding:
        """A finding about a site, or a fragment of it, which is found in spite of other blanks and other quotes."""
        written = _written(site.source, fragment) if fragment else None
        return self.document.finding(id, message, site.path, fragment=written, hint=hint, severity=severity)


def _written(source: str, fragment: str) -> str:
    """A fragment as the author wrote it."""
    if fragment in source:
        return fragment
    loose = "".join(_LOOSE.get(char, re.escape(char)) for char in fragment)
    found = re.search(loose, source)
    return found[0] if found else fragment


class Check(Protocol):
    """One static check; a module of engine/checks whose docstring is its page."""

    IDS: tuple[str, ...]
    """The ids of its findings."""

    def check(self, subject: Subject) -> Iterable[Finding]:
        """Everything it finds wrong."""
