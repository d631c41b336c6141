"""JSON Schema, draft-07: the runbook's grammar, each step's own schema, and validation that says path and rule, never a value.

Two shapes of every step schema: as sent (every value rendered), and as written (a template may stand for any value).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine import duration, schema_rules, template
from engine.advice import FEW, did_you_mean
from engine.contracts import Schema
from engine.contracts import Step as StepType
from engine.control import CONSTRUCTS
from engine.model import Path
from engine.modifiers import MODIFIERS
from engine.rendering import Late

DRAFT = "http://json-schema.org/draft-07/schema#"
TEMPLATED = {"type": "string", "pattern": r"\{[{%]"}
"""What a value looks like that will be something else once it is rendered."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: where, what was found and expected, what to do.

    Attributes:
        key: whether `path` names a key of a mapping, rather than its value.
    """

    path: Path
    message: str
    hint: str | None = None
    key: bool = False

    def __str__(self) -> str:
        return f"{spell_path(self.path)}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def spell_path(path: Iterable[str | int]) -> str:
    """A path as people write it: `.responders[0].type`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def problems(value: Any, schema: Schema) -> list[Problem]:
    """Every rule of the schema that the value breaks, in the order of the value. What is not known yet passes."""
    found = [problem for error in _validator(_Key(schema)).iter_errors(value) for problem in _explain(error)]
    return sorted(found, key=lambda problem: [f"{part:09}" if isinstance(part, int) else part for part in problem.path])


def first_problem(value: Any, schema: Schema) -> Problem | None:
    """The first broken rule, or None."""
    return next(iter(problems(value, schema)), None)


class _Key:
    """Anything as a dictionary key: by identity, kept alive by the cache."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.thing is self.thing


@functools.lru_cache(maxsize=512)
def _validator(key: _Key) -> Any:
    """A validator that fetches nothing and cannot be made to hang."""
    from referencing import Registry

    return _validator_class()(key.thing, registry=Registry(), format_checker=_formats())


@functools.cache
def _validator_class() -> Any:
    from jsonschema import Draft7Validator, validators

    def strict_type(checker: Any, instance: Any) -> bool:
        del checker
        return isinstance(instance, int) and not isinstance(instance, bool)

    checker = Draft7Validator.TYPE_CHECKER.redefine("integer", strict_type)
    rules = {**Draft7Validator.VALIDATORS, **schema_rules.RULES, "format": _format}
    return validators.extend(  # type: ignore[no-untyped-call]
        Draft7Validator, {name: _of_known(rule) for name, rule in rules.items()}, type_checker=checker
    )


def _of_known(rule: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    """A rule that says nothing about a value, or a part of one, that only a real run would know."""

    def check(validator: Any, limit: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, (template.Unknown, Late)):
            return
        try:
            yield from rule(validator, limit, instance, schema) or ()
        except template.UnknownValue:
            return

    return check


def _format(validator: Any, form: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import Draft7Validator, ValidationError

    if schema.get("x-literal") and isinstance(instance, str) and "{{" in instance:
        yield ValidationError("a template cannot stand here")
    else:
        yield from Draft7Validator.VALIDATORS["format"](validator, form, instance, schema)


@functools.cache
def _formats() -> Any:
    """Checks of `format`; only ours and those that need no other package."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=("date", "email", "ipv4", "ipv6"))

    def spans(value: object) -> bool:
        return not isinstance(value, str) or "{{" in value or duration.seconds(value) >= 0

    def moment(value: object) -> bool:
        from datetime import datetime

        return not isinstance(value, str) or "{{" in value or datetime.fromisoformat(value) is not None

    checker.checks("duration", raises=ValueError)(spans)
    checker.checks("date-time", raises=ValueError)(moment)
    return checker


