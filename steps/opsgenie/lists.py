"""Lists: page after page, up to the number of items asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from engine.contracts import Reply
from engine.errors import Refused
from steps.operation import Paging
from steps.opsgenie.answers import items_of
from steps.opsgenie.attempt import Attempt

_ADDRESS = re.compile(r"[!-~]+")
_NUMBER = re.compile(r"[0-9]{1,9}")


def collect(attempt: Attempt, paging: Paging) -> dict[str, Any] | None:
    """The items of all pages and their count; None in a dry run that did not make the call.

    Raises Refused when the service sends the client to another host or path, or in a circle.
    """
    wanted = attempt.parts.query.get("limit")
    attempt.parts = replace(attempt.parts, query=_page_query(attempt, paging, wanted))
    items: list[Any] = []
    target: str | None = None
    seen: set[str] = set()
    while True:
        reply = attempt.send(target)
        if reply is None:
            return None
        items += items_of(reply, paging) or []
        target = _next(attempt, reply, paging)
        if target is None or (wanted is not None and len(items) >= wanted):
            items = items[:wanted]
            return {"items": items, "count": len(items)}
        if target in seen:
            raise Refused(f"{attempt.operation.name}: the service names the same next page twice", code="endless_list")
        seen.add(target)


def _page_query(attempt: Attempt, paging: Paging, wanted: Any) -> Mapping[str, Any]:
    """The query of the first page: pages as large as they may be, and no larger than what is wanted."""
    if "limit" not in attempt.operation.query:
        return attempt.parts.query
    return {**attempt.parts.query, "limit": min(wanted, paging.page) if isinstance(wanted, int) else paging.page}


def _next(attempt: Attempt, reply: Reply, paging: Paging) -> str | None:
    """Path and query of the next page, or None."""
    links = reply.value.get("paging") if isinstance(reply.value, Mapping) else None
    address = links.get("next") if isinstance(links, Mapping) else None
    if paging.style == "whole" or not isinstance(address, str) or not address:
        return None
    if not _ADDRESS.fullmatch(address):
        raise Refused(f"{attempt.operation.name}: the address of the next page is no address", code="bad_answer")
    target = _target(address, attempt.service.base)
    if target is None:
        raise Refused(
            f"{attempt.operation.name}: the next page lies on another host, where the key must not go",
            code="foreign_page",
            hint=f"Set connections.{attempt.service.name}.region or .url to the host that the service names in its lists.",
        )
    if not _same_list(target, attempt):
        raise Refused(f"{attempt.operation.name}: the next page is said to be one of another list", code="bad_answer")
    return None if _beyond(target, attempt, paging) else target


def _target(address: str, base: str) -> str | None:
    """Path and query of an address of the connection's own host; None for any other host.

    The service was seen to write `http:` in its links: the scheme is not believed, and the request goes where all others go.
    """
    for scheme in ("https:", "http:"):
        own = scheme + base.partition(":")[2]
        if address.startswith(own + "/"):
            return address[len(own) :]
    return None


def _same_list(target: str, attempt: Attempt) -> bool:
    """Whether a page is of the list asked for: below an alias or a name, the service may tell it by the id."""
    by_id = all(kind == "id" for name, kind in attempt.parts.query.items() if name.lower().endswith("identifiertype"))
    ours = (attempt.parts.path if by_id else attempt.operation.path_template).rstrip("/").split("/")
    theirs = target.partition("?")[0].rstrip("/").split("/")
    return len(ours) == len(theirs) and all(one[:1] == "{" or unquote(one) == unquote(two) for one, two in zip(ours, theirs, strict=True))


def _beyond(target: str, attempt: Attempt, paging: Paging) -> bool:
    """Whether a page lies past the last item the service gives out."""
    if paging.window is None:
        return False
    query = parse_qs(urlsplit(target).query)
    end = sum(int(query[name][0]) for name in ("offset", "limit") if name in query and _NUMBER.fullmatch(query[name][0]))
    if end >= paging.window:
        attempt.context.log(
            f"{attempt.operation.name}: the service lists no more than {paging.window} items; the list ends there", "warning"
        )
    return end >= paging.window
