"""Which operation a request means: read off the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from steps.operation import Operation
from steps.opsgenie.emulator.domains import ROWS as EMULATED
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.operations import OPERATIONS

FIELD = "{}"
_NAME = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's address.

    Attributes:
        segments: of the path; `{}` where a field stands, with what comes after it (`{}.ics`).
        shape: the request with the path's fields left blank, under which its behaviour is found.
    """

    row: Operation
    segments: tuple[str, ...]
    shape: str

    def ids(self, segments: tuple[str, ...]) -> tuple[str, ...] | None:
        """The fields' values when a path fits, or None."""
        if len(segments) != len(self.segments):
            return None
        pairs = tuple(zip(self.segments, segments, strict=True))
        if not all(given.endswith(wanted[2:]) if wanted.startswith(FIELD) else given == wanted for wanted, given in pairs):
            return None
        return tuple(unquote(given.removesuffix(wanted[2:])) for wanted, given in pairs if wanted.startswith(FIELD))


def shape_of(row: Operation) -> str:
    """`POST /v2/alerts/{}/close`."""
    return f"{row.method} /{'/'.join(_template(row))}"


@cache
def routes() -> tuple[Route, ...]:
    """Every route; where two fit a path, the one that takes less of the earlier segment comes first."""
    rows: Iterable[Operation] = (*OPERATIONS.values(), *EMULATED)
    made = [Route(row, _template(row), shape_of(row)) for row in rows]
    return tuple(sorted(made, key=lambda route: [_width(segment) for segment in route.segments]))


@cache
def route_named(name: str) -> Route | None:
    """The route of a step's operation, or None when there is no such step."""
    return next((route for route in routes() if route.row.name == name), None)


def match(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The route of a request and its path fields; one trailing slash is allowed. Raises ApiError: 404, or 405 for another method."""
    segments = tuple(path.removeprefix("/").removesuffix("/").split("/"))
    fits = [(route, ids) for route in routes() if (ids := route.ids(segments)) is not None and all(ids)]
    for route, ids in fits:
        if route.row.method == method:
            return route, ids
    if fits:
        raise ApiError(405, "Method not allowed")
    raise ApiError(404, "No API found for the requested path")


def _template(row: Operation) -> tuple[str, ...]:
    return tuple(_NAME.sub(FIELD, row.path_template).strip("/").split("/"))


def _width(segment: str) -> int:
    """How much a segment takes: one text, those that end in a given way, any."""
    return (segment == FIELD) + segment.startswith(FIELD)
