"""One page of a list, and the addresses of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from steps.opsgenie.emulator.call import Answer, Call
from steps.opsgenie.emulator.problems import ApiError, bad_fields

T = TypeVar("T")


def offset_page(items: Sequence[T], url: str, *, offset: int, limit: int) -> tuple[list[T], dict[str, str]]:
    """The items from `offset` on, and absolute URLs of the first, last, previous and next page, made from the URL that was asked for."""
    last = max(0, (len(items) - 1) // limit * limit)
    links = {"first": _with(url, offset=0, limit=limit), "last": _with(url, offset=last, limit=limit)}
    if offset + limit < len(items):
        links["next"] = _with(url, offset=offset + limit, limit=limit)
    if offset > 0:
        links["prev"] = _with(url, offset=max(0, offset - limit), limit=limit)
    return list(items[offset : offset + limit]), links


def check_window(offset: int, limit: int, window: int) -> None:
    """Raises ApiError (422, wording unconfirmed) when the page would lie beyond the window."""
    if offset + limit >= window:
        raise ApiError(422, f"Sum of offset and limit should be lower than {window}")


def cursor_page(
    items: Sequence[dict[str, Any]], url: str, *, offset: str | None, limit: int, order: str, direction: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The page after (`next`) or before (`prev`) the item whose own `offset` is given; items come in the order they were made.

    Raises ApiError (422) when no item has that offset.
    """
    ordered = list(items) if order == "asc" else list(reversed(items))
    start = _start(ordered, offset, limit, direction)
    page = ordered[start : start + limit]
    links = {"first": _with(url, drop=("offset", "direction"), limit=limit)}
    if start + limit < len(ordered):
        links["next"] = _with(url, offset=page[-1]["offset"], direction="next", limit=limit)
    return page, links


def _start(ordered: Sequence[dict[str, Any]], offset: str | None, limit: int, direction: str) -> int:
    if not offset:
        return 0
    for place, item in enumerate(ordered):
        if item["offset"] == offset:
            return place + 1 if direction == "next" else max(0, place - limit)
    raise bad_fields({"offset": "is not valid"})


def _with(url: str, *, drop: tuple[str, ...] = (), **values: object) -> str:
    scheme, host, path, query, _ = urlsplit(url)
    given = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name not in drop}
    return urlunsplit((scheme, host, path, urlencode(given | values), ""))


def cursor_list(call: Call, items: Sequence[Any]) -> Answer:
    """The page of a list by cursor that a call asks for: logs and notes."""
    asked = call.query
    page, links = cursor_page(
        items,
        call.url,
        offset=asked.get("offset"),
        limit=asked.get("limit", 100),
        order=asked.get("order", "desc"),
        direction=asked.get("direction", "next"),
    )
    return Answer({"data": page, "paging": links})
