"""The configuration: `opsbook.yaml`, the nearest one before the user's before the machine's."""

from __future__ import annotations

import functools
import operator
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import schema, secrets, source
from engine.audit import segments, sinks
from engine.contracts import DRAFT, Schema
from engine.errors import Finding, Invalid, UsageError
from engine.language import notices
from engine.model import SECRET_NAME
from engine.model import Path as DocumentPath
from engine.state import settings_folder
from engine.state.plan_cache import PlanCache
from engine.system import disk

NAME = "opsbook.yaml"
MACHINE_WIDE = Path("/etc/opsbook") / NAME

ADDED_UP = ("connections", "secrets")
"""What every file adds to, name by name; of everything else the strongest file's word is taken."""

_MEANT_AS_REFERENCE = re.compile("[a-z]{2,12}:.")
"""Rather than as the key itself."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration files say together.

    Attributes:
        files: those that were read, the strongest first.
        connections: settings by name.
        secrets: the reference behind each name that runbooks may use.
        settings: everything else, as steps see it, and `project`: the folder whose files may be referred to, if there is one.
    """

    files: tuple[str, ...] = ()
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def published(connection: Mapping[str, Any], alert: Schema = notices.ALERT) -> dict[str, Any]:
    """The schema of a configuration file, given that of one connection and that of an alert's fields.

    Those fields, and the templates in them, are checked by engine.reading.
    """
    texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
    allow = {"type": "object", "properties": {"allow": texts}, "additionalProperties": False}
    audit = {"segment": segments.SCHEMA, "sinks": {"type": "array", "items": sinks.SCHEMA}}
    prune = {
        "keep": {"type": "integer", "minimum": 0, "description": "The newest so many ended runs."},
        "older_than": {"type": "string", "format": "duration", "description": "Ended runs younger than that."},
    }
    return {
        "$schema": DRAFT,
        "title": "opsbook configuration",
        "type": "object",
        "properties": {
            "connections": {
                "type": "object",
                "propertyNames": {"pattern": "^[a-z][a-z0-9_-]*$", "x-rule": "write small letters, digits, - and _, a letter first"},
                "additionalProperties": _with_references(connection),
                "description": "By name; `opsgenie` is what opsgenie steps use unless they say otherwise.",
            },
            "secrets": {
                "type": "object",
                "propertyNames": SECRET_NAME,
                "additionalProperties": _REFERENCE,
                "description": "Where the secrets live that runbooks name under `secrets:`.",
            },
            "http": allow | {"description": "Origins that core.http may call, such as https://grafana.example.com."},
            "log": {
                "type": "object",
                "description": "The log of operators: on standard error, or in a file. A relative path begins at this file's folder.",
                "properties": {
                    "level": {"enum": ["debug", "info", "warning", "error"], "description": "info by default"},
                    "format": {"enum": ["people", "json", "journald"], "description": "What suits the place by default."},
                    "file": {"type": "string", "minLength": 1},
                },
                "additionalProperties": False,
            },
            "otel": {
                "type": "object",
                "description": "Where traces go: an OpenTelemetry collector that speaks OTLP over HTTP.",
                "properties": {"endpoint": {"type": "string", "pattern": "^https?://[^/]", "x-rule": "write an http or https URL"}},
                "required": ["endpoint"],
                "additionalProperties": False,
            },
            "audit": {"type": "object", "properties": audit, "additionalProperties": False},
            "runs": {
                "type": "object",
                "properties": prune,
                "additionalProperties": False,
                "description": "What `opsbook runs prune` keeps unless its flags say otherwise.",
            },
            **notices.schema(alert),
            "write": allow
            | {"description": "Folders that may be written to and attached from, beside the run's own; relative to this file."},
        },
        "additionalProperties": False,
    }


_REFERENCE: Mapping[str, Any] = {"type": "string", "pattern": secrets.PATTERN, "description": f"Where it lives: {secrets.forms()}."}


def _with_references(part: Any) -> Any:
    """A schema in which everything marked as a reference to a secret is one."""
    if isinstance(part, list):
        return [_with_references(item) for item in part]
    if not isinstance(part, Mapping):
        return part
    return _REFERENCE if part.get("x-reference") else {key: _with_references(inner) for key, inner in part.items()}


def _is_reference(path: DocumentPath) -> bool:
    """Whether a reference to a secret stands at a place of a file."""
    return bool(path) and (path[-1] == "secret" or (path[0] == "secrets" and len(path) == 2))


def _is_sink_file(path: DocumentPath) -> bool:
    """Whether a place of a file names a file that gets the audit log."""
    return path[:2] == ("audit", "sinks") and path[-1] == "file"


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
        return Config(settings=_project(None, folder))
    one = chosen(given)
    paths = [one] if one else [path for path in _places(folder) if path.is_file()]
    named = _paths(connection)
    values = [_beside(_value(path, connection, cache) or {}, path.absolute().parent, named) for path in paths]
    added: dict[str, dict[str, Any]] = {name: {} for name in ADDED_UP}
    settings: dict[str, Any] = {}
    for value in reversed(values):
        for name, known in added.items():
            known.update(value.get(name, {}))
        settings |= _added(settings, {key: part for key, part in value.items() if key not in ADDED_UP})
    return Config(tuple(map(str, paths)), **added, settings=settings | _project(one, folder))


