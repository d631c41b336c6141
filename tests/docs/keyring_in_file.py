"""A keyring that outlives its process, for the pages' examples."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class InFile(KeyringBackend):
    """One file in the home folder."""

    priority = 1

    def __init__(self):
        self._file = Path(os.environ["HOME"], "keyring.json")

    def get_password(self, service, username):
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        self._file.write_text(json.dumps(self._entries() | {f"{service}/{username}": password}))

    def _entries(self):
        return json.loads(self._file.read_text()) if self._file.exists() else {}
