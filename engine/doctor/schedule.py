"""What starts runs by themselves: cron or systemd."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.contracts import Diagnosis
from engine.patient import Patient

DAEMONS = frozenset({"cron", "crond", "fcron", "busybox-crond"})
PROCESSES = Path("/proc")
SYSTEMD = Path("/run/systemd/system")
"""There while systemd runs the machine."""


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Which of them is there."""
    del patient
    there = [name for name, found in (("cron", _cron()), ("systemd", SYSTEMD.is_dir())) if found]
    if there:
        return [Diagnosis("ok", f"{' and '.join(there)} can start runs")]
    if shutil.which("crontab"):
        remedy = "start it: service cron start (or crond)"
        return [Diagnosis("warning", "cron is installed, and its daemon does not run: nothing starts runs by itself", remedy)]
    return [
        Diagnosis(
            "warning", "neither cron nor systemd is there: nothing starts runs by itself", "install cron where runs are to be scheduled"
        )
    ]


def _cron() -> bool:
    """Whether a daemon of cron runs."""
    return any(name in DAEMONS for name in _names())


def _names() -> Iterator[str]:
    """Names of the processes there are, as far as the system tells them."""
    for listed in PROCESSES.glob("[0-9]*/comm"):
        try:
            yield listed.read_text(errors="replace").strip()
        except OSError:  # it has ended meanwhile
            continue
