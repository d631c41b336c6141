"""What filters give where the result's type hangs on what is piped in; all others tell it themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.contracts import Schema
from engine.inference.value_types import ANY, STRING, items_of, of_types, types_of, union
from engine.template.filters import FILTERS

Pick = Callable[[Schema, Schema, str], Schema]
"""Items' type, attribute's type, fragment → the type of the items' field; reports a field that is not there."""


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a filter, as types."""

    name: str
    given: list[Schema]
    named: Mapping[str, Schema]

    def argument(self, position: int, name: str) -> Schema | None:
        """The type of an argument, by place or by name."""
        return self.given[position] if len(self.given) > position else self.named.get(name)


def _default(_: Pick, base: Schema, given: Given) -> Schema:
    return union(base, given.argument(0, "fallback") or {"type": "string", "const": ""})


def _same(_: Pick, base: Schema, __: Given) -> Schema:
    return base


def _same_by_field(pick: Pick, base: Schema, given: Given) -> Schema:
    attribute = given.argument(0, "attribute") if given.name.endswith("attr") else given.named.get("attribute")
    if attribute is not None:
        pick(items_of(base), attribute, str(attribute.get("const", given.name)))
    return base


def _item(pick: Pick, base: Schema, given: Given) -> Schema:
    _same_by_field(pick, base, given)
    return STRING if types_of(base) == {"string"} else items_of(base)


def _map(pick: Pick, base: Schema, given: Given) -> Schema:
    attribute, name = given.named.get("attribute"), given.argument(0, "filter")
    if attribute is not None:
        found = pick(items_of(base), attribute, str(attribute.get("const", "map")))
        return {"type": "array", "items": union(found, given.named["default"]) if "default" in given.named else found}
    function = FILTERS.get(str((name or {}).get("const")))
    return {"type": "array", "items": of_types(function.gives) if function is not None else ANY}


def _items(_: Pick, base: Schema, __: Given) -> Schema:
    others = base.get("additionalProperties")
    value = others if isinstance(others, Mapping) and "properties" not in base else ANY
    return {"type": "array", "items": {"type": "object", "properties": {"key": STRING, "value": value}}}


def _strings(_: Pick, __: Schema, ___: Given) -> Schema:
    return {"type": "array", "items": STRING}


def _round(_: Pick, __: Schema, given: Given) -> Schema:
    return {"type": "number" if given.argument(0, "precision") is not None else "integer"}


RESULTS: Final[Mapping[str, Callable[[Pick, Schema, Given], Schema]]] = {
    "default": _default,
    "first": _item,
    "items": _items,
    "keys": _strings,
    "last": _item,
    "map": _map,
    "max": _item,
    "min": _item,
    "reject": _same,
    "rejectattr": _same_by_field,
    "round": _round,
    "select": _same,
    "selectattr": _same_by_field,
    "sort": _same_by_field,
    "split": _strings,
    "unique": _same_by_field,
}
