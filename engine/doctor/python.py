"""The interpreter: new enough, and which one it is."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

from engine.contracts import Diagnosis
from engine.patient import Patient

OLDEST = (3, 11)


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """The version this process runs on."""
    del patient
    found = f"Python {platform.python_version()} at {sys.executable or 'an unknown place'}"
    if sys.version_info[:2] < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return [Diagnosis("problem", f"{found}; {wanted} or newer is needed", f"install Python {wanted}, then: pipx reinstall opsbook")]
    return [Diagnosis("ok", found)]
