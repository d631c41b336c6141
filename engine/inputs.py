"""Inputs of a run: from the command line, from files, by default; every missing or wrong one is said at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import schema, source
from engine.advice import did_you_mean
from engine.errors import Finding, Invalid, UsageError
from engine.model import Runbook

LARGEST = 16 * 1024 * 1024
"""Bytes of an input's file."""

DEEPEST = 100
"""Lists and mappings inside each other; YAML files have a limit of their own."""

UNREADABLE = object()
"""Stands for an input whose file could not be read, which is a finding of its own."""


def collect(runbook: Runbook, given: Sequence[str], file: str | None) -> dict[str, Any]:
    """The inputs of one run.

    Args:
        runbook: says which inputs there are.
        given: `name=value` or `name=@file`, as on the command line; stronger than the file.
        file: a YAML or JSON mapping, or None.

    Raises:
        Invalid: inputs are missing, unknown or wrong; carries a finding for each.
        UsageError: an argument is not of the form name=value.
    """
    values, findings = _values(runbook, given, file)
    findings += [_unknown(name, runbook) for name in values if name not in runbook.inputs]
    complete = {}
    for name, declared in runbook.inputs.items():
        if name in values:
            complete[name] = values[name]
            findings += _problems(name, values[name], declared)
        elif "default" in declared:
            complete[name] = declared["default"]
        else:
            findings.append(Finding("RB110", "error", f"inputs.{name} is missing", hint=f"give it with -i {name}=…"))
    if findings:
        raise Invalid(findings)
    return complete


def _values(runbook: Runbook, given: Sequence[str], file: str | None) -> tuple[dict[str, Any], list[Finding]]:
    """What was given, by name, and what could not be read; a name that could not be read is UNREADABLE."""
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    try:
        values |= _mapping(file) if file else {}
    except Invalid as invalid:
        findings += invalid.findings
    for argument in given:
        name, separator, text = argument.partition("=")
        if not separator or not name:
            raise UsageError(f"-i {argument}: write name=value, or name=@file")
        try:
            values[name] = _value(name, text, runbook.inputs.get(name, {}))
        except Invalid as invalid:
            findings += invalid.findings
            values[name] = UNREADABLE
    return values, findings


def _mapping(file: str) -> Mapping[str, Any]:
    value = source.load(file).value
    if not isinstance(value, dict):
        raise Invalid([Finding("RB110", "error", f"{file} must hold a mapping of inputs")])
    return value


def _unknown(name: str, runbook: Runbook) -> Finding:
    hint = did_you_mean(name, runbook.inputs) if runbook.inputs else f"{runbook.name} takes no inputs"
    return Finding("RB110", "error", f"{runbook.name} has no input {name!r}", hint=hint)


def _problems(name: str, value: Any, declared: Mapping[str, Any]) -> list[Finding]:
    return [Finding("RB110", "error", f"inputs.{name}{problem}") for problem in schema.problems(value, declared) if value is not UNREADABLE]


def _value(name: str, text: str, declared: Mapping[str, Any]) -> Any:
    """What an argument means: text for a text input, else JSON; `@file` is what the file holds."""
    if text.startswith("@"):
        return _from_file(name, text[1:], declared)
    return _typed(text, declared)


def _typed(text: str, declared: Mapping[str, Any]) -> Any:
    """Text as the type a schema asks for, where it can be read as such; the schema then says what is wrong."""
    kinds = declared.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds:
        return text
    try:
        return _strict_json(text)
    except ValueError:
        return text


def _strict_json(text: str) -> Any:
    """JSON without NaN and infinities. Raises ValueError."""

    def refuse(_constant: str) -> Any:
        raise ValueError("no JSON number")

    try:
        value = json.loads(text, parse_constant=refuse)
        json.dumps(value, allow_nan=False)  # 1e999 is read as infinity
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _deeper(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and mappings stand more than so many levels deep in each other."""
    if not isinstance(value, (dict, list)):
        return False
    return levels == 0 or any(_deeper(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value))


def _from_file(name: str, file: str, declared: Mapping[str, Any]) -> Any:
    suffix = Path(file).suffix.lower()
    if suffix == ".csv":
        return _table(name, file, declared)
    if suffix == ".json":
        return _json(name, file)
    if suffix in (".yaml", ".yml"):
        return source.load(file).value
    if declared.get("type", "string") == "string":
        return source.load_text(file, LARGEST)
    raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file} must end in .csv, .json, .yaml or .yml")])


def _json(name: str, file: str) -> Any:
    text = source.load_text(file, LARGEST)
    try:
        return _strict_json(text)
    except ValueError as error:
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file} is not JSON")]) from error


def _table(name: str, file: str, declared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A CSV file as a list of mappings, its cells typed as the items' schema says; an empty cell of an optional column is left out."""
    text = source.load_text(file, LARGEST)
    if not text.strip():
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file} is empty; its first line must name the columns")])
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    items = declared.get("items", {})
    columns = items.get("properties", {})
    required = items.get("required", ())
    try:
        rows.fieldnames = _names(rows.fieldnames or ())
        return [_row(row, columns, required) for row in rows]
    except csv.Error as error:
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file}, line {rows.line_num}: {error}")]) from error


def _names(first_line: Sequence[str]) -> list[str]:
    names = [name.strip() for name in first_line]
    if not names or not all(names) or len(set(names)) != len(names):
        raise csv.Error("the first line must name each column once")
    return names


def _row(row: Mapping[str | None, Any], columns: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise csv.Error("the row has more or fewer cells than the first line has columns")
    cells = {str(key): str(value).strip() for key, value in row.items()}
    return {key: _typed(cell, columns.get(key, {})) for key, cell in cells.items() if cell or key in required}
