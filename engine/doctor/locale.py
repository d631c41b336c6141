"""The encoding of names and of what is printed."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence

from engine.contracts import Diagnosis
from engine.patient import Patient

REMEDY = "set LANG=C.UTF-8, or PYTHONUTF8=1"


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Whether both are UTF-8."""
    del patient
    found = {"file names": sys.getfilesystemencoding(), "output": getattr(sys.stdout, "encoding", None) or "utf-8"}
    other = {what: name for what, name in found.items() if codecs.lookup(name).name != "utf-8"}
    if not other:
        return [Diagnosis("ok", "UTF-8")]
    return [Diagnosis("warning", f"{what} are {name}: other characters are written as \\uNNNN", REMEDY) for what, name in other.items()]