def _explain(error: Any) -> list[Problem]:
    """A jsonschema error as problems, built from path and rule only."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        return [_unknown_key(path, key, error) for key in schema_rules.extra_names(error.instance, error.schema)]
    if error.validator == "required":
        missing = next(name for name in error.validator_value if error.message.startswith(repr(name)))
        return [Problem(path, f"{missing} is missing", key=True)]
    message, hint = _RULES.get(error.validator, _any_rule)(error)
    return [Problem(path, message, hint)]


def _unknown_key(path: Path, key: str, error: Any) -> Problem:
    known = list(error.schema.get("properties", {}))
    return Problem((*path, key), f"unknown key {key!r}", did_you_mean(key, known), key=True)


def _type_rule(error: Any) -> tuple[str, str | None]:
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    found = _type_name(error.instance)
    hint = 'quote it: "…"' if wanted == ["string"] and found in ("a number", "true or false") else None
    return f"found {found}, expected {' or '.join(_TYPES[name] for name in wanted)}", hint


def _enum_rule(error: Any) -> tuple[str, str | None]:
    options = [str(option) for option in error.validator_value]
    near = did_you_mean(error.instance, options) if isinstance(error.instance, str) and len(options) > FEW else None
    return f"not one of {', '.join(options[:FEW])}{' …' if len(options) > FEW else ''}", near


def _format_rule(error: Any) -> tuple[str, str | None]:
    advice = {
        "duration": "write a number and a unit, such as 90s, 10m, 1h30m or 7d",
        "date-time": "write it like 2026-11-23T22:30:00Z",
        "email": "an e-mail address has one @",
    }
    return f"not a valid {error.validator_value}", advice.get(error.validator_value)


def _any_rule(error: Any) -> tuple[str, str | None]:
    return f"breaks the rule {error.validator}", None


def _rule(text: str) -> Callable[[Any], tuple[str, str | None]]:
    return lambda error: (text.format(limit=error.validator_value), None)


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}

_RULES: dict[str, Callable[[Any], tuple[str, str | None]]] = {
    "type": _type_rule,
    "enum": _enum_rule,
    "format": _format_rule,
    "const": _rule("must be {limit!r}"),
    "minLength": _rule("shorter than {limit} characters"),
    "maxLength": _rule("longer than {limit} characters"),
    "minimum": _rule("less than {limit}"),
    "maximum": _rule("more than {limit}"),
    "minItems": _rule("fewer than {limit} items"),
    "maxItems": _rule("more than {limit} items"),
    "minProperties": _rule("fewer than {limit} fields"),
    "maxProperties": _rule("more than {limit} fields"),
    "uniqueItems": _rule("the same item stands in it twice"),
    "pattern": _rule("does not match {limit}"),
    "not": _rule("must not be like this"),
}


def _type_name(value: Any) -> str:
    kinds = ((bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text"), (dict, "a mapping"), (list, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def as_written(schema: Schema) -> dict[str, Any]:
    """The schema of a value as written: where the step takes a value, a template may stand.

    Said as if/then/else: measured, editors and validators give wrong advice on oneOf and anyOf.
    """
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
    if not inner or (inner.get("type") == "string" and not set(inner) & {"enum", "pattern", "format", "maxLength", "minLength"}):
        return inner
    description = {"description": inner.pop("description")} if "description" in inner else {}
    return {"if": TEMPLATED, "else": inner, **description}


@functools.cache
def grammar() -> dict[str, Any]:
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
    name = "^[a-z_][a-z0-9_]*$"
    named = {"type": "object", "propertyNames": {"pattern": name}}
    return {
        "apiVersion": {"const": "runbook/v1", "description": "The language's version."},
        "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 100, "description": "A slug."},
        "description": text,
        "owners": {"type": "array", "items": text},
        "labels": {"type": "object", "additionalProperties": text},
        "inputs": named
        | {"additionalProperties": {"type": "object"}, "description": "A JSON Schema each; required unless it has a default."},
        "checks": {"type": "array", "items": _check(), "description": "Must hold before the first step."},
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
    }


def _check() -> dict[str, Any]:
    expression = {"type": "string", "minLength": 1, "format": "expression"}
    return {
        "type": "object",
        "properties": {"if": expression, "that": expression, "message": {"type": "string", "minLength": 1}},
        "required": ["that", "message"],
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
        "id": {"type": "string", "pattern": "^[a-z_][a-z0-9_]*$", "maxLength": 100},
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


def published(steps: Mapping[str, StepType]) -> dict[str, Any]:
    """The whole schema for editors: the grammar, and for each step the schema of its `with`."""
    whole = {**grammar()}
    step = dict(whole["definitions"]["step"])
    step["properties"] = {**step["properties"], "uses": {**step["properties"]["uses"], "enum": sorted(steps)}}
    step["allOf"] = [*step["allOf"], *(_dispatch(name, kind) for name, kind in sorted(steps.items()))]
    whole["definitions"] = {"step": step}
    portable: dict[str, Any] = _portable(whole)
    return portable


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
    return _as_written_fields(_Key(kind))


@functools.lru_cache(maxsize=1024)
def _as_written_fields(key: _Key) -> dict[str, Any]:
    written = as_written(key.thing.inputs)
    return {**written.get("else", written)}
