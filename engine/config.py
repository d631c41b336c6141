"""The configuration: `opsbook.yaml`, the nearest one before the user's before the machine's."""

from __future__ import annotations

import functools
import operator
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import schema, source
from engine.contracts import DRAFT
from engine.errors import Finding, Invalid
from engine.plan_cache import PlanCache

NAME = "opsbook.yaml"
MACHINE_WIDE = Path("/etc/opsbook") / NAME

_REFERENCE = re.compile("[a-z]{2,12}:.")
"""What was meant as a reference, rather than as the key itself."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration files say together.

    Attributes:
        files: those that were read, the strongest first.
        connections: settings by name.
        settings: everything else, as steps see it.
    """

    files: tuple[str, ...] = ()
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def published(connection: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a configuration file, given that of one connection."""
    texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
    allow = {"type": "object", "properties": {"allow": texts}, "additionalProperties": False}
    return {
        "$schema": DRAFT,
        "title": "opsbook configuration",
        "type": "object",
        "properties": {
            "connections": {
                "type": "object",
                "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$", "x-rule": "write small letters, digits, - and _, a letter first"},
                "additionalProperties": connection,
                "description": "By name; `opsgenie` is what opsgenie steps use unless they say otherwise.",
            },
            "http": allow | {"description": "Origins that core.http may call, such as https://grafana.example.com."},
            "write": allow | {"description": "Folders that core.write may write to, beside the run's own."},
        },
        "additionalProperties": False,
    }


def load(given: str | None, connection: Mapping[str, Any], folder: str | None = None, cache: PlanCache | None = None) -> Config:
    """Reads the configuration.

    Args:
        given: the one file to read (`--config`), "" for none, or None for `OPSBOOK_CONFIG` or the usual places.
        connection: schema of one connection.
        folder: where the search begins; None for the current folder.
        cache: knows files that were found clean.

    Raises:
        Invalid: a file cannot be read or breaks the schema; every finding of the first such file.
    """
    if given == "":
        return Config()
    chosen = given or os.environ.get("OPSBOOK_CONFIG")
    paths = [Path(chosen).expanduser()] if chosen else [path for path in _places(folder) if path.is_file()]
    values = [_beside(_value(path, connection, cache) or {}, path.absolute().parent) for path in paths]
    connections: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for value in reversed(values):
        connections |= value.get("connections", {})
        settings |= {key: part for key, part in value.items() if key != "connections"}
    return Config(tuple(map(str, paths)), connections, settings)


def _places(folder: str | None) -> list[Path]:
    """Where a configuration may lie, the strongest first."""
    here = Path(folder or ".").absolute()
    nearest = next((above / NAME for above in (here, *here.parents) if (above / NAME).is_file()), None)
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return [*([nearest] if nearest else []), Path(home) / "opsbook" / NAME, MACHINE_WIDE]


def _value(path: Path, connection: Mapping[str, Any], cache: PlanCache | None) -> Any:
    """What a file holds, when it keeps to the schema; one found clean before is not checked again."""
    content = source.content(path)
    if cache is None:
        return _checked(content, path, connection)
    key = cache.key(b"config", content)
    known = cache.get(key)
    if known is None:
        known = _checked(content, path, connection)
        cache.put(key, known)
    return known


def _beside(value: Any, folder: Path) -> Any:
    """The value with files that hold secrets looked for beside the configuration that names them, wherever it is used from."""
    if isinstance(value, Mapping):
        return {name: _absolute(part, folder) if name == "secret" else _beside(part, folder) for name, part in value.items()}
    return [_beside(item, folder) for item in value] if isinstance(value, list) else value


def _absolute(reference: Any, folder: Path) -> Any:
    source, _, name = str(reference).partition(":")
    return f"file:{folder / name}" if source == "file" and not name.startswith("~") else reference


def _checked(content: bytes, path: Path, connection: Mapping[str, Any]) -> Any:
    """What a file holds. Findings show no line of it: a key may stand there that should not."""
    try:
        document = source.read(content, str(path))
        problems = schema.problems(document.value if document.value is not None else {}, published(connection))
        findings: Sequence[Finding] = [_finding(document, problem) for problem in problems]
    except Invalid as invalid:
        findings = invalid.findings
    if findings:
        raise Invalid([replace(finding, source=None) for finding in findings])
    return document.value


def _finding(document: source.Document, problem: schema.Problem) -> Finding:
    """A broken rule; where a key was to be a reference, what to do about it."""
    where = schema.spell_path(problem.path).lstrip(".")
    if problem.path and problem.path[-1] == "secret":
        written = functools.reduce(operator.getitem, problem.path, document.value)
        named = isinstance(written, str) and _REFERENCE.match(written)
        fault = "there is no such source of secrets in this version" if named else "must say where the key lives, never the key itself"
        return document.finding("RB120", f"{where}: {fault}", problem.path, hint="write env:NAME or file:/path")
    message = f"{where}: {problem.message}" if where else problem.message
    return document.finding("RB120", message, problem.path, key=problem.key, hint=problem.hint)
