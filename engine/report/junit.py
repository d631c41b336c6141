"""Findings as JUnit XML, which CI servers read: a test case for each file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import Finding

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_FILE = "inputs"


def render(findings: Sequence[Finding], files: Sequence[str]) -> str:
    """A case fails by its errors, in one `failure` as most readers expect; warnings stand in its `system-out`."""
    from xml.etree.ElementTree import Element, indent, tostring

    cases: dict[str, list[Finding]] = {file: [] for file in files}
    for finding in findings:
        cases.setdefault(finding.place.file if finding.place else _NO_FILE, []).append(finding)
    failures = sum(any(finding.severity == "error" for finding in found) for found in cases.values())
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suite = Element("testsuite", {"name": "opsbook validate"} | counts)
    suite.extend(_case(file, found) for file, found in cases.items())
    root = Element("testsuites", counts)
    root.append(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(file: str, findings: Sequence[Finding]) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    case = Element("testcase", classname="opsbook.validate", name=_fit(file))
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        failure = SubElement(case, "failure", type=_fit(errors[0].id), message=_fit(_headline(errors)))
        failure.text = _fit("\n".join(map(_line, errors)))
    warnings = [finding for finding in findings if finding.severity == "warning"]
    if warnings:
        SubElement(case, "system-out").text = _fit("\n".join(map(_line, warnings)))
    return case


def _headline(errors: Sequence[Finding]) -> str:
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0].id}: {errors[0].message}{more}"


def _line(finding: Finding) -> str:
    where = f"{finding.place}: " if finding.place else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{where}{finding.severity} {finding.id}: {finding.message}{hint}"


def _fit(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold, not even escaped."""
    return _NOT_XML.sub("", text)
