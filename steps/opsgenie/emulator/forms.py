"""The checks of form that the service makes at once, read off an operation's row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from steps.fields import Fields, Schema
from steps.operation import Operation
from steps.opsgenie.emulator.moments import read
from steps.opsgenie.emulator.problems import ApiError, bad_fields

_RECIPIENTS = ("escalation", "owner", "responder", "responders", "team", "teams", "visibleTo")
_NAMES = ("id", "name", "username")


def body_of(raw: bytes | None) -> dict[str, Any]:
    """The JSON object of a body, empty when there is none. Raises ApiError (400)."""
    if not raw:
        return {}
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "Request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise ApiError(400, "Request body should be a JSON object.")
    return value


def _no_constant(_name: str) -> Any:
    raise ValueError


def query_of(text: str, row: Operation) -> dict[str, Any]:
    """The query's fields in the types that the row gives them. Raises ApiError (422)."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    return {name: _typed(name, values, row.query.get(name, {})) for name, values in given.items()}


def _typed(name: str, values: list[str], schema: Schema) -> Any:
    kind = schema.get("type")
    if kind == "integer":
        return _integer(name, values[-1])
    if kind == "boolean":
        return values[-1] == "true"
    if kind == "array":
        return [part.strip() for value in values for part in value.split(",")]
    return values[-1]


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise bad_fields({name: "should be an integer"}) from None


def check(row: Operation, query: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Raises ApiError (422) that names each wrong field. Fields nobody knows are passed over, as the service does."""
    errors = _errors(row, "query", query) | _errors(row, "body", body) | _nameless(body)
    if row.listing and query.get("limit", 0) > row.listing.page:
        errors["limit"] = f"should be at most {row.listing.page}"
    if errors:
        raise bad_fields(errors)


def _errors(row: Operation, part: str, given: Mapping[str, Any]) -> dict[str, str]:
    fields: Fields = getattr(row, part)
    required = [name for name in row.required if name in fields]
    errors = {name: "can not be empty" for name in required if given.get(name) in (None, "")}
    for error in _validator(row, part).iter_errors(dict(given)):
        if told := wording(error):
            errors.setdefault(place(error.absolute_path), told)
    return errors


_VALIDATORS: dict[tuple[str, str], Any] = {}


def _validator(row: Operation, part: str) -> Any:
    """Compiled once for each part of each row."""
    if (row.request, part) not in _VALIDATORS:
        _VALIDATORS[row.request, part] = _compiled(getattr(row, part))
    return _VALIDATORS[row.request, part]


def _compiled(fields: Fields) -> Any:
    from jsonschema import Draft7Validator, FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(is_moment)
    formats.checks("email")(_is_email)
    return Draft7Validator({"type": "object", "properties": fields}, format_checker=formats)


def is_moment(value: object) -> bool:
    """Whether text is an RFC 3339 date-time. Raises ValueError when it is not."""
    if isinstance(value, str):
        read(value)
    return True


def _is_email(value: object) -> bool:
    return not isinstance(value, str) or ("@" in value.strip("@") and " " not in value)


_WORDING: Mapping[str, Callable[[Any], str]] = {
    "type": lambda error: f"should be of type {error.validator_value}",
    "enum": lambda error: f"should be one of [ {', '.join(map(str, error.validator_value))} ]",
    "maxLength": lambda error: f"can not be longer than {error.validator_value} characters",
    "minLength": lambda _error: "can not be empty",
    "minimum": lambda error: f"should be at least {error.validator_value}",
    "maximum": lambda error: f"should be at most {error.validator_value}",
    "maxItems": lambda error: f"can not have more than {error.validator_value} items",
    "minItems": lambda _error: "can not be empty",
    "minProperties": lambda _error: "can not be empty",
    "required": lambda error: f"{error.message.split(' ')[0]} should be provided",
    "format": lambda error: f"is not a valid {error.validator_value}",
    "pattern": lambda _error: "is not valid",
}


def wording(error: Any) -> str | None:
    """What the service says of a broken rule, without the value; None for a rule that is not the service's (unknown fields)."""
    word = _WORDING.get(error.validator)
    return word(error) if word else None


def place(path: Iterable[str | int]) -> str:
    """A path into a value as the service writes it: `responders[0].type`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def parted(row: Operation, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a step that go into the query and into the body."""
    query = {name: value for name, value in given.items() if name in row.query}
    return query, {name: value for name, value in given.items() if name in row.body}


def _nameless(body: Mapping[str, Any]) -> dict[str, str]:
    """Recipients that say neither who nor everybody."""
    found = {}
    for name in _RECIPIENTS:
        given = body.get(name)
        for number, one in enumerate(given) if isinstance(given, list) else [(None, given)]:
            if isinstance(one, dict) and one.get("type") not in ("all", "none") and not any(one.get(key) for key in _NAMES):
                found[name if number is None else f"{name}[{number}]"] = "id or name should be provided"
    return found
