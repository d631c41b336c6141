"""What tests of the audit log share."""

from __future__ import annotations

import pytest

from engine.audit.journal import Journal


@pytest.fixture
def log(tmp_path):
    """A log of 100 events, closed."""
    made = Journal(tmp_path / "audit.jsonl", fields={"run": "r1"})
    for number in range(99):
        made.append("moment", key=f"k{number}", moment="é\u2028")
    made.append("run.ended", status="succeeded")
    made.close()
    return made.path
