"""The state folder: there, ours, private, writable, and with room on its disk."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.contracts import Diagnosis
from engine.patient import Patient
from engine.system import disk

FEW, TOO_FEW = 1 << 30, 50 << 20
"""Bytes free on the disk: a warning below the first, a problem below the second."""
_ELSEWHERE = "or name another folder in OPSBOOK_STATE"


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Whether runs can be written down, and by nobody else."""
    root = patient.state
    found = list(_folder(root))
    return found or [Diagnosis("ok", f"{root} is private and writable, {_spelt(_free(root))} are free")]


def _folder(root: Path) -> Iterator[Diagnosis]:
    there = _nearest(root)
    if not os.access(there, os.W_OK | os.X_OK):
        yield Diagnosis("problem", f"{there} cannot be written: no run would begin", f"chown it to this user, {_ELSEWHERE}")
    elif root.is_dir():
        yield from _private(root)
    free = _free(root)
    if free < FEW:
        message = f"{_spelt(free)} are free for {root}; a run stops when what it did cannot be written down"
        yield Diagnosis("problem" if free < TOO_FEW else "warning", message, f"free the disk (opsbook runs list --json), {_ELSEWHERE}")


def _private(root: Path) -> Iterator[Diagnosis]:
    found = root.stat()
    if found.st_uid != os.geteuid():
        yield Diagnosis("problem", f"{root} belongs to another user", f"run opsbook as that user, {_ELSEWHERE}")
    elif stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        yield Diagnosis("warning", f"{root} is open to other users", f"chmod {disk.PRIVATE_FOLDER:o} {root}")


def _nearest(root: Path) -> Path:
    """The folder, or the one above it in which it would be made."""
    return next(path for path in (root, *root.parents) if path.exists())


def _free(root: Path) -> int:
    return shutil.disk_usage(_nearest(root)).free


def _spelt(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB" if size >= 1 << 30 else f"{size >> 20} MB"
