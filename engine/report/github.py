"""Findings as GitHub Actions workflow commands: they show as annotations on the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Finding


def render(findings: Sequence[Finding], files: Sequence[str]) -> str:
    """One command a finding; nothing at all when there is none, whatever the files."""
    del files
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    properties: dict[str, str | int] = {}
    if finding.place:
        place = finding.place
        properties = {"file": place.file, "line": place.line, "col": place.column, "endColumn": place.column + finding.width}
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in (properties | {"title": finding.id}).items())
    return f"::{finding.severity} {shown}::{_data(finding.message + (chr(10) + finding.hint if finding.hint else ''))}"


def _data(text: str) -> str:
    """As the runner decodes it; an unescaped line break would start a command of its own."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
