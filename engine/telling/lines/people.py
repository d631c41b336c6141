"""A line to read: when, how grave, which run, which step, what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.redaction import one_line


def line(record: Mapping[str, Any]) -> str:
    """Time, level, run, step and message."""
    return one_line(f"{record['time']} {record['level']:<7} {where(record)}{record['message']}")


def where(record: Mapping[str, Any]) -> str:
    """Which run, runbook, step and item a record is about, as far as it is about any."""
    step = record["step"] if record["item"] is None else f"{record['step']}[{record['item']}]"
    parts = [str(part) for part in (record["run"], record["runbook"], step) if part is not None]
    return f"{' '.join(parts)}: " if parts else ""
