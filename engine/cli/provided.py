"""What a provider's commands may ask of the command line: see engine.contracts.CommandLine."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from engine.cli.options import load_state
from engine.cli.session import Session

if TYPE_CHECKING:
    from engine.cli.setup import ConfigurationFile, Keychain
    from engine.contracts import ConnectionStanding, Surroundings
    from engine.redaction import Redactor
    from engine.secret import Secret

MOST = 65536
"""Bytes read of standard input; a key is far shorter."""


class ProvidedSession(Session):
    """The session of every command line; a class of its own, since carrying out a runbook stands above speaking to people."""

    def say_standing(self, standing: ConnectionStanding) -> None:
        """How a connection stands, for people."""
        from engine.cli.standing import lines

        for line in lines(standing):
            self.say(line)

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""
        return not self.no_input and sys.stdin.isatty()

    @property
    def keychain(self) -> Keychain:
        """Where secrets live; what is read there is known to redaction."""
        from engine.cli.setup import Keychain

        return Keychain(self._known_secrets())

    def ask(self, question: str, *, default: str | None = None, among: Sequence[str] = ()) -> str:
        """What a person answers."""
        kind = click.Choice(among) if among else None
        answer: str = click.prompt(question, default=default, type=kind, err=self.json)
        return answer.strip()

    def ask_secret(self, question: str, reference: str) -> Secret:
        """A secret that a person types unseen, or that stands on standard input. Raises KeyProblem."""
        from engine.secrets import made

        if self.can_ask:
            text = click.prompt(question, hide_input=True, err=self.json)
        else:
            text = sys.stdin.buffer.read(MOST).decode(errors="surrogateescape")
        return made(text, reference, self._known_secrets().learn)

    def surroundings(self) -> Surroundings:
        """The real clock, and secrets made known to redaction."""
        from engine.contracts import Surroundings
        from engine.secret import Credential
        from engine.system.clock import RealClock
        from engine.system.stop import Stop

        return Surroundings(clock=RealClock(Stop()), credential=lambda reference: Credential(reference, self.keychain.read))

    def configuration(self, *, project: bool) -> ConfigurationFile:
        """The file that connections are added to."""
        from engine.cli import setup

        return setup.file(self.config, project=project)

    def _known_secrets(self) -> Redactor:
        from engine.redaction import Redactor

        self.redactor = self.redactor or Redactor()
        return self.redactor

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
