"""Places outside of the process: where secrets live, and where copies of the audit log go."""

from __future__ import annotations

from typing import Protocol


class SecretSource(Protocol):
    """Where a secret may live; a module of engine/secrets.

    Attributes:
        FORM: how a reference is written (`env:NAME`).
        NAME: the regular expression that what stands behind the colon matches whole.
    """

    @property
    def FORM(self) -> str: ...  # noqa: N802, D102 - a constant of the module

    @property
    def NAME(self) -> str: ...  # noqa: N802, D102 - a constant of the module

    def read(self, name: str) -> str:
        """The value behind a name. Raises KeyProblem."""


class SecretStore(SecretSource, Protocol):
    """A source of secrets that a secret can be put into, too."""

    def holds(self, name: str) -> bool:
        """Whether there is a value behind a name. Raises KeyProblem when that cannot be told."""

    def store(self, name: str, value: str) -> None:
        """Puts a value behind a name, in the place of the one before. Raises KeyProblem."""


class Sink(Protocol):
    """A second place for the audit log; a module of engine/sinks."""

    def write(self, line: bytes) -> None:
        """Takes one event: its line as the log has it, with the line feed. Raises OSError."""

    def catch_up(self, line: bytes) -> None:
        """Takes the last line that an earlier process of a run wrote, unless it is known to be here. Raises OSError."""

    def sync(self) -> None:
        """What was written is as safe as this place can make it. Raises OSError."""

    def close(self) -> None:
        """Gives its file or socket back."""
