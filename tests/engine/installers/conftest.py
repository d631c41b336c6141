"""Stand-ins for the programs crontab and systemctl."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.model import Trigger
from engine.schedule.command import Command
from engine.schedule.entry import Entry
from engine.schedule.wanted import Wanted

CRONTAB = """\
#!/bin/sh
case "$1" in
  -l) if [ -f {file} ]; then cat {file}; else echo "no crontab for me" >&2; exit 1; fi ;;
  -) cat > {file} ;;
esac
"""
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {file}
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program on PATH; `{file}` in its text is a file of its own, which is returned."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def program(name, text):
        kept = tmp_path / f"{name}.kept"
        (folder / name).write_text(text.format(file=kept))
        (folder / name).chmod(0o755)
        return kept

    return program


@pytest.fixture
def wanted():
    """Triggers to be installed, of files by name."""

    def wanted(*files, cron="0 3 * * *", own=False):
        trigger = Trigger(f"{cron} UTC", cron, "UTC", {}, "skip", None, 0.0)
        entries = [Entry(Path(file), Path(file).stem, trigger) for file in files]
        command = Command(Path("/"), {"OPSBOOK_STATE": "/state"}, ("/usr/bin/opsbook",), None)
        return Wanted(entries, command, datetime(2026, 11, 23, tzinfo=UTC), lambda entry: ["key"], own)

    return wanted


@pytest.fixture
def texts():
    return {"crontab": CRONTAB, "systemctl": SYSTEMCTL, "path": os.environ["PATH"]}
