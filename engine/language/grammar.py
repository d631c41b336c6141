"""The runbook's grammar, each step's own schema as written, and both together as it is published for editors.

Every step schema has two shapes: as sent (every value rendered), and as written (a template may stand for any value).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from engine import duration
from engine.contracts import DRAFT, Schema
from engine.contracts import Step as StepType
from engine.control import CONSTRUCTS
from engine.language import notices
from engine.model import SECRET_NAME
from engine.modifiers import MODIFIERS
from engine.schema import ByIdentity

PARTNERS: Mapping[str, str] = {"with": "uses", "connection": "uses", "rescue": "block", "always": "block"} | dict.fromkeys(
    ("as", "key", "max_parallel", "fail_fast"), "for_each"
)
"""Keys of a step that mean nothing without another one."""

NAME = {"pattern": "^[a-z_][a-z0-9_]*$", "maxLength": 100, "x-rule": "write at most 100 small letters, digits and _, no digit first"}
"""What templates can call something."""

TEMPLATED = {"type": "string", "pattern": r"\{[{%]"}
"""What a value looks like that will be something else once it is rendered."""


def as_written(schema: Schema | bool) -> dict[str, Any]:
    """The schema of a value as written: where the step takes a value, a template may stand.

    Said as if/then/else: measured, editors and validators give wrong advice on oneOf and anyOf.
    """
    if isinstance(schema, bool):  # takes anything, or nothing
        return {} if schema else {"not": {}}
    if schema.get("x-literal"):
        return dict(schema)
    if schema.get("format") == "expression":
        return {"type": "string", "minLength": 1, "format": "expression"}
    inner = dict(schema)
    if "properties" in inner:
        inner["properties"] = {name: as_written(part) for name, part in inner["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(inner.get(key), Mapping):
            inner[key] = as_written(inner[key])
    if not inner or (inner.get("type") == "string" and not set(inner) & {"enum", "pattern", "format", "maxLength", "minLength", "not"}):
        return inner
    description = {"description": inner.pop("description")} if "description" in inner else {}
    return {"if": TEMPLATED, "else": inner, **description}


@functools.cache
def runbook() -> dict[str, Any]:
    """The runbook's own grammar, with each step's `with` left open."""
    return {
        "$schema": DRAFT,
        "title": "opsbook runbook",
        "type": "object",
        "properties": _top(),
        "required": ["apiVersion", "name", "steps"],
        "additionalProperties": False,
        "definitions": {"step": _step()},
    }


def _top() -> dict[str, Any]:
    text = {"type": "string"}
    steps = {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/step"}}
    named = {"type": "object", "propertyNames": NAME}
    return {
        "apiVersion": {"const": "runbook/v1", "description": "The language's version."},
        "name": {
            "type": "string",
            "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
            "maxLength": 100,
            "description": "A slug.",
            "x-rule": "write at most 100 small letters and digits, with single hyphens between them",
        },
        "description": text,
        "owners": {"type": "array", "items": text},
        "labels": {"type": "object", "additionalProperties": text},
        "inputs": named
        | {"additionalProperties": {"type": "object"}, "description": "A JSON Schema each; required unless it has a default."},
        "secrets": {
            "type": "array",
            "items": SECRET_NAME,
            "uniqueItems": True,
            "description": "Names that the configuration has a reference for; {{ secrets.NAME }} in fields that take one.",
        },
        "checks": {"type": "array", "items": _check(), "description": "Must hold before the first step."},
        "triggers": {"type": "array", "items": _trigger(), "description": "When it runs by itself: opsbook schedule install."},
        "concurrency": _concurrency(),
        "timeout": {"type": "string", "format": "duration", "description": "Of the whole run."},
        "defaults": {
            "type": "object",
            "properties": {"timeout": {"type": "string", "format": "duration", "x-literal": True}, **MODIFIERS["retry"].PROPERTIES},
            "additionalProperties": False,
        },
        "vars": named | {"description": "Computed once, in order."},
        "steps": steps,
        "finally": steps | {"description": "Runs after success, failure or cancel."},
        "outputs": named
        | {"additionalProperties": {"type": "object", "required": ["value"]}, "description": "A JSON Schema each, and its value."},
        **notices.schema(),
    }


def _check() -> dict[str, Any]:
    expression = {"type": "string", "minLength": 1, "format": "expression"}
    return {
        "type": "object",
        "properties": {"if": expression, "that": expression, "message": {"type": "string", "minLength": 1}},
        "required": ["that", "message"],
        "additionalProperties": False,
    }


def _trigger() -> dict[str, Any]:
    time = {"type": "string", "format": "duration", "x-literal": True}
    return {
        "type": "object",
        "properties": {
            "cron": {"type": "string", "minLength": 1, "description": "Minute, hour, day of the month, month, day of the week."},
            "timezone": {"type": "string", "minLength": 1, "description": "An IANA name such as Europe/Berlin; UTC by default."},
            "inputs": {"type": "object", "description": "Of the runs it starts; values, no templates."},
            "missed": {
                "type": "string",
                "enum": ["skip", "run_once"],
                "description": "When the machine was off then; skip by default.",
            },
            "max_lateness": time | {"description": "How late a missed moment may still be caught up."},
            "jitter": time | {"description": "Each machine begins so much later at most, always at the same time."},
        },
        "required": ["cron"],
        "additionalProperties": False,
    }


def _concurrency() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "group": {"type": "string", "minLength": 1, "description": "Runs of one group do not overlap."},
            "on_conflict": {"type": "string", "enum": ["queue", "skip", "fail"], "description": "queue by default"},
        },
        "required": ["group"],
        "additionalProperties": False,
    }


def _step() -> dict[str, Any]:
    """One step: the common keys, and those of every construct and modifier; at least one construct."""
    expression = {"type": "string", "minLength": 1, "format": "expression"}
    common: dict[str, Any] = {
        "id": {"type": "string", **NAME},
        "name": {"type": "string"},
        "if": expression,
        "timeout": {"type": "string", "format": "duration", "description": "Of one attempt."},
        "expect": {"type": "array", "items": expression, "description": "Must hold of the result, after `until`."},
        "continue_on_error": {"type": "boolean"},
    }
    for family in (CONSTRUCTS, MODIFIERS):
        for member in family.values():
            common |= member.PROPERTIES
    absent = [{"not": {"required": [kind]}} for kind in CONSTRUCTS if kind != "uses"]
    return {
        "type": "object",
        "properties": common,
        "additionalProperties": False,
        "allOf": [{"if": {"allOf": absent}, "then": {"required": ["uses"]}}],
    }


def published(steps: Mapping[str, StepType], alert: Schema = notices.ALERT) -> dict[str, Any]:
    """The whole schema for editors: the grammar, for each step the schema of its `with`, and that of the alert a failure raises."""
    whole = {**runbook()}
    whole["properties"] = {**whole["properties"], **notices.schema(alert)}
    step = dict(whole["definitions"]["step"])
    step["properties"] = {**step["properties"], "uses": {**step["properties"]["uses"], "enum": sorted(steps)}}
    step["dependencies"] = {key: [partner] for key, partner in PARTNERS.items()}
    step["allOf"] = [*step["allOf"], *_one_kind(), *(_dispatch(name, kind) for name, kind in sorted(steps.items()))]
    whole["definitions"] = {"step": step}
    portable: dict[str, Any] = _portable(whole)
    return portable


def _one_kind() -> list[dict[str, Any]]:
    """A step is one thing: which two do not go together, each pair said once and at the second."""
    kinds = list(CONSTRUCTS)
    return [
        {"if": {"required": [kind]}, "then": {"properties": dict.fromkeys(kinds[index + 1 :], False)}}
        for index, kind in enumerate(kinds[:-1])
    ]


def _portable(value: Any) -> Any:
    """A schema for other validators: our annotations left out, our formats said in standard words."""
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = {key: _portable(part) for key, part in value.items() if not key.startswith("x-")}
    if kept.get("format") in ("duration", "expression"):
        own = kept.pop("format")
        templates = "" if value.get("x-literal") else r"|\{\{"
        kept |= {"pattern": duration.PATTERN + templates} if own == "duration" else {}
    return kept


def _dispatch(name: str, kind: StepType) -> dict[str, Any]:
    inputs = as_written_fields(kind)
    then: dict[str, Any] = {"properties": {"with": {**inputs, "description": kind.summary}}}
    if inputs.get("required"):
        then["required"] = ["with"]
    return {"if": {"properties": {"uses": {"const": name}}, "required": ["uses"]}, "then": then}


def as_written_fields(kind: StepType) -> dict[str, Any]:
    """The schema of a step's `with` as written: a mapping always, each of its values perhaps a template."""
    return _as_written_fields(ByIdentity(kind))


@functools.lru_cache(maxsize=1024)
def _as_written_fields(key: ByIdentity) -> dict[str, Any]:
    written = as_written(key.thing.inputs)
    return {**written.get("else", written)}
