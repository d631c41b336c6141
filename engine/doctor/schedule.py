"""What starts runs by themselves, cron or systemd, and whether what is installed there did run."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.contracts import Diagnosis
from engine.errors import OpsbookError
from engine.execution.executor import spell
from engine.patient import Patient
from engine.schedule import status

DAEMONS = frozenset({"cron", "crond", "fcron", "busybox-crond"})
PROCESSES = Path("/proc")
SYSTEMD = Path("/run/systemd/system")
"""There while systemd runs the machine."""


def examine(patient: Patient) -> Sequence[Diagnosis]:
    """Which of them is there, and each installed trigger that did not begin its last run."""
    return [_starter(), *_installed(patient)]


def _starter() -> Diagnosis:
    there = [name for name, found in (("cron", _cron()), ("systemd", SYSTEMD.is_dir())) if found]
    if there:
        return Diagnosis("ok", f"{' and '.join(there)} can start runs")
    if shutil.which("crontab"):
        remedy = "start it: service cron start (or crond)"
        return Diagnosis("warning", "cron is installed, and its daemon does not run: nothing starts runs by itself", remedy)
    remedy = "install cron where runs are to be scheduled"
    return Diagnosis("warning", "neither cron nor systemd is there: nothing starts runs by itself", remedy)


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


def _installed(patient: Patient) -> Sequence[Diagnosis]:
    """What `schedule status` would say of the installed triggers, as far as the installation is to blame."""
    records = status.installed(patient.app.state)
    gone = status.gone(records)
    files = sorted({record.file for record in records} - {one.record.file for one in gone})
    found = [*map(_gone, gone), *(diagnosis for file in files for diagnosis in _runs(patient, file))]
    return found or ([Diagnosis("ok", f"the last runs of what is installed ({len(records)}) began")] if records else [])


def _gone(one: status.Standing) -> Diagnosis:
    message = f"{one.record.file} is to run at {one.record.trigger!r}, and is not there any more"
    return Diagnosis("problem", message, f"put it back, or {_schedule('remove', one.record.file)}")


def _runs(patient: Patient, file: str) -> Iterator[Diagnosis]:
    """The triggers of one file that did not begin their last run."""
    try:
        entries = patient.app.entries([file])
        for one in status.standings(patient.app.state, entries, datetime.now(UTC)):
            if one.state in _NOT_BEGUN:
                yield _not_begun(one)
    except OpsbookError as error:
        yield Diagnosis("problem", f"{file} is installed, and cannot be read: {error.message}", f"opsbook validate {shlex.quote(file)}")


_NOT_BEGUN = {"missed": "did not happen", "refused": "could not begin"}


def _not_begun(one: status.Standing) -> Diagnosis:
    assert one.moment is not None
    file, trigger = one.record.file, one.record.trigger
    message = f"{file}: the run of {spell(one.moment)} ({trigger!r}) {_NOT_BEGUN[one.state]}"
    if one.state == "refused":
        return Diagnosis("problem", message, f"opsbook validate {shlex.quote(file)}, and opsbook connections")
    again = f"opsbook run {shlex.quote(file)} --scheduled {shlex.quote(trigger)} makes up for it"
    return Diagnosis("problem", message, f"see that cron or systemd runs and has it: {_schedule('install', file)}; {again}")


def _schedule(verb: str, file: str) -> str:
    return f"opsbook schedule {verb} {shlex.quote(file)} (with --systemd for timers)"
