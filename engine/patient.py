"""An installation as `doctor` looks at it: what several examinations ask for is found out once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from engine.app import App
from engine.config import Config
from engine.contracts import ConnectionStanding, Diagnosis
from engine.errors import Finding, Invalid


class Patient:
    """One installation.

    Attributes:
        offline: no connection is tried.
    """

    def __init__(self, app: App, *, offline: bool) -> None:
        self.app = app
        self.offline = offline

    @property
    def state(self) -> Path:
        """The state folder, whether or not it is there."""
        return self.app.state.root

    @cached_property
    def configuration(self) -> Config | tuple[Finding, ...]:
        """The configuration, or what is wrong with it."""
        try:
            return self.app.config
        except Invalid as invalid:
            return invalid.findings

    @cached_property
    def standings(self) -> Sequence[ConnectionStanding]:
        """How the connections stand; none when nothing is to be sent, or none is configured."""
        configured = isinstance(self.configuration, Config) and self.configuration.connections
        return self.app.standings() if configured and not self.offline else ()


class Examination(Protocol):
    """One thing to look at; a module of engine/doctor."""

    def examine(self, patient: Patient) -> Sequence[Diagnosis]:
        """What is found, at least one diagnosis."""
