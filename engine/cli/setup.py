"""What a command that connects a service may use: the places where secrets live, and the configuration's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine import secrets
from engine.secret import Secret

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from engine.contracts import SecretStore
    from engine.redaction import Redactor


class Keychain:
    """See engine.contracts.Keychain."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def forms(self) -> Mapping[str, str]:
        """Each source by the form of its references, and what it is: the first sentence of its module."""
        return {source.FORM: str(source.__doc__).partition("`: ")[2].splitlines()[0].rstrip(".") for source in secrets.SOURCES.values()}

    def whole(self, reference: str) -> str:
        """A reference that means the same in every folder. Raises KeyProblem when it is none."""
        from engine.config import absolute

        secrets.parted(reference)
        return absolute(reference, Path.cwd())

    def read(self, reference: str) -> Secret:
        """The secret, made known to redaction. Raises KeyProblem."""
        return secrets.resolve(reference, self._redactor.learn)

    def can_store(self, reference: str) -> bool:
        """Whether a secret can be put there."""
        return hasattr(secrets.parted(reference)[0], "store")

    def holds(self, reference: str) -> bool:
        """Whether a secret is there already. Raises KeyProblem."""
        store, name = self._store(reference)
        return store.holds(name)

    def store(self, secret: Secret) -> None:
        """Puts a secret where its reference says. Raises KeyProblem."""
        store, name = self._store(secret.reference)
        store.store(name, secret.reveal())

    def _store(self, reference: str) -> tuple[SecretStore, str]:
        source, name = secrets.parted(reference)
        return cast("SecretStore", source), name


class ConfigurationFile:
    """See engine.contracts.ConfigurationFile.

    Args:
        path: the file.
        given: what `--config` says, which decides what else is read.
    """

    def __init__(self, path: Path, given: str | None) -> None:
        self.path = path
        self._given = given

    def connection(self, name: str) -> Mapping[str, Any] | None:
        """What the file says of a connection, or None. Raises Invalid."""
        from engine import config, source

        if not self.path.exists():
            return None
        value = config.checked(source.content(self.path), self.path, _schema()) or {}
        found: Mapping[str, Any] | None = value.get("connections", {}).get(name)
        return found

    def check(self, name: str, settings: Mapping[str, Any]) -> None:
        """Raises UsageError when no connection may be like that; its message holds no value."""
        from engine import config, schema
        from engine.errors import UsageError

        for problem in schema.problems({"connections": {name: settings}}, config.published(_schema())):
            raise UsageError(f"{schema.spell_path(problem.path).lstrip('.')}: {problem.message}", hint=problem.hint)

    def adding(self, name: str, settings: Mapping[str, Any], key: Mapping[str, Any]) -> AbstractContextManager[bool]:
        """Adds a key, and its connection where that is new. Raises Invalid and UsageError."""
        from engine.config.edit import adding

        return adding(self.path, name, settings, {**key, "secret": self._shared(key["secret"])}, _schema())

    def _shared(self, reference: str) -> str:
        """A reference to a file below this one's folder in the form that is right on every machine."""
        from engine.config import own_file

        word, _, name = reference.partition(":")
        if word != "file" or self.path == own_file() or not Path(name).is_relative_to(self.path.parent):
            return reference
        return f"file:{Path(name).relative_to(self.path.parent)}"

    def hidden_by(self, name: str) -> str | None:
        """The stronger file whose connection of that name is used instead, or None. Raises Invalid."""
        from engine import config

        for file in config.load(self._given, _schema()).files:
            if Path(file).resolve() == self.path.resolve():
                return None
            if ConfigurationFile(Path(file), self._given).connection(name) is not None:
                return file
        return None


def file(given: str | None, *, project: bool) -> ConfigurationFile:
    """The file that `--config` or `OPSBOOK_CONFIG` names, else the project's or the user's own."""
    from engine import config

    chosen = config.chosen(given)
    if chosen:
        return ConfigurationFile(chosen, given)
    return ConfigurationFile((config.project_file() or Path(config.NAME).absolute()) if project else config.own_file(), given)


def _schema() -> Mapping[str, Any]:
    from engine.catalog import Catalog
    from engine.project import PROVIDERS, connection_schema

    return connection_schema(Catalog(PROVIDERS))
