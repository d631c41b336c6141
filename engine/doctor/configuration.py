"""The configuration: it can be read, and only its owner can change it."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from engine.config import Config
from engine.contracts import Diagnosis
from engine.patient import Patient


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """What is wrong in it, and who may change it."""
    found = patient.configuration
    if not isinstance(found, Config):
        return [
            Diagnosis("problem", f"{one.place or ''}: {one.message}".lstrip(": "), one.hint or "opsbook schema --config") for one in found
        ]
    if not found.files:
        return [Diagnosis("ok", "there is none; opsbook connect opsgenie makes one")]
    return [_file(Path(file)) for file in found.files]


def _file(path: Path) -> Diagnosis:
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Diagnosis("warning", f"{path} may be changed by other users, and says where keys are sent", f"chmod go-w {path}")
    return Diagnosis("ok", f"{path} is sound")
