"""The published schema, and whether the editors of this project's runbooks find it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import shipped
from engine.contracts import Diagnosis
from engine.patient import Patient

FOLDER = "runbooks"
_MODELINE = re.compile(rb"\A[^\n]{0,200}yaml-language-server:\s*\$schema=(\S+)")
_MOST = 500


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """The schema of runbooks, and the first line of those in `runbooks/` that names it."""
    del patient
    schema = shipped.folder("schemas") / "runbook.schema.json"
    if not schema.is_file():
        return [Diagnosis("problem", f"{schema} is missing: the installation is not whole", "pipx reinstall opsbook")]
    lost = list(_lost(Path(FOLDER)))
    return lost or [Diagnosis("ok", f"the schema of runbooks is {schema}")]


def _lost(folder: Path) -> Iterator[Diagnosis]:
    """Runbooks whose first line sends the editor to a schema that is not there; an address on the web is not tried."""
    for path in sorted(folder.glob("*.y*ml"))[:_MOST]:
        named = _named(path)
        if named and "://" not in named and not (path.parent / named).is_file():
            remedy = f"opsbook schema > {path.parent / named}"
            yield Diagnosis("warning", f"{path}: its editor looks for the schema at {named}, where there is none", remedy)


def _named(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            match = _MODELINE.match(file.read(512))
    except OSError:
        return None
    return match[1].decode(errors="replace") if match else None
