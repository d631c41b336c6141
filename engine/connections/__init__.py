"""The connections of a run: opened once, when a step first asks; their keys checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.catalog import Catalog
from engine.config import Config
from engine.connections.credentials import Credentials
from engine.contracts import Clock, Need, Surroundings
from engine.errors import KeyProblem, OpsbookError
from engine.model import Runbook, Step, Uses
from engine.secret import Secret


class Connections:
    """Opens connections by name.

    Attributes:
        credentials: the secrets of the run.

    Args:
        learn: makes a secret known to redaction.
        default: the connection to use for steps that name none, instead of the one called like their provider.
        emulate: every connection is the embedded emulator.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        config: Config,
        clock: Clock,
        learn: Callable[[Secret], None],
        default: str | None = None,
        emulate: bool = False,
        emulator_state: Mapping[str, Any] | None = None,
        emulator_journal: Path | None = None,
        emulator_faults: str | None = None,
    ) -> None:
        self._catalog = catalog
        self._config = config
        self._default = default
        self._emulate = emulate
        self._opened: dict[tuple[str, str], Any] = {}
        self.credentials = Credentials(config, learn)
        self._surroundings = Surroundings(
            clock=clock,
            credential=self.credentials.of,
            emulate=emulate,
            emulator_state=emulator_state,
            emulator_journal=emulator_journal,
            emulator_faults=emulator_faults,
        )

    def open(self, uses: str, wanted: str | None) -> Any:
        """The connection of a step. Raises KeyProblem when it is not configured."""
        prefix, name = uses.partition(".")[0], self.name(uses, wanted)
        if (prefix, name) not in self._opened:
            provider = self._catalog.provider(prefix)
            assert provider is not None
            self._opened[prefix, name] = provider.connect(name, self._settings(name), self._surroundings)
        return self._opened[prefix, name]

    def name(self, uses: str, wanted: str | None) -> str:
        """What the connection of a step is called in the configuration."""
        return wanted or self._default or uses.partition(".")[0]

    def close(self) -> None:
        """Gives the sockets of every opened connection back."""
        for connection in self._opened.values():
            connection.close()

    def _settings(self, name: str) -> Mapping[str, Any]:
        settings = self._config.connections.get(name)
        if settings is not None:
            return settings
        if self._emulate:
            return {"service": "emulator"}
        files = ", ".join(self._config.files) or "there is no opsbook.yaml"
        known = ", ".join(self._config.connections) or "none"
        raise KeyProblem(
            f"there is no connection {name!r} ({files})",
            hint=f"add it under connections: in opsbook.yaml, or try the runbook with --emulator; known: {known}",
        )

    def ready(self, runbook: Runbook) -> None:
        """Whether every connection the runbook will use can be opened, and every secret but an emulator's be read; sends nothing.

        Raises:
            KeyProblem: a connection is not configured, or a secret cannot be read.
            Invalid, UsageError: the emulator's state or faults.
        """
        for step, need in self._steps(runbook.every_step()):
            connection = self.open(_uses(step), step.connection)
            if not self._emulate:
                connection.ready(need)
        if not self._emulate:
            self.credentials.ready(runbook)

    def unready(self, step: Step) -> str | None:
        """Why a step that is no part of a runbook cannot be carried out now, or None; sends nothing."""
        assert isinstance(step.body, Uses)
        try:
            connection = self.open(step.body.name, step.connection)
            for need in () if self._emulate else self._catalog.get(step.body.name).needs:
                connection.ready(need)
        except OpsbookError as error:
            return error.message
        return None

    def needs(self, steps: Iterable[Step]) -> list[dict[str, Any]]:
        """What each step asks of which key: rows of `plan --json`."""
        return [
            {
                "step": step.id,
                "right": need.right,
                "kinds": list(need.kinds),
                "key": self.open(_uses(step), step.connection).key_reference(need),
            }
            for step, need in self._steps(steps)
        ]

    def _steps(self, steps: Iterable[Step]) -> Iterator[tuple[Step, Need]]:
        for step in steps:
            if isinstance(step.body, Uses):
                for need in self._catalog.get(step.body.name).needs:
                    yield step, need


def _uses(step: Step) -> str:
    assert isinstance(step.body, Uses)
    return step.body.name
