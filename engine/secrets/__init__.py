"""Where secrets live: one file a source, listed by the word before the colon of a reference."""

from __future__ import annotations

import resource
from collections.abc import Callable

from engine.contracts import SecretSource
from engine.errors import KeyProblem
from engine.secret import Secret
from engine.secrets import env, file

SOURCES: dict[str, SecretSource] = {
    "env": env,
    "file": file,
}

SHORTEST = 8
"""Characters: a shorter secret could not be told from ordinary text when it is masked."""


def resolve(reference: str, learn: Callable[[Secret], None]) -> Secret:
    """The secret a reference names, made known to redaction before anybody sees it.

    Raises:
        KeyProblem: there is no such source, or it does not give a usable value.
    """
    source, _, name = reference.partition(":")
    if source not in SOURCES or not name:
        known = ", ".join(f"{word}:…" for word in SOURCES)
        raise KeyProblem("a key must be a reference to where it lives, never the key itself", hint=f"write one of {known}")
    _no_core_dumps()
    value = SOURCES[source].read(name).strip()
    if len(value) < SHORTEST or not value.isprintable():
        raise KeyProblem(f"what {reference} gives is no usable key: shorter than {SHORTEST} characters, or not plain text")
    secret = Secret(value, reference)
    learn(secret)
    return secret


def _no_core_dumps() -> None:
    """A dump of a process that holds keys would hold them too, and lie where others may read it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
