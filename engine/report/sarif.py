"""Findings as SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from engine.errors import Finding, Place

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(findings: Sequence[Finding], files: Sequence[str]) -> str:
    """One run with its rules, artifacts and results; columns count characters."""
    rules = sorted({finding.id for finding in findings})
    run = {
        "tool": {"driver": {"name": "opsbook", "rules": [{"id": rule} for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file)}} for file in dict.fromkeys(files)],
        "results": [_result(finding, rules.index(finding.id)) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    locations = [_location(finding.place, finding.width)] if finding.place else []
    return {"ruleId": finding.id, "ruleIndex": rule, "level": finding.severity, "message": {"text": text}, "locations": locations}


def _location(place: Place, width: int) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + width}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}


def _uri(file: str) -> str:
    """A relative reference for a relative path, which the reader resolves against the checkout."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
