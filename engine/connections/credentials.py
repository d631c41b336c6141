"""The secrets of one run: each reference is asked for once, by whatever name and connection, and each answer is told to the audit log."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine import secrets
from engine.advice import did_you_mean
from engine.config import Config
from engine.errors import KeyProblem
from engine.model import Runbook
from engine.secret import Credential, Secret, SecretName


class Credentials:
    """What connections and steps get their secrets from. Safe between threads.

    Args:
        learn: makes a secret known to redaction.
    """

    def __init__(self, config: Config, learn: Callable[[Secret], None]) -> None:
        self._config = config
        self._learn = learn
        self._known: dict[str, Credential] = {}
        self._untold: list[Secret] = []
        self._tell: Callable[[Secret], object] = self._untold.append
        self._lock = threading.Lock()

    def of(self, reference: str) -> Credential:
        """The credential of a reference, always the same; asks no source."""
        with self._lock:
            if reference not in self._known:
                self._known[reference] = Credential(reference, self._resolve)
            return self._known[reference]

    def named(self, named: SecretName, runbook: Runbook) -> Credential:
        """The credential of a name that a runbook lists. Raises KeyProblem: it does not list it, or the configuration has none."""
        name, references = named.name, self._config.secrets
        if name not in runbook.secrets:
            raise KeyProblem(f"the runbook does not list the secret {name}", hint=f"write secrets: [{name}] at its top")
        if name not in references:
            files = ", ".join(self._config.files) or "there is no opsbook.yaml"
            near = did_you_mean(name, references)
            hint = near or f'say where it lives in opsbook.yaml, such as secrets: {{{name}: "env:{name}"}}'
            raise KeyProblem(f"the secret {name} has no reference in the configuration ({files})", hint=hint)
        return self.of(references[name])

    def ready(self, runbook: Runbook) -> None:
        """Whether every secret that a runbook lists is there and can be read. Raises KeyProblem; sends nothing."""
        for name in runbook.secrets:
            self.named(SecretName(name), runbook).secret()

    def tell(self, listener: Callable[[Secret], object]) -> None:
        """From now on each answer of a source is told to the listener, those from before first."""
        for secret in self._untold:
            listener(secret)
        self._tell = listener

    def _resolve(self, reference: str) -> Secret:
        secret = secrets.resolve(reference, self._learn)
        self._tell(secret)
        return secret
