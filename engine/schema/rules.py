"""Rules of JSON Schema that neither a hostile expression nor a long list can make slow.

The library's own rules run expressions without a limit, and compare each item of a list with every other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from engine import pattern as expressions
from engine.template.unknown import UnknownValue

PATTERN_TIME_LIMIT = 0.1
"""Seconds one expression may take on one text; a hostile one is a failed match, not a hang."""

PATIENCE = 10
"""So often an expression may run out of time in one process: ten thousand rows must not wait for it one by one."""

_out_of_time: Counter[str] = Counter()


def matches(pattern: str, text: str) -> bool:
    """Whether a regular expression is found in a text, within its time limit; one that is none is found in no text."""
    if _out_of_time[pattern] >= PATIENCE:
        return False
    try:
        return expressions.compiled(pattern).search(text, timeout=PATTERN_TIME_LIMIT) is not None
    except ValueError:
        return False
    except TimeoutError:
        _out_of_time[pattern] += 1
        return False


def extra_names(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """The names of an object that its schema does not list."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return [name for name in instance if name not in known and not any(matches(pattern, name) for pattern in patterns)]


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield _error("does not match the pattern")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    for pattern, below in patterns.items() if isinstance(instance, dict) else ():
        for name, value in instance.items():
            if matches(pattern, name):
                yield from validator.descend(value, below, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    extra = extra_names(instance, schema) if isinstance(instance, dict) and allowed is not True else []
    if isinstance(allowed, Mapping):
        for name in extra:
            yield from validator.descend(instance[name], allowed, path=name)
    elif extra:
        yield _error("names that are not listed")


def _property_names(validator: Any, below: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    """Each wrong name at its own key; the library points at the whole mapping."""
    for name in instance if isinstance(instance, dict) else ():
        wrong = list(validator.descend(name, below))
        if wrong:
            yield _error("a name that breaks a rule", path=[name], context=wrong)


def _unique_items(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[Any]:
    if wanted and isinstance(instance, list) and len({_spelt(item) for item in instance}) < len(instance):
        yield _error("the same item stands in it twice")


def _spelt(item: Any) -> str:
    """Equal for equal values; 1 and 1.0 are one number."""
    whole = isinstance(item, float) and item.is_integer()
    return json.dumps(int(item) if whole else item, sort_keys=True, default=_refuse_unknown)


def _refuse_unknown(value: Any) -> NoReturn:
    raise UnknownValue(getattr(value, "name", "an item"))


def _before_last(validator: Any, below: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    """Every item but the last fits; draft-07 has no word for it."""
    for index, item in enumerate(instance[:-1] if isinstance(instance, list) and isinstance(below, Mapping) else ()):
        yield from validator.descend(item, below, path=index, schema_path=index)


def _error(message: str, **more: Any) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message, **more)


RULES = {
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "uniqueItems": _unique_items,
    "x-before-last": _before_last,
}
"""What takes the place of the library's rules."""
