"""`systemd:NAME`: a credential that systemd hands to a service."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import KeyProblem
from engine.secrets import file

FORM = "systemd:NAME"
NAME = r"(?!\.{1,2}$)[^/\s]+"


def read(name: str) -> str:
    """The credential's text. Raises KeyProblem when this is no service with that credential."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    remedy = f"write LoadCredential={name}:/path/of/the/key, or LoadCredentialEncrypted=, under [Service] of the unit"
    if not folder:
        raise KeyProblem(f"systemd:{name} is there only in a service that systemd started with credentials", hint=remedy)
    path = Path(folder, name)
    if not os.path.lexists(path):
        raise KeyProblem(f"the service was started without the credential {name}", hint=remedy)
    return file.read(str(path))
