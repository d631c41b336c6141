"""Findings for people: where, what, the source line with a caret, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from engine.errors import Finding
from engine.redaction import clean

_INDENT = "    "
_BOLD, _CYAN, _GREEN, _RED, _YELLOW = "1", "36", "32", "31", "33"


def render(findings: Sequence[Finding], files: Sequence[str], *, colour: bool = False) -> str:
    """One paragraph a finding and a closing line; ANSI colours only when asked for."""
    lines = [line for finding in findings for line in _paragraph(finding, colour)]
    return "\n".join([*lines, _closing(findings, len(files), colour)]) + "\n"


def _paragraph(finding: Finding, colour: bool) -> Iterator[str]:
    where = f"{_one_line(str(finding.place))}: " if finding.place else ""
    tone = _RED if finding.severity == "error" else _YELLOW
    label = _paint(f"{finding.severity} {finding.id}:", tone, colour)
    yield f"{_paint(where, _BOLD, colour)}{label} {_one_line(finding.message)}"
    if finding.place and finding.source is not None:
        source = finding.source.rstrip("\r\n")
        yield _INDENT + _one_line(source, keep="\t")
        yield _INDENT + _paint_caret(_caret(source, finding.place.column, finding.width), tone, colour)
    if finding.hint:
        yield f"{_INDENT}{_paint('hint:', _CYAN, colour)} {_one_line(finding.hint)}"


def _caret(source: str, column: int, width: int) -> str:
    """Carets under the columns as a terminal shows them; tabs before them stay tabs, so that both lines stop at the same places."""
    start = column - 1
    before = "".join("\t" if char == "\t" else " " * _cells(char) for char in source[:start])
    under = sum(_cells(char) for char in source[start : start + width])
    return before + "^" * max(under, 1)


def _cells(char: str) -> int:
    """How many terminal cells a character takes, shown as `_one_line` shows it."""
    shown = _one_line(char, keep="\t")
    if len(shown) > 1:
        return len(shown)
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _one_line(text: str, keep: str = "") -> str:
    """Safe for a terminal, and on one line: a value must not look like a finding of its own."""
    return "".join(char if char in keep else {"\n": "\\n", "\t": "\\t"}.get(char, char) for char in clean(text))


def _closing(findings: Sequence[Finding], files: int, colour: bool) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    if not findings:
        return _paint(f"{_count(files, 'file')}: no findings", _GREEN, colour)
    counts = [_count(number, word) for number, word in ((errors, "error"), (len(findings) - errors, "warning")) if number]
    where = f" in {_count(files, 'file')}" if files else ""
    return _paint(", ".join(counts) + where, _RED if errors else _YELLOW, colour)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _paint(text: str, tone: str, colour: bool) -> str:
    return f"\x1b[{tone}m{text}\x1b[0m" if colour and text else text


def _paint_caret(line: str, tone: str, colour: bool) -> str:
    carets = line.lstrip()
    return line[: len(line) - len(carets)] + _paint(carets, tone, colour)
