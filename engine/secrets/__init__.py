"""Where secrets live: one file a source, listed by the word before the colon of a reference."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.contracts import SecretSource
from engine.errors import KeyProblem
from engine.secret import SHORTEST, Secret, no_core_dumps, told
from engine.secrets import cmd, env, file, keyring, systemd

SOURCES: dict[str, SecretSource] = {
    "cmd": cmd,
    "env": env,
    "file": file,
    "keyring": keyring,
    "systemd": systemd,
}


LONGEST = 4096
"""Characters: what redaction looks for grows with each of them, and a longer secret would hold a run up for many seconds."""

PATTERN = "^(" + "|".join(f"{word}:{source.NAME}" for word, source in SOURCES.items()) + ")$"
"""What every reference is like."""


def forms() -> str:
    """How references are written, one for each source."""
    *most, last = (source.FORM for source in SOURCES.values())
    return f"{', '.join(most)} or {last}"


def parted(reference: str) -> tuple[SecretSource, str]:
    """The source and the name that a reference names. Raises KeyProblem; its message holds nothing of what was given."""
    word, _, name = reference.partition(":")
    if word not in SOURCES or not re.fullmatch(SOURCES[word].NAME, name):
        raise KeyProblem("a key must be a reference to where it lives, never the key itself", hint=f"write {forms()}")
    return SOURCES[word], name


def resolve(reference: str, learn: Callable[[Secret], None]) -> Secret:
    """The secret a reference names, made known to redaction before anybody sees it.

    Raises:
        KeyProblem: there is no such source, or it does not give a usable value.
    """
    source, name = parted(reference)
    no_core_dumps()
    return made(source.read(name), reference, learn)


def made(text: str, reference: str, learn: Callable[[Secret], None]) -> Secret:
    """The secret that a text is, what is blank around it aside, made known to redaction. Raises KeyProblem when it is no usable value."""
    value = text.strip()
    if len(value) > LONGEST:
        raise KeyProblem(f"what {told(reference)} gives is no usable key: longer than {LONGEST} characters")
    if len(value) < SHORTEST or not value.isprintable():
        fault = f"shorter than {SHORTEST} characters, of more than one line, or not plain text"
        raise KeyProblem(f"what was given for {told(reference)} is no usable key: {fault}")
    secret = Secret(value, reference)
    learn(secret)
    return secret
