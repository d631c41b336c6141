"""Inputs of a run: from the command line, from files, by default; every missing or wrong one is said at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import model, rendering, schema, source
from engine.advice import did_you_mean
from engine.errors import Finding, Invalid, Place, UsageError
from engine.model import Runbook

LARGEST = 16 * 1024 * 1024
"""Bytes of an input's file."""

DEEPEST = 100
"""Lists and mappings inside each other; YAML files have a limit of their own."""

UNREADABLE = object()
"""Stands for an input whose file could not be read, which is a finding of its own."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value that was given, and where a part of it, or the key of one, stands; None for what is in no file that has lines."""

    value: Any
    place: Callable[[model.Path, bool], Place | None] = lambda _path, _key: None


def collect(runbook: Runbook, given: Sequence[str], file: str | None, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The inputs of one run.

    Args:
        runbook: says which inputs there are.
        given: `name=value` or `name=@file`, as on the command line; stronger than the file.
        file: a YAML or JSON mapping, or None.
        earlier: inputs of an earlier run or of the run's trigger, which hold where none are given and the runbook still asks for them.

    Raises:
        Invalid: inputs are missing, unknown or wrong; carries a finding for each.
        UsageError: an argument is not of the form name=value.
    """
    kept = {name: Given(value) for name, value in (earlier or {}).items() if name in runbook.inputs}
    values, findings = _values(runbook, given, file)
    values = kept | values
    findings += [_unknown(name, one, runbook) for name, one in values.items() if name not in runbook.inputs]
    complete = {}
    for name, declared in runbook.inputs.items():
        if name in values:
            complete[name] = _settled(values[name].value, declared)
            findings += _problems(name, values[name], declared)
        elif "default" in declared:
            complete[name] = declared["default"]
        else:
            findings.append(_missing(name, runbook))
    if findings:
        raise Invalid(findings)
    return complete


def _values(runbook: Runbook, given: Sequence[str], file: str | None) -> tuple[dict[str, Given], list[Finding]]:
    """What was given, by name, and what could not be read; a name that could not be read is UNREADABLE."""
    values: dict[str, Given] = {}
    findings: list[Finding] = []
    try:
        values |= _mapping(file) if file else {}
    except Invalid as invalid:
        findings += invalid.findings
    for argument in given:
        name, separator, text = argument.partition("=")
        if not separator or not name:
            raise UsageError(f"-i {_printable(argument)}: write name=value, or name=@file")
        try:
            values[name] = _value(name, text, runbook.inputs.get(name, {}))
        except Invalid as invalid:
            findings += invalid.findings
            values[name] = Given(UNREADABLE)
    return values, findings


def _mapping(file: str) -> dict[str, Given]:
    document = source.load(file)
    if not isinstance(document.value, dict):
        raise Invalid([Finding("RB110", "error", f"{file} must hold a mapping of inputs")])
    return {name: Given(value, _inside(document, name)) for name, value in document.value.items()}


def _inside(document: source.Document, *above: str) -> Callable[[model.Path, bool], Place]:
    """Where parts of a file's value stand."""
    return lambda path, key: document.place((*above, *path), key=key)


def _missing(name: str, runbook: Runbook) -> Finding:
    """An input that was not given, where the runbook declares it."""
    document = source.read(runbook.text, runbook.file)
    return document.finding("RB110", f"inputs.{name} is missing", ("inputs", name), key=True, hint=f"give it with -i {name}=…")


def _unknown(name: str, given: Given, runbook: Runbook) -> Finding:
    hint = did_you_mean(name, runbook.inputs) if runbook.inputs else f"{runbook.name} takes no inputs"
    return Finding("RB110", "error", f"{runbook.name} has no input {name!r}", given.place((), True), hint)


def _problems(name: str, given: Given, declared: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with a value; its line is named and not shown, since what was given may be secret."""
    if given.value is UNREADABLE:
        return []
    return [
        Finding("RB110", "error", f"inputs.{name}{problem}", given.place(problem.path, problem.key))
        for problem in schema.problems(given.value, declared)
    ]


def _settled(value: Any, declared: Mapping[str, Any]) -> Any:
    """The value with whole numbers as such wherever the schema asks for them."""
    if isinstance(value, list) and isinstance(declared.get("items"), Mapping):
        return [_settled(item, declared["items"]) for item in value]
    if isinstance(value, dict) and isinstance(declared.get("properties"), Mapping):
        return {name: _settled(part, declared["properties"].get(name, {})) for name, part in value.items()}
    return rendering.whole(value, declared)


def _value(name: str, text: str, declared: Mapping[str, Any]) -> Given:
    """What an argument means: text for a text input, else JSON; `@file` is what the file holds."""
    if _printable(text) != text:
        raise Invalid([Finding("RB110", "error", f"inputs.{_printable(name)} is not UTF-8 text", hint="write it in UTF-8")])
    try:
        given = _from_file(name, text[1:], declared) if text.startswith("@") else Given(_typed(text, declared))
    except _Twice as error:
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {error}", hint="delete one of the two")]) from None
    if not _is_unicode(given.value):
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: a text in it holds half of a character (\\ud800 to \\udfff)")])
    return given


def _printable(text: str) -> str:
    """The text with what is not UTF-8 in it as escapes."""
    return text.encode(errors="backslashreplace").decode()


def _is_unicode(value: Any) -> bool:
    """Whether every text in a value can be written to a file or sent."""
    if isinstance(value, str):
        return value.isascii() or _printable(value) == value
    if isinstance(value, dict):
        return all(_is_unicode(name) and _is_unicode(part) for name, part in value.items())
    return not isinstance(value, list) or all(map(_is_unicode, value))


class _Twice(Exception):
    """A key stands twice in one mapping: other readers keep the last one without a word."""


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in one mapping")
    return found


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
    """JSON without NaN and infinities. Raises ValueError, and _Twice."""

    def refuse(_constant: str) -> Any:
        raise ValueError("no JSON number")

    try:
        value = json.loads(text, parse_constant=refuse, object_pairs_hook=_once)
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


def _from_file(name: str, file: str, declared: Mapping[str, Any]) -> Given:
    suffix = Path(file).suffix.lower()
    if suffix == ".csv":
        return _table(name, file, declared)
    if suffix == ".json":
        return Given(_json(name, file))
    if suffix in (".yaml", ".yml"):
        document = source.load(file)
        return Given(document.value, _inside(document))
    if declared.get("type", "string") == "string":
        return Given(source.load_text(file, LARGEST))
    raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file} must end in .csv, .json, .yaml or .yml")])


def _json(name: str, file: str) -> Any:
    text = source.load_text(file, LARGEST)
    try:
        return _strict_json(text)
    except ValueError as error:
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file} is not JSON")]) from error


def _table(name: str, file: str, declared: Mapping[str, Any]) -> Given:
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
        lines, found = [], []
        for row in rows:
            lines.append(rows.line_num)
            found.append(_row(row, columns, required))
    except csv.Error as error:
        raise Invalid([Finding("RB110", "error", f"inputs.{name}: {file}, line {rows.line_num}: {error}")]) from error
    return Given(found, lambda path, _key: Place(file, lines[int(path[0])], 1) if path else Place(file, 1, 1))


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
