"""Filtering and sorting of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.query import Kind, QueryError, parse

T = TypeVar("T")
Found = tuple[dict[str, Any], T]
"""A document (field → value) and the entity it describes."""


def filtered(found: Sequence[Found[T]], query: str, fields: Mapping[str, Kind], free: tuple[str, ...]) -> list[Found[T]]:
    """Those whose document meets the query. Raises ApiError (422) when the query is none."""
    try:
        matches = parse(query, fields, free)
    except QueryError as error:
        raise ApiError(422, f"Search query is not valid: {error}") from None
    return [one for one in found if matches(one[0])]


def sorted_by(found: Sequence[Found[T]], field: str, order: str) -> list[Found[T]]:
    """Sorted by a field of the documents; those that lack it come last, equal ones stay in the order they were made or reversed."""
    present = [one for one in found if one[0].get(field) is not None]
    absent = [one for one in found if one[0].get(field) is None]
    by = [one for _, one in sorted(enumerate(present), key=lambda pair: (_sortable(pair[1][0][field]), pair[0]))]
    return [*(reversed(by) if order == "desc" else by), *absent]


def _sortable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
