"""The chain over all runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.audit import chain, journal, ledger
from engine.errors import AuditUnwritable

ENV = {**os.environ, "PYTHONPATH": str(Path(journal.__file__).parents[2])}
WRITER = """
import sys
from pathlib import Path
from engine.audit import ledger
for turn in range(10):
    ledger.write(Path(sys.argv[1]), "run.opened", run=f"{sys.argv[2]}-{turn}")
"""


def test_processes_side_by_side_keep_the_chain(tmp_path):
    path = tmp_path / "ledger.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(number)], env=ENV) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert chain.verify(path).flaws == []
    assert {event["run"] for event in journal.events(path)} == {f"{number}-{turn}" for number in range(4) for turn in range(10)}


def test_what_a_crash_cut_short_is_dropped(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger.write(path, "run.opened", run="a")
    with path.open("ab") as file:
        file.write(b'{"event":"run.cl')
    ledger.write(path, "run.opened", run="b")
    assert [event["run"] for event in journal.events(path)] == ["a", "b"]
    assert chain.verify(path).flaws == []


def test_a_folder_that_is_not_there_fails_closed(tmp_path):
    with pytest.raises(AuditUnwritable, match="cannot be locked"):
        ledger.write(tmp_path / "missing" / "ledger.jsonl", "run.opened")
