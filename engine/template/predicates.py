"""The tests of templates, `x is matches("^db")`; `==`, `<` and `in` are written in terms of the same table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine import pattern as expressions
from engine.template import moments
from engine.template.functions import Function, table
from engine.template.values import ABSENT, fault, kind

LONGEST_PATTERN: Final = 512
LONGEST_SUBJECT: Final = 64 * 1024
MATCH_SECONDS: Final = 0.1


def _eq(value: Any, other: Any) -> bool:
    return _family(value) == _family(other) and bool(value == other)


def _ne(value: Any, other: Any) -> bool:
    return not _eq(value, other)


def _family(value: Any) -> str:
    """The type, with whole and other numbers as one: 1 equals 1.0, and never true."""
    return "number" if (found := kind(value)) == "integer" else found


def _sign(value: Any, other: Any) -> int:
    family = _family(value)
    if family not in {"number", "string"} or family != _family(other):
        raise fault(
            f"{kind(value)} cannot be ordered against {kind(other)}", "compare two numbers or two texts; `| int` makes text a number"
        )
    return int(value > other) - int(value < other)


def _lt(value: Any, other: Any) -> bool:
    return _sign(value, other) < 0


def _le(value: Any, other: Any) -> bool:
    return _sign(value, other) <= 0


def _gt(value: Any, other: Any) -> bool:
    return _sign(value, other) > 0


def _ge(value: Any, other: Any) -> bool:
    return _sign(value, other) >= 0


def _in(value: Any, container: str | list[Any] | dict[str, Any]) -> bool:
    return _contains(container, value)


def _not_in(value: Any, container: str | list[Any] | dict[str, Any]) -> bool:
    return not _contains(container, value)


def _contains(container: str | list[Any] | dict[str, Any], value: Any) -> bool:
    if isinstance(container, str | Mapping):
        if not isinstance(value, str):
            raise fault(f"only text can be in a {kind(container)}, found {kind(value)}")
        return value in container
    return any(_eq(value, item) for item in container)


def _defined(value: Any) -> bool:
    return value is not ABSENT


def _undefined(value: Any) -> bool:
    return value is ABSENT


def _is_kind(*kinds: str) -> Any:
    def check(value: Any) -> bool:
        return kind(value) in kinds

    return check


def _true(value: Any) -> bool:
    return value is True


def _false(value: Any) -> bool:
    return value is False


def _startswith(value: str, prefix: str) -> bool:
    return value.startswith(prefix)


def _endswith(value: str, suffix: str) -> bool:
    return value.endswith(suffix)


def _matches(value: str, pattern: str) -> bool:
    """Whether the pattern is found anywhere in the text; `^` and `$` tie it to the ends."""
    if len(value) > LONGEST_SUBJECT:
        raise fault(f"`matches` takes at most {LONGEST_SUBJECT} characters")
    try:
        return _pattern(pattern).search(value, timeout=MATCH_SECONDS) is not None
    except TimeoutError as error:
        raise fault("the pattern of `matches` takes too long on this text", "avoid repeats inside repeats, such as (a+)+") from error


def _pattern(pattern: str) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise fault(f"the pattern of `matches` is longer than {LONGEST_PATTERN} characters")
    try:
        return expressions.compiled(pattern)
    except ValueError as error:
        raise fault(f"the pattern of `matches` is {error}") from error


def _within(value: str | float, hours: str, timezone: str = "UTC", days: str = "mon-sun") -> bool:
    return moments.within(value, hours, timezone, days)


TESTS: Final[Mapping[str, Function]] = table(
    {
        "boolean": _is_kind("boolean"),
        "contains": _contains,
        "defined": _defined,
        "endswith": _endswith,
        "eq": _eq,
        "equalto": _eq,
        "false": _false,
        "ge": _ge,
        "gt": _gt,
        "in": _in,
        "integer": _is_kind("integer"),
        "le": _le,
        "lt": _lt,
        "mapping": _is_kind("object"),
        "matches": _matches,
        "ne": _ne,
        "none": _is_kind("null"),
        "notin": _not_in,
        "number": _is_kind("integer", "number"),
        "sequence": _is_kind("array"),
        "startswith": _startswith,
        "string": _is_kind("string"),
        "true": _true,
        "undefined": _undefined,
        "within": _within,
    },
    lenient=frozenset({"defined", "undefined"}),
)