def chosen(given: str | None) -> Path | None:
    """The one file to use, by `--config` or `OPSBOOK_CONFIG`; None where the usual places are meant. Raises UsageError."""
    named = given or os.environ.get("OPSBOOK_CONFIG")
    try:
        return disk.at_home(named) if named else None
    except OSError as error:
        raise UsageError(f"the configuration {named}: {error.strerror}", hint="write its whole path") from error


def own_file() -> Path:
    """The user's file, whether or not it is there."""
    return settings_folder() / "opsbook" / NAME


def project_file(folder: str | None = None) -> Path | None:
    """The nearest file in a folder (None: the current one) or above."""
    here = Path(folder or ".").absolute()
    return next((above / NAME for above in (here, *here.parents) if (above / NAME).is_file()), None)


def _project(one: Path | None, folder: str | None) -> dict[str, str]:
    """The folder of the file that was named or is nearest, else the one the search begins in, unless the user's whole home lies in it."""
    file = one or project_file(folder)
    found = Path(os.path.normpath(file.absolute().parent if file else Path(folder or ".").absolute()))
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's fails for a user without an entry
    return {} if file is None and (home.is_relative_to(found) or found == Path(found.anchor)) else {"project": str(found)}


def _added(weaker: Mapping[str, Any], stronger: dict[str, Any]) -> dict[str, Any]:
    """Settings of a stronger file; the sinks of the weaker ones stay, since no project may turn off what the machine asks for."""
    if "audit" not in stronger or "audit" not in weaker:
        return stronger
    both = [*weaker["audit"].get("sinks", ()), *stronger["audit"].get("sinks", ())]
    return {**stronger, "audit": {**weaker["audit"], **stronger["audit"], "sinks": both}}


def _places(folder: str | None) -> list[Path]:
    """Where a configuration may lie, the strongest first."""
    nearest = project_file(folder)
    return [*([nearest] if nearest else []), own_file(), MACHINE_WIDE]


def _value(path: Path, connection: Mapping[str, Any], cache: PlanCache | None) -> Any:
    """What a file holds, when it keeps to the schema; one found clean before is not checked again."""
    content = source.content(path)
    if cache is None:
        return checked(content, path, connection)
    key = cache.key(b"config", content)
    known = cache.get(key)
    if known is None:
        known = checked(content, path, connection)
        cache.put(key, known)
    return known


def _paths(connection: Mapping[str, Any]) -> frozenset[str]:
    """Names of a connection's settings that are paths."""
    return frozenset(name for name, part in connection.get("properties", {}).items() if part.get("x-path"))


def _beside(value: Any, folder: Path, paths: Collection[str], place: DocumentPath = ()) -> Any:
    """The value with files and folders looked for beside the configuration that names them, wherever it is used from."""
    if _is_reference(place):
        return absolute(str(value), folder)
    if isinstance(value, Mapping):
        return {name: _beside(part, folder, paths, (*place, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_beside(item, folder, paths, (*place, index)) for index, item in enumerate(value)]
    named = len(place) == 3 and place[0] == "connections" and place[2] in paths
    is_path = named or place == ("log", "file") or _is_sink_file(place) or place[:2] == ("write", "allow")
    return str(folder / os.path.expanduser(value)) if is_path else value  # noqa: PTH111 - Path's fails where there is no such user


def absolute(reference: str, folder: Path) -> str:
    """A reference to a secret, its file looked for in a folder unless its place is said whole."""
    source, _, name = reference.partition(":")
    return f"file:{folder / name}" if source == "file" and not name.startswith("~") else reference


def checked(content: bytes, path: Path, connection: Mapping[str, Any]) -> Any:
    """What a file holds. Raises Invalid. Findings show no line of it: a key may stand there that should not."""
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
    if _is_reference(problem.path) and not problem.key:
        fault, hint = _no_reference(functools.reduce(operator.getitem, problem.path, document.value))
        return document.finding("RB120", f"{where}: {fault}", problem.path, hint=hint)
    message = f"{where}: {problem.message}" if where else problem.message
    return document.finding("RB120", message, problem.path, key=problem.key, hint=problem.hint)


def _no_reference(written: Any) -> tuple[str, str]:
    """What is wrong with what should say where a secret lives, and what to write."""
    if not isinstance(written, str) or not _MEANT_AS_REFERENCE.match(written):
        return "must say where the key lives, never the key itself", f"write {secrets.forms()}"
    source = secrets.SOURCES.get(written.partition(":")[0])
    if source is None:
        return "there is no such source of secrets in this version", f"write {secrets.forms()}"
    return "what stands behind the colon is no name that this source of secrets knows", f"write {source.FORM}"
