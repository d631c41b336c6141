"""What may be wrong with an installation: one file an examination, listed by the id of what it finds."""

from __future__ import annotations

from collections.abc import Iterator

from engine.contracts import Diagnosis
from engine.doctor import clock, configuration, connections, editor, extras, locale, packages, python, schedule, state
from engine.patient import Examination, Patient

EXAMINATIONS: dict[str, Examination] = {
    "clock": clock,
    "configuration": configuration,
    "connections": connections,
    "editor": editor,
    "extras": extras,
    "locale": locale,
    "packages": packages,
    "python": python,
    "schedule": schedule,
    "state": state,
}


def examined(patient: Patient) -> Iterator[tuple[str, Diagnosis]]:
    """Everything found out, by the id of its examination."""
    for name, examination in EXAMINATIONS.items():
        for diagnosis in examination.examine(patient):
            yield name, diagnosis
