"""The connections: reached, and with keys that do what the configuration says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from engine.config import Config
from engine.contracts import ConnectionStanding, Diagnosis
from engine.patient import Patient

SOON = 180
"""Days before the end of a service's API from which on it is a warning."""


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Each key of each connection, tried by reads."""
    found = patient.configuration
    if not isinstance(found, Config):
        return [Diagnosis("ok", "not tried: the configuration cannot be read")]
    if not found.connections:
        return [Diagnosis("warning", "there is none: runbooks can only be tried with --emulator", "opsbook connect opsgenie")]
    if patient.offline:
        return [Diagnosis("ok", f"not tried: {len(found.connections)} configured")]
    return [diagnosis for standing in patient.standings for diagnosis in _standing(standing)]


def _standing(standing: ConnectionStanding) -> Iterator[Diagnosis]:
    where = f"{standing.name} ({standing.address})"
    wrong = [key for key in standing.keys if key.problem]
    for key in wrong:
        yield Diagnosis("problem", f"{where}: {key.kind} key {key.reference}: {key.problem}", key.hint)
    if not standing.keys:
        yield Diagnosis("problem", f"{where}: no key is configured", f"opsbook connect opsgenie --name {standing.name}")
    elif not wrong:
        yield Diagnosis("ok", f"{where}: {len(standing.keys)} {'key works' if len(standing.keys) == 1 else 'keys work'}")
    yield from _end(standing)


def _end(standing: ConnectionStanding) -> Iterator[Diagnosis]:
    if standing.ends is None:
        return
    left = (standing.ends - datetime.now(UTC).date()).days
    if left < SOON:
        message = f"{standing.name}: the service's API ends on {standing.ends}, {f'in {left} days' if left >= 0 else f'{-left} days ago'}"
        yield Diagnosis("warning", message, "plan the move to its successor")
