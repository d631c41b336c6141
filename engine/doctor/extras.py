"""The optional parts: what is installed, and whether the configuration uses one that is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from engine.config import Config
from engine.contracts import Diagnosis
from engine.patient import Patient

EXTRAS = {"keyring": "keyring", "otel": "opentelemetry"}
"""Name of the extra → the module it brings."""


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Each extra, and keys that live in a keyring nobody can ask."""
    there = {name: find_spec(module) is not None for name, module in EXTRAS.items()}
    found = patient.configuration
    keyring = isinstance(found, Config) and any(str(text).startswith("keyring:") for text in _texts([found.connections, found.secrets]))
    if keyring and not there["keyring"]:
        return [Diagnosis("problem", "keys live in a keyring, and the library that asks it is missing", "pip install 'opsbook[keyring]'")]
    told = ", ".join(f"{name} is {'installed' if has else 'not installed'}" for name, has in there.items())
    return [Diagnosis("ok", told)]


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield value
