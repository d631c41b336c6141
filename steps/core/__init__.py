"""Steps of the engine's own: they need no connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from engine.contracts import Need, Provider, Schema, Step, Surroundings
from engine.errors import KeyProblem
from steps.core.assert_ import Assert
from steps.core.command import Command
from steps.core.http import Http
from steps.core.log import Log
from steps.core.set_ import Set
from steps.core.state_get import StateGet
from steps.core.state_set import StateSet
from steps.core.write import Write

STEPS: dict[str, Step] = {
    "core.assert": Assert(),
    "core.command": Command(),
    "core.http": Http(),
    "core.log": Log(),
    "core.set": Set(),
    "core.state.get": StateGet(),
    "core.state.set": StateSet(),
    "core.write": Write(),
}

_NO_SETTINGS: Schema = {}


class Core:
    """The provider of `core.*`."""

    settings_schema = _NO_SETTINGS
    notices: Mapping[str, str] = {}

    def steps(self) -> Mapping[str, Step]:
        """Every step by its full name."""
        return STEPS

    def connect(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> NoReturn:
        """Raises KeyProblem: these steps use no connection."""
        del settings, surroundings
        raise KeyProblem(f"core steps use no connection, so {name!r} cannot be opened for one", hint="leave `connection` out of the step")

    def key_findings(self, settings: Mapping[str, Any], need: Need) -> str | None:
        """None: these steps need no key."""
        del settings, need
        return None

    def commands(self) -> Sequence[Any]:
        """None."""
        return ()


PROVIDER: Provider = Core()
