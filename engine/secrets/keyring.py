"""`keyring:SERVICE/USER`: an entry of the desktop's or the machine's keyring, by the library of that name."""

from __future__ import annotations

from engine.errors import KeyProblem

FORM = "keyring:SERVICE/USER"
NAME = r"[^\s/]([^/]*[^\s/])?/[^\s/]([^/]*[^\s/])?"


def read(name: str) -> str:
    """The entry's password. Raises KeyProblem: the library or a keyring is missing, the keyring stays shut, or there is no such entry."""
    service, _, user = name.partition("/")
    try:
        from keyring import get_password
    except ImportError:
        raise KeyProblem(f"keyring:{name} needs the package keyring", hint="pip install 'opsbook[keyring]'") from None
    fault, value = None, None
    try:
        value = get_password(service, user)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own
        fault = type(error).__name__
    if fault is not None:  # outside of the handler: nothing that the backend said hangs on it
        raise KeyProblem(
            f"no keyring could be asked for keyring:{name} ({fault})",
            hint="a server without a desktop session has none: use systemd:, file: or cmd: there; `keyring diagnose` says what is found",
        )
    if value is None:
        raise KeyProblem(f"the keyring has no entry keyring:{name}", hint=f"keyring set {service} {user}")
    return value
