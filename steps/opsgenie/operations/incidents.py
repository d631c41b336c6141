"""Incidents, as far as the vendor's API definition describes them."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, flag, list_of, map_of, moment, one_of, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import (
    ANY_KEY,
    DESCENDING,
    DESCRIPTION,
    DETAILS,
    INCIDENT_REQUEST_STATUS,
    INCIDENT_WRITTEN,
    LIMIT,
    MESSAGE,
    PAGED,
    PRIORITY,
    RECIPIENT,
    RESPONDER,
    START,
    STATUS_PAGE_ENTRY,
    identifier_type,
)

_FOLLOW = "/v1/incidents/requests/{requestId}"
_BY: Fields = {"identifierType": identifier_type("id", "tiny")}
_INCIDENT: Fields = {
    "id": text(),
    "tinyId": text(),
    "message": text(),
    "status": one_of("open", "resolved", "closed"),
    "isSeen": flag(),
    "tags": list_of(text()),
    "createdAt": moment(),
    "updatedAt": moment(),
    "source": text(),
    "owner": text(),
    "priority": PRIORITY,
    "responders": list_of(RESPONDER),
    "ownerTeam": text(),
    "extraProperties": map_of(text()),
}

_row = partial(Operation, keys=ANY_KEY, configuration="integration", rate_limit_domain="incident")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.incident.close",
        request="POST /v1/incidents/{identifier}/close",
        vendor="closeIncident",
        summary="Ends an incident.",
        query=_BY,
        body={"note": text()},
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        follow=_FOLLOW,
        data=INCIDENT_WRITTEN,
    ),
    _row(
        name="opsgenie.incident.create",
        request="POST /v1/incidents/create",
        vendor="createIncident",
        summary="Opens an incident on a service; asked twice, it opens two.",
        body={
            "message": MESSAGE,
            "description": DESCRIPTION,
            "responders": list_of(RECIPIENT),
            "tags": list_of(text(min_length=1)),
            "details": DETAILS,
            "priority": PRIORITY,
            "note": text(),
            "serviceId": text(min_length=1),
            "statusPageEntry": STATUS_PAGE_ENTRY,
            "notifyStakeholders": flag(),
        },
        required=("message", "serviceId"),
        right="create_and_update",
        idempotency=Idempotency.ONCE,
        follow=_FOLLOW,
        data=INCIDENT_WRITTEN,
    ),
    _row(
        name="opsgenie.incident.delete",
        request="DELETE /v1/incidents/{identifier}",
        vendor="deleteIncident",
        summary="Removes an incident for good.",
        query=_BY,
        right="delete",
        idempotency=Idempotency.DELETE,
        follow=_FOLLOW,
        data=INCIDENT_WRITTEN,
    ),
    _row(
        name="opsgenie.incident.get",
        request="GET /v1/incidents/{identifier}",
        vendor="getIncident",
        summary="Reads one incident by its id or its tiny id.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        data=answer(requestId=text(), **_INCIDENT),
    ),
    _row(
        name="opsgenie.incident.list",
        request="GET /v1/incidents/",
        vendor="ListIncidents",
        summary="Lists the incidents that meet a query.",
        query={
            "query": text(),
            "offset": START,
            "limit": LIMIT,
            "sort": one_of("createdAt", "tinyId", "message", "status", "isSeen", "owner") | {"default": "createdAt"},
            "order": DESCENDING,
        },
        required=("query",),
        idempotency=Idempotency.SAFE,
        listing=Paging("offset"),
        data=answer(**_INCIDENT),
    ),
    _row(
        name="opsgenie.incident.list_notes",
        request="GET /v1/incidents/{identifier}/notes",
        vendor=None,
        summary="Lists the notes under an incident.",
        query=_BY | PAGED,
        idempotency=Idempotency.SAFE,
        listing=Paging("cursor"),
        data=answer(note=text(), owner=text(), createdAt=moment(), offset=text()),
    ),
    _row(
        name="opsgenie.incident.request_status",
        request="GET /v1/incidents/requests/{requestId}",
        vendor="getIncidentRequestStatus",
        summary="Reads what became of an incident request that was accepted earlier.",
        idempotency=Idempotency.SAFE,
        data=INCIDENT_REQUEST_STATUS,
    ),
)
