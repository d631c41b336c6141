"""The configuration: `opsbook.yaml`, the nearest one before the user's before the machine's."""

from __future__ import annotations

import os
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
                "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$"},
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
    values = [_value(path, connection, cache) or {} for path in paths]
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
        message = f"{where}: must say where the key lives, never the key itself"
        return document.finding("RB120", message, problem.path, hint="write env:NAME or file:/path")
    message = f"{where}: {problem.message}" if where else problem.message
    return document.finding("RB120", message, problem.path, key=problem.key, hint=problem.hint)
