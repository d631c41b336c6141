"""Validation against JSON Schema, draft-07: every broken rule said by its path and its rule, never by a value that may be secret."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine import duration, template
from engine.advice import FEW, did_you_mean
from engine.contracts import Schema
from engine.model import Path
from engine.rendering import Late
from engine.schema import rules
from engine.secret import SecretName


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: where, what was found and expected, what to do.

    Attributes:
        key: whether `path` names a key of a mapping, rather than its value.
        secret: whether the value was to be a secret, so that its line is not shown.
        known: of a key that the schema does not have, those it has; None for every other problem.
    """

    path: Path
    message: str
    hint: str | None = None
    key: bool = False
    known: tuple[str, ...] | None = None
    secret: bool = False

    def __str__(self) -> str:
        return f"{spell_path(self.path)}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def spell_path(path: Iterable[str | int]) -> str:
    """A path as people write it: `.responders[0].type`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def problems(value: Any, schema: Schema) -> list[Problem]:
    """Every rule of the schema that the value breaks, in the order of the value. What is not known yet passes."""
    found = [problem for error in _validator(ByIdentity(schema)).iter_errors(value) for problem in _explain(error)]
    return sorted(found, key=lambda problem: [f"{part:09}" if isinstance(part, int) else part for part in problem.path])


def first_problem(value: Any, schema: Schema) -> Problem | None:
    """The first broken rule, or None."""
    return next(iter(problems(value, schema)), None)


class ByIdentity:
    """Anything as a dictionary key: by identity, kept alive by the cache."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.thing is self.thing


@functools.lru_cache(maxsize=512)
def _validator(key: ByIdentity) -> Any:
    """A validator that fetches nothing and cannot be made to hang."""
    from referencing import Registry

    return _validator_class()(key.thing, registry=Registry(), format_checker=_formats())


@functools.cache
def _validator_class() -> Any:
    from jsonschema import Draft7Validator, validators

    every = {**Draft7Validator.VALIDATORS, **rules.RULES, "format": _format}
    return validators.extend(Draft7Validator, {name: _of_known(rule) for name, rule in every.items()})  # type: ignore[no-untyped-call]


def _of_known(rule: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    """A rule that says nothing about a value, or a part of one, that only a real run would know, nor about a secret."""

    def check(validator: Any, limit: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, (template.Unknown, Late, SecretName)):
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
    if error.schema is False:
        return [Problem(path, "nothing may stand here")]
    if "x-rule" in error.schema:
        return [Problem(path, str(error.schema["x-rule"]), secret="x-secret" in error.schema)]
    if error.validator == "additionalProperties":
        return [_unknown_key(path, key, error) for key in rules.extra_names(error.instance, error.schema)]
    if error.validator == "required":
        missing = next(name for name in error.validator_value if error.message.startswith(repr(name)))
        return [Problem(path, f"{missing} is missing", key=True)]
    if error.validator == "propertyNames":
        told = [problem for below in error.context for problem in _explain(below)]
        return [Problem(path, f"the name {path[-1]!r}: {problem.message}", problem.hint, key=True) for problem in told]
    message, hint = _RULES.get(error.validator, _any_rule)(error)
    return [Problem(path, message, hint)]


def _unknown_key(path: Path, key: str, error: Any) -> Problem:
    known = tuple(error.schema.get("properties", {}))
    return Problem((*path, key), f"unknown key {key!r}", did_you_mean(key, known), key=True, known=known)


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
