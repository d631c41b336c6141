"""The ledger: a chain over all runs, so that a missing run or a cut tail is found."""

from __future__ import annotations

import os
from pathlib import Path

from engine.audit import segments
from engine.audit.journal import Journal
from engine.errors import AuditUnwritable
from engine.system import disk


def write(path: Path, event: str, *, segment: int = segments.DEFAULT_SIZE, **fields: object) -> None:
    """Adds one line, one writer at a time; `segment` as for a journal. Raises AuditUnwritable."""
    try:
        lock = disk.lock(path.with_suffix(".lock"), wait=True)
    except OSError as error:
        raise AuditUnwritable(f"the ledger {path} cannot be locked: {error.strerror}") from error
    assert lock is not None, "it was waited for"
    try:
        journal = Journal(path, segment=segment, fields={"log": "ledger"})
        try:
            journal.append(event, sync=True, **fields)
        finally:
            journal.close()
    finally:
        os.close(lock)
