"""The placeholder of a dry run: a value that only a real run would know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn


class UnknownValue(Exception):
    """A decision depends on a value that only a real run would know."""

    unknown = True
    """By which steps, which import no engine code, tell it from a fault."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is known only in a real run")
        self.name = name


class Unknown:
    """Stands for a value by its name; what is made from it is unknown too.

    Attributes:
        name: the path or the expression it stands for (`steps.create.outputs.alertId`).
        schema: JSON Schema of the value, or None.
    """

    __slots__ = ("name", "schema")

    def __init__(self, name: str, schema: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.schema = schema

    def __getitem__(self, key: Any) -> Unknown:
        if isinstance(key, slice):
            return Unknown(f"{self.name}[…]", self.schema)
        name = f"{self.name}.{key}" if isinstance(key, str) else f"{self.name}[{key}]"
        return Unknown(name, _below(self.schema, key))

    def __getattr__(self, key: str) -> Unknown:
        if key.startswith("_"):
            raise AttributeError(key)
        return self[key]

    def _made_from(self, *_: object) -> Unknown:
        return Unknown(f"{self.name} …")

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = _made_from
    __lt__ = __le__ = __gt__ = __ge__ = _made_from

    def __eq__(self, _: object) -> Unknown:  # type: ignore[override]
        return self._made_from()

    __ne__ = __eq__  # type: ignore[assignment]

    def __hash__(self) -> int:
        return hash(self.name)

    def __bool__(self) -> NoReturn:
        raise UnknownValue(self.name)

    def __iter__(self) -> Iterator[Any]:
        raise UnknownValue(self.name)

    def __len__(self) -> int:
        raise UnknownValue(self.name)

    def __contains__(self, _: object) -> bool:
        raise UnknownValue(self.name)

    def __str__(self) -> str:
        return f"<{self.name}>"

    __repr__ = __str__

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, _: object) -> Unknown:
        return self


def _below(schema: Mapping[str, Any] | None, key: str | int) -> Mapping[str, Any] | None:
    """The schema of one field or item."""
    if schema is None:
        return None
    found = schema.get("properties", {}).get(key) if isinstance(key, str) else schema.get("items")
    return found if isinstance(found, Mapping) else None
