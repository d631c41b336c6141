"""`keyring:SERVICE/USER`: an entry of the desktop's or the machine's keyring, by the library of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.errors import KeyProblem

FORM = "keyring:SERVICE/USER"
NAME = r"[^\s/]([^/]*[^\s/])?/[^\s/]([^/]*[^\s/])?"


def read(name: str) -> str:
    """The entry's password. Raises KeyProblem: the library or a keyring is missing, the keyring stays shut, or there is no such entry."""
    value = _asked(name)
    if value is None:
        raise KeyProblem(f"the keyring has no entry keyring:{name}", hint="keyring set {} {}".format(*_parted(name)))
    return value


def holds(name: str) -> bool:
    """Whether there is such an entry. Raises KeyProblem as `read` does."""
    return _asked(name) is not None


def store(name: str, value: str) -> None:
    """Puts the value into the entry. Raises KeyProblem: the library or a keyring is missing, or the keyring stays shut."""
    _ask(name, lambda keyring: keyring.set_password(*_parted(name), value))


def _asked(name: str) -> str | None:
    found: str | None = _ask(name, lambda keyring: keyring.get_password(*_parted(name)))
    return found


def _parted(name: str) -> tuple[str, str]:
    service, _, user = name.partition("/")
    return service, user


def _ask(name: str, question: Callable[[Any], Any]) -> Any:
    """What the keyring answers. Raises KeyProblem."""
    try:
        import keyring
    except ImportError:
        raise KeyProblem(f"keyring:{name} needs the package keyring", hint="pip install 'opsbook[keyring]'") from None
    try:
        return question(keyring)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own
        fault = type(error).__name__
    raise KeyProblem(  # outside of the handler: nothing that the backend said hangs on it
        f"no keyring could be asked for keyring:{name} ({fault})",
        hint="a server without a desktop session has none: use systemd:, file: or cmd: there; `keyring diagnose` says what is found",
    )
