"""Every step by name, found by the prefix of the name; a provider is imported when one of its steps is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import cast

from engine.contracts import Provider, Step
from engine.errors import UsageError

ENTRY_POINTS = "opsbook.steps"
"""Group under which other packages offer providers; read only for a prefix the table lacks, since reading it costs start-up."""


class Catalog:
    """The steps of several providers.

    Args:
        table: prefix → `module:attribute` of a provider.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Prefixes of the built-in providers."""
        return tuple(self._table)

    def provider(self, prefix: str) -> Provider | None:
        """The provider of a prefix, or None."""
        place = self._table.get(prefix) or _offered(prefix)
        return None if place is None else _load(place)

    def find(self, name: str) -> Step | None:
        """The step of a name, or of a word for what the end of a run asks for (no step's name is one word), or None."""
        if "." not in name:
            return self._serving(name)
        provider = self.provider(name.partition(".")[0])
        return None if provider is None else provider.steps().get(name)

    def _serving(self, word: str) -> Step | None:
        """The step of the first provider that serves a word of engine.language.notices."""
        providers = (self.provider(prefix) for prefix in self._table)
        return next((provider.steps()[provider.notices[word]] for provider in providers if provider and word in provider.notices), None)

    def get(self, name: str) -> Step:
        """The step of a name. Raises UsageError when there is none."""
        step = self.find(name)
        if step is None:
            raise UsageError(f"there is no step {name!r}", hint="opsbook steps list shows every step")
        return step

    def steps(self) -> dict[str, Step]:
        """Every step of the built-in providers, by name, sorted."""
        found: dict[str, Step] = {}
        for prefix in self._table:
            provider = self.provider(prefix)
            found.update(provider.steps() if provider else {})
        return dict(sorted(found.items()))


@cache
def _offered(prefix: str) -> str | None:
    from importlib.metadata import entry_points

    return next((point.value for point in entry_points(group=ENTRY_POINTS, name=prefix)), None)


@cache
def _load(place: str) -> Provider:
    module, _, attribute = place.partition(":")
    return cast("Provider", getattr(importlib.import_module(module), attribute))
