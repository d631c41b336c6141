"""What came from outside, as text → typed data, checked against the schema the author wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NoReturn

from engine import pattern as expressions
from engine.contracts import Schema
from engine.errors import StepError
from steps.step import known

Parse = Literal["json", "lines", "text"]

SCHEMA_LIMIT = 16 * 1024
"""Most characters an `outputs` schema may have as JSON."""

PATTERN_SECONDS = 0.25
"""Most time one `pattern` may take on one value."""

DEEPEST = 100
"""Lists and objects inside each other: what comes later walks them level by level."""

_COMPARE = "compare `parse` and `outputs` with what is answered"
_REFUSED_KEYWORDS = ("$ref", "patternProperties")


def data_schema(written: Mapping[str, Any], default: Parse | None) -> Schema:
    """Schema of `data`, given a step's `parse` and `outputs` as written."""
    if isinstance(written.get("outputs"), Mapping):
        schema: Schema = written["outputs"]
        return schema
    shapes: dict[Any, Schema] = {"lines": {"type": "array", "items": {"type": "string"}}, "text": {"type": "string"}}
    return shapes.get(written.get("parse", default), {})


def check_schema(schema: Any, field: str = "outputs") -> None:
    """Refuses a schema under `field` that is no valid draft-07 schema, is large, or refers elsewhere. Raises StepError."""
    if schema is None or not known(schema):
        return
    from jsonschema import Draft7Validator, SchemaError

    if len(json.dumps(schema)) > SCHEMA_LIMIT:
        _refuse_schema(field, f"is longer than {SCHEMA_LIMIT} characters")
    for keyword in _keywords(schema):
        if keyword in _REFUSED_KEYWORDS:
            _refuse_schema(field, f"uses {keyword}, which is not supported here")
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as exc:
        _refuse_schema(field, f"is not valid at {_path(exc.absolute_path)}: {exc.validator}")


def parse(text: str, how: Parse, schema: Schema | None) -> Any:
    """Data in a text.

    `json` is strict (no NaN, no key twice), `lines` is a list without line ends, `text` loses the line ends at its end, as in a shell.

    Raises StepError (`unexpected_output`) when the text cannot be read that way or does not fit the schema; its message never
    shows the text.
    """
    if how == "text":
        data: Any = text.rstrip("\r\n")
    elif how == "lines":
        data = text.splitlines()
    else:
        data = _json(text)
    if schema is not None:
        check_fits(data, schema, "outputs", _COMPARE)
    return data


def printable(text: str, limit: int = 500) -> str:
    """The start of a text from outside, fit to stand in a message: control and format characters become spaces."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:limit]


def _json(text: str) -> Any:
    try:
        return strict_json(text)
    except json.JSONDecodeError as exc:
        _unexpected(f"is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}")
    except (ValueError, RecursionError) as exc:
        _unexpected(f"is not JSON: {'nested too deeply' if isinstance(exc, RecursionError) else exc}")


def strict_json(text: str) -> Any:
    """JSON without NaN, infinities, a key twice, or more than 100 levels. Raises ValueError and RecursionError."""
    value = json.loads(text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique)
    if text.count("[") + text.count("{") > DEEPEST and _deeper(value, DEEPEST):
        raise RecursionError
    return value


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    return levels == 0 or any(_deeper(part, levels - 1) for part in (value.values() if isinstance(value, dict) else value))


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def check_fits(data: Any, schema: Schema, field: str, hint: str) -> None:
    """Raises StepError (`unexpected_output`) when a value does not fit the schema under `field`; its message never shows the value."""
    from jsonschema import Draft7Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: Any, rule: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not expressions.compiled(rule).search(value, timeout=PATTERN_SECONDS):
            yield ValidationError("pattern")

    def unique_items(_validator: Any, wanted: bool, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if wanted and isinstance(value, list) and len({json.dumps(item, sort_keys=True) for item in value}) < len(value):
            yield ValidationError("uniqueItems")

    validator: Any = extend(Draft7Validator, {"pattern": pattern, "uniqueItems": unique_items})  # type: ignore[no-untyped-call]
    try:
        fault = next(validator(schema).iter_errors(data), None)
    except (ValueError, TimeoutError, RecursionError):
        _unexpected(f"cannot be checked: a pattern of `{field}` is invalid or takes too long, or the data is nested too deeply", hint)
    if fault is not None:
        _unexpected(f"does not fit `{field}` at {_path(fault.absolute_path)}: {_rule(fault)}", hint)


def _rule(fault: Any) -> str:
    if fault.validator == "required":
        missing = [name for name in fault.validator_value if name not in fault.instance]
        return f"lacks {', '.join(missing)}"
    rule = fault.validator_value
    return f"{fault.validator} must be {json.dumps(rule)[:80]}" if not isinstance(rule, Mapping) else str(fault.validator)


def _keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            yield key
            yield from _keywords(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)


def _path(parts: Any) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _refuse_schema(field: str, fault: str) -> NoReturn:
    raise StepError(f"the schema under `{field}` {fault}", code=f"{field}_schema", again="never", hint=f"correct `{field}` in the runbook")


def _unexpected(fault: str, hint: str = _COMPARE) -> NoReturn:
    raise StepError(f"the output {fault}", code="unexpected_output", again="never", hint=hint)
