"""The packages: both import names are ours and nobody else's, and what they need is there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from engine.contracts import Diagnosis
from engine.patient import Patient

OURS = ("engine", "steps")
DISTRIBUTION = "opsbook"
_ALONE = "give opsbook an environment of its own: pipx install opsbook, or uv tool install opsbook"


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """What may be imported in our place or is missing."""
    del patient
    found = [*_foreign(), *_shadowing(), *_missing()]
    home = Path(__file__).parents[2]
    return found or [Diagnosis("ok", f"{' and '.join(OURS)} are opsbook's own, in {home}")]


def _foreign() -> Iterator[Diagnosis]:
    """Other distributions that bring a package of our names: the one installed last has overwritten files of the other."""
    owners = metadata.packages_distributions()
    for name in OURS:
        for other in sorted({owner for owner in owners.get(name, ()) if owner.lower() != DISTRIBUTION}):
            yield Diagnosis("problem", f"the package {other} brings a module {name} too, into the same place", _ALONE)


def _shadowing() -> Iterator[Diagnosis]:
    """Modules of our names elsewhere on the path, which another order of folders would take for ours."""
    home = Path(__file__).resolve().parents[2]
    for folder in dict.fromkeys(Path(entry or ".").resolve() for entry in sys.path):
        for name in OURS:
            if folder != home and ((folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file()):
                message = f"{folder} holds another module {name}; Python may take it for opsbook's"
                yield Diagnosis("warning", message, f"take {folder} out of PYTHONPATH, or {_ALONE}")


def _missing() -> Iterator[Diagnosis]:
    """Libraries that opsbook asks for and that are not installed."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run out of its source
        return
    for requirement in wanted:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement and not _installed(name):
            yield Diagnosis("problem", f"the library {name} is not installed", f"pipx reinstall opsbook, or pip install '{requirement}'")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
