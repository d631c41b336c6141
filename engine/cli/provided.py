"""What a provider's commands may ask of the command line: see engine.contracts.CommandLine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.cli.options import load_state
from engine.cli.session import Session


class ProvidedSession(Session):
    """The session of every command line; a class of its own, since carrying out a runbook stands above speaking to people."""

    def load_mapping(self, path: str) -> Mapping[str, Any]:
        """A YAML file that holds a mapping. Raises Invalid."""
        return load_state(path) or {}

    def run_runbook(self, path: str, given: Sequence[str], *, emulator_state: Mapping[str, Any], faults: str | None) -> int:
        """Carries a runbook out on the embedded emulator; returns the exit status."""
        from engine.app import Options
        from engine.cli.run import carry_out

        options = Options(config="", emulator=True, emulator_state=emulator_state, emulator_faults=faults)
        return carry_out(self, options, path, given)

    def shipped_runbook(self, name: str) -> str:
        """Path of a runbook that comes with opsbook."""
        from engine.shipped import folder

        return str(folder("runbooks") / f"{name}.yaml")
