"""What a provider's own commands may ask of the command line they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from engine.contracts.providers import ConnectionStanding, Surroundings
from engine.secret import Secret


class Keychain(Protocol):
    """The places where secrets live, as a command that connects something uses them."""

    def forms(self) -> Mapping[str, str]:
        """Each source by how its references are written (`env:NAME`), and what it is."""

    def whole(self, reference: str) -> str:
        """A reference that means the same in every folder. Raises KeyProblem when it is none; its message holds nothing of the text."""

    def read(self, reference: str) -> Secret:
        """The secret, made known to redaction. Raises KeyProblem."""

    def can_store(self, reference: str) -> bool:
        """Whether a secret can be put there."""

    def holds(self, reference: str) -> bool:
        """Whether a secret is there already, in a place that one can be put into. Raises KeyProblem."""

    def store(self, secret: Secret) -> None:
        """Puts a secret where its reference says. Raises KeyProblem."""


class ConfigurationFile(Protocol):
    """One configuration file, as a command that connects something uses it.

    Attributes:
        path: where it lies or will lie.
    """

    path: Path

    def connection(self, name: str) -> Mapping[str, Any] | None:
        """What the file says of a connection, or None. Raises Invalid."""

    def check(self, name: str, settings: Mapping[str, Any]) -> None:
        """Raises UsageError when no connection may be like that; its message holds no value."""

    def adding(self, name: str, settings: Mapping[str, Any], key: Mapping[str, Any]) -> AbstractContextManager[bool]:
        """Adds a key, and its connection where that is new; gives whether the file changes.

        What speaks against it is raised at the beginning, as Invalid or UsageError; the file is written at the end, unless what is done
        in between fails.
        """

    def hidden_by(self, name: str) -> str | None:
        """The stronger file whose connection of that name is used instead, or None."""


class CommandLine(Protocol):
    """What a provider's commands may ask of the command line they stand in: `click.Context.obj`.

    Attributes:
        can_ask: whether there is somebody to ask.
        keychain: where secrets live.
    """

    json: bool
    quiet: bool

    @property
    def can_ask(self) -> bool: ...  # noqa: D102 - see above

    @property
    def keychain(self) -> Keychain: ...  # noqa: D102 - see above

    def ask(self, question: str, *, default: str | None = None, among: Sequence[str] = ()) -> str:
        """What a person answers; only where `can_ask`."""

    def ask_secret(self, question: str, reference: str) -> Secret:
        """A secret that a person types unseen, or that stands on standard input where nobody can be asked. Raises KeyProblem."""

    def surroundings(self) -> Surroundings:
        """The real clock, and secrets made known to redaction."""

    def configuration(self, *, project: bool) -> ConfigurationFile:
        """The file that connections are added to: the one the command line names, else the project's or the user's."""

    def say(self, message: str) -> None:
        """A message for people."""

    def say_standing(self, standing: ConnectionStanding) -> None:
        """How a connection stands, for people."""

    def print_json(self, document: Any) -> None:
        """The one document on standard output."""

    def load_mapping(self, path: str) -> Mapping[str, Any]:
        """A YAML file that holds a mapping, as a FromFile. Raises Invalid."""

    def run_runbook(self, path: str, given: Sequence[str], *, emulator_state: Mapping[str, Any], faults: str | None) -> int:
        """Carries a runbook out on the embedded emulator, as `run --emulator` does; returns the exit status."""

    def shipped_runbook(self, name: str) -> str:
        """Path of a runbook that comes with opsbook."""
