"""`on_success` and `on_failure`: what the end of a run tells a service, as one step each that no runbook writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.contracts import Schema
from engine.contracts import Step as StepType
from engine.language.names import ERROR, RUN, TEXT
from engine.model import Path, Runbook, Step, Uses

Raw = Mapping[str, Any]
"""A notice as it is written: what is asked for, and perhaps over which connection; nothing in it asks for nothing."""

WORDS: Mapping[str, str] = {"on_success": "heartbeat", "on_failure": "alert"}
"""Key of a runbook and of the configuration → what it asks for, by the word under which providers serve it."""
NAMES: Mapping[str, Mapping[str, Schema]] = {
    "on_success": {"run": RUN, "runbook": TEXT},
    "on_failure": {"run": RUN, "runbook": TEXT, "error": ERROR},
}
"""What its templates see."""
AFTER: Mapping[str, str] = {"succeeded": "on_success", "failed": "on_failure", "in_doubt": "on_failure"}
"""Status of a run → the notice that follows. One that a signal parked has not ended; one that a person ended needs none."""


ALERT: Schema = {"type": "object", "description": "Fields of the alert."}
"""Where the fields are looked at by somebody else."""


def schema(alert: Schema = ALERT) -> dict[str, Schema]:
    """Schemas of both keys, given that of an alert's fields as written."""
    connection = {"type": "string", "minLength": 1, "description": "The connection to use instead of the default one."}
    heartbeat = {"type": "string", "minLength": 1, "description": "Name of the heartbeat to ping."}
    return {
        "on_success": _key({"heartbeat": heartbeat, "connection": connection}, "A run that succeeded pings a heartbeat."),
        "on_failure": _key({"alert": alert, "connection": connection}, "A run that failed, or could not begin, raises an alert."),
    }


def _key(properties: Mapping[str, Schema], description: str) -> Schema:
    word = next(iter(properties))
    dependencies = {"connection": [word]}
    return {
        "type": "object",
        "properties": properties,
        "dependencies": dependencies,
        "additionalProperties": False,
        "description": description,
    }


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, ready to be carried out.

    Attributes:
        key: `on_success` or `on_failure`.
        step: the step that does it.
    """

    key: str
    step: Step


def notice(key: str, raw: Raw | None, runbook: str, find: Callable[[str], StepType | None]) -> Notice | None:
    """The notice under a key of a runbook of this name, or None when nothing is asked for."""
    word = WORDS[key]
    kind = find(word) if raw and word in raw else None
    if raw is None or kind is None:
        return None
    given = {"name": raw[word]} if key == "on_success" else {"alias": f"opsbook-{runbook}-failed", **raw[word]}
    body = Uses(kind.name, given, clips=True)
    return Notice(key, Step(f"run.{key}", named=False, path=(key,), kind="uses", body=body, connection=raw.get("connection")))


def written(runbook: Runbook, find: Callable[[str], StepType | None]) -> Iterator[Notice]:
    """The notices that a runbook itself asks for."""
    for key in WORDS:
        found = notice(key, getattr(runbook, key), runbook.name, find)
        if found is not None:
            yield found


def wanted(runbook: Runbook, settings: Mapping[str, Any], find: Callable[[str], StepType | None]) -> dict[str, Notice]:
    """The notices of a run by key: the runbook's own before the configuration's."""
    raw = {key: settings.get(key) if getattr(runbook, key) is None else getattr(runbook, key) for key in WORDS}
    found = (notice(key, one, runbook.name, find) for key, one in raw.items())
    return {one.key: one for one in found if one is not None}


def templates(runbook: Runbook, find: Callable[[str], StepType | None]) -> Iterator[tuple[str, Path, Any, Schema]]:
    """Each value of a runbook's notices that may hold templates: its key, its place, and the schema of what it becomes."""
    for one in written(runbook, find):
        kind, raw = find(WORDS[one.key]), getattr(runbook, one.key)
        assert kind is not None, "else there was no notice"
        wanted = kind.inputs if one.key == "on_failure" else kind.inputs["properties"]["name"]
        yield one.key, (one.key, WORDS[one.key]), raw[WORDS[one.key]], wanted
