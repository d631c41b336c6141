"""Queries for alerts that are kept under a name."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, list_of, moment, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, DESCRIPTION, TEAM_RECIPIENT, USER_RECIPIENT, WRITTEN, identifier_type

_BY: Fields = {"identifierType": identifier_type("id", "name")}
_BODY: Fields = {
    "name": text(min_length=1, max_length=100),
    "description": DESCRIPTION,
    "query": text(min_length=1, max_length=1000),
    "owner": USER_RECIPIENT,
    "teams": list_of(TEAM_RECIPIENT, max_items=20),
}
_REQUIRED = ("name", "query", "owner")
_ENTITY = answer(id=text())
_SEARCH: Fields = {
    "id": text(),
    "name": text(),
    "createdAt": moment(),
    "updatedAt": moment(),
    "owner": _ENTITY,
    "teams": list_of(_ENTITY),
    "description": text(),
    "query": text(),
}

_row = partial(Operation, keys=ANY_KEY, rate_limit_domain="alert")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.alert.create_saved_search",
        request="POST /v2/alerts/saved-searches",
        vendor="createSavedSearches",
        summary="Keeps a query for alerts under a name.",
        body=_BODY,
        required=_REQUIRED,
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=WRITTEN,
        lookup="opsgenie.alert.get_saved_search",
    ),
    _row(
        name="opsgenie.alert.delete_saved_search",
        request="DELETE /v2/alerts/saved-searches/{identifier}",
        vendor="deleteSavedSearch",
        summary="Forgets a saved search.",
        query=_BY,
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
    ),
    _row(
        name="opsgenie.alert.get_saved_search",
        request="GET /v2/alerts/saved-searches/{identifier}",
        vendor="getSavedSearch",
        summary="Reads one saved search with its query and owner.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        data=answer(**_SEARCH),
    ),
    _row(
        name="opsgenie.alert.list_saved_searches",
        request="GET /v2/alerts/saved-searches",
        vendor="listSavedSearches",
        summary="Lists every saved search by id and name.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=answer(id=text(), name=text()),
    ),
    _row(
        name="opsgenie.alert.update_saved_search",
        request="PATCH /v2/alerts/saved-searches/{identifier}",
        vendor="updateSavedSearch",
        summary="Replaces the name, the query and the owner of a saved search.",
        query=_BY,
        body=_BODY,
        required=_REQUIRED,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=answer(result=text(), **_SEARCH),
    ),
)
