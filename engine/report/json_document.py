"""Findings for programs: one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from engine.errors import Finding


def render(findings: Sequence[Finding], files: Sequence[str]) -> str:
    """`{files, findings: [{file, line, column, id, severity, message, hint}]}`; lines and columns from 1, null where there is no place."""
    return json.dumps({"files": list(files), "findings": [_row(finding) for finding in findings]}, indent=2) + "\n"


def _row(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "id": finding.id,
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
    }
