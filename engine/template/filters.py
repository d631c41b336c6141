"""The filters of templates, `x | join(", ")`. Each checks its arguments' types and is capped; see engine.template.functions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from engine import duration
from engine.template import moments
from engine.template.functions import Function, table
from engine.template.predicates import TESTS
from engine.template.values import ABSENT, LONGEST_TEXT, as_json, fault, kind, member, nearest, number, spelled


def _default(value: Any, fallback: Any = "", boolean: bool = False) -> Any:
    return fallback if value is ABSENT or (boolean and not value) else value


# text


def _upper(value: str) -> str:
    return value.upper()


def _lower(value: str) -> str:
    return value.lower()


def _trim(value: str) -> str:
    return value.strip()


def _replace(value: str, old: str, new: str) -> str:
    if len(value) + value.count(old) * len(new) > 2 * LONGEST_TEXT:
        raise fault("`replace` would make the text too long")
    return value.replace(old, new)


def _truncate(value: str, length: int = 255, end: str = "…") -> str:
    """At most `length` characters, the end included."""
    if len(value) <= length:
        return value
    return (value[: max(0, length - len(end))] + end)[: max(0, length)]


def _split(value: str, separator: str | None = None) -> list[Any]:
    return value.split(separator)


def _urlencode(value: str) -> str:
    return quote(value, safe="")


def _string(value: Any) -> str:
    return spelled(value)


def _tojson(value: Any, indent: int | None = None) -> str:
    return as_json(value, indent if indent is None else max(0, min(indent, 8)))


def _fromjson(value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise fault("`fromjson` takes JSON text") from error


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


# numbers


def _int(value: str | float | bool, default: int | None = None) -> int:
    return math.trunc(number(_parse(value, default)))


def _float(value: str | float | bool, default: float | None = None) -> float:
    return float(number(_parse(value, default)))


def _parse(value: str | float, default: float | None) -> float:
    if not isinstance(value, str):
        return value
    try:
        return int(value) if value.strip().lstrip("+-").isdigit() else float(value[:400])
    except ValueError as error:
        if default is None:
            raise fault("the text is not a number", "give the filter a default for it, such as int(0)") from error
        return default


def _round(value: float, precision: int = 0) -> float:
    return round(value, max(-15, min(precision, 15)) or None)


def _abs(value: float) -> float:
    return abs(value)


def _sum(value: list[Any], attribute: str | None = None) -> float:
    total: float = 0
    for item in _pick(value, attribute):
        if kind(item) not in {"integer", "number"}:
            raise fault(f"`sum` takes numbers, found {kind(item)}")
        total = number(total + item)
    return total


def _min(value: list[Any], attribute: str | None = None) -> Any:
    return min(value, key=_order(value, attribute), default=ABSENT)


def _max(value: list[Any], attribute: str | None = None) -> Any:
    return max(value, key=_order(value, attribute), default=ABSENT)


# lists and objects


def _length(value: str | list[Any] | dict[str, Any]) -> int:
    return len(value)


def _first(value: str | list[Any]) -> Any:
    return member(value, 0)


def _last(value: str | list[Any]) -> Any:
    return member(value, -1)


def _join(value: list[Any], separator: str = "", attribute: str | None = None) -> str:
    parts, length = [], 0
    for item in _pick(value, attribute):
        parts.append(spelled(item))
        length += len(parts[-1]) + len(separator)
        if length > LONGEST_TEXT + len(separator):
            raise fault("`join` would make the text too long")
    return separator.join(parts)


def _map(value: list[Any], filter: str | None = None, attribute: str | None = None, default: Any = ABSENT) -> list[Any]:  # noqa: A002
    if (filter is None) == (attribute is None):
        raise fault('`map` takes one of them: map(attribute="name") or map("upper")')
    if filter is None:
        return list(_pick(value, attribute, default))
    return list(map(_named(filter, FILTERS), value))


def _select(value: list[Any], test: str, argument: Any = ABSENT) -> list[Any]:
    return [item for item in value if _holds(item, test, argument)]


def _reject(value: list[Any], test: str, argument: Any = ABSENT) -> list[Any]:
    return [item for item in value if not _holds(item, test, argument)]


def _selectattr(value: list[Any], attribute: str, test: str = "true", argument: Any = ABSENT) -> list[Any]:
    fields = _pick(value, attribute, lenient=True)
    return [item for item, field in zip(value, fields, strict=True) if _holds(field, test, argument)]


def _rejectattr(value: list[Any], attribute: str, test: str = "true", argument: Any = ABSENT) -> list[Any]:
    fields = _pick(value, attribute, lenient=True)
    return [item for item, field in zip(value, fields, strict=True) if not _holds(field, test, argument)]


def _holds(value: Any, test: str, argument: Any) -> bool:
    predicate = _named(_SIGNS.get(test, test), TESTS)
    return bool(predicate(value) if argument is ABSENT else predicate(value, argument))


def _named(name: str, functions: Mapping[str, Function]) -> Function:
    if name not in functions:
        raise fault(f"there is no `{name[:40]}`", nearest(name[:40], functions))
    return functions[name]


def _pick(items: list[Any], attribute: str | None, default: Any = ABSENT, *, lenient: bool = False) -> Iterator[Any]:
    """The items, or the field of each at a dotted path."""
    path = attribute.split(".") if attribute is not None else ()
    for index, item in enumerate(items):
        found = item
        for key in path:
            found = member(found, int(key) if key.isdecimal() else key)
        found = default if found is ABSENT else found
        if found is ABSENT and not lenient:
            raise fault(f"item {index} has no field `{attribute}`", "give map a default for it")
        yield found


def _order(items: list[Any], attribute: str | None, *, case_sensitive: bool = True) -> Callable[[Any], Any]:
    """A sort key; the keys must all be numbers or all be text."""
    kinds = {"number" if kind(key) == "integer" else kind(key) for key in _pick(items, attribute)}
    if len(kinds) > 1 or not kinds <= {"number", "string"}:
        raise fault(
            f"values of types {' and '.join(sorted(kinds))} have no order", "sort by an attribute whose values are all numbers or all text"
        )

    def key(item: Any) -> Any:
        found = next(_pick([item], attribute))
        return found.casefold() if isinstance(found, str) and not case_sensitive else found

    return key


def _sort(value: list[Any], reverse: bool = False, attribute: str | None = None, case_sensitive: bool = False) -> list[Any]:
    return sorted(value, key=_order(value, attribute, case_sensitive=case_sensitive), reverse=reverse)


def _unique(value: list[Any], attribute: str | None = None) -> list[Any]:
    """The first of each, compared by exact value."""
    first: dict[str, Any] = {}
    for item, key in zip(value, _pick(value, attribute), strict=True):
        first.setdefault(as_json(key), item)
    return list(first.values())


def _keys(value: dict[str, Any]) -> list[Any]:
    return list(value)


def _values(value: dict[str, Any]) -> list[Any]:
    return list(value.values())


def _items(value: dict[str, Any]) -> list[Any]:
    return [{"key": key, "value": item} for key, item in value.items()]


# time


def _duration(value: str, unit: str = "s") -> float:
    try:
        return _in_unit(duration.seconds(value), unit)
    except ValueError as error:
        raise fault(f"`duration`: {error}") from error


def _timestamp(value: str | float, unit: str = "s") -> int:
    return math.floor(_in_unit(moments.moment(value).timestamp(), unit))


def _in_unit(seconds: float, unit: str) -> float:
    if unit not in {"s", "ms"}:
        raise fault('the unit is "s" or "ms"')
    amount = round(seconds * 1000) / (1 if unit == "ms" else 1000)
    return int(amount) if amount.is_integer() else amount


def _date(value: str | float, format: str = "%Y-%m-%d", timezone: str = "UTC") -> str:  # noqa: A002 - the name authors know
    if len(format) > 100:
        raise fault("the format of `date` is too long")
    return moments.moment(value).astimezone(moments.zone(timezone)).strftime(format)


_SIGNS: Final[Mapping[str, str]] = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

FILTERS: Final[Mapping[str, Function]] = table(
    {
        "abs": _abs,
        "date": _date,
        "default": _default,
        "duration": _duration,
        "first": _first,
        "float": _float,
        "fromjson": _fromjson,
        "int": _int,
        "items": _items,
        "join": _join,
        "keys": _keys,
        "last": _last,
        "length": _length,
        "lower": _lower,
        "map": _map,
        "max": _max,
        "min": _min,
        "reject": _reject,
        "rejectattr": _rejectattr,
        "replace": _replace,
        "round": _round,
        "select": _select,
        "selectattr": _selectattr,
        "sort": _sort,
        "split": _split,
        "string": _string,
        "sum": _sum,
        "timestamp": _timestamp,
        "tojson": _tojson,
        "trim": _trim,
        "truncate": _truncate,
        "unique": _unique,
        "upper": _upper,
        "urlencode": _urlencode,
        "values": _values,
    },
    lenient=frozenset({"default"}),
)
