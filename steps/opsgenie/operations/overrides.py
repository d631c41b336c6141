"""Overrides of a schedule: somebody else is on call for a while. Whether the service refuses an alias that is taken is unconfirmed."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, list_of, moment, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, RECIPIENT, SCHEDULE_META, SHOWN_RECIPIENT, WRITTEN, identifier_type, jsm, some_of

_BY: Fields = {"scheduleIdentifierType": identifier_type("id", "name")}
_BODY: Fields = {
    "user": RECIPIENT,
    "startDate": moment(),
    "endDate": moment(),
    "rotations": list_of(some_of(id=text(), name=text())),
}
_REQUIRED = ("user", "startDate", "endDate")
_OVERRIDE = answer(
    _parent=SCHEDULE_META,
    alias=text(),
    user=SHOWN_RECIPIENT,
    startDate=moment(),
    endDate=moment(),
    rotations=list_of(answer(id=text(), name=text())),
)
_ALIAS = answer(alias=text())

_row = partial(Operation, query=_BY, keys=ANY_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.schedule.create_override",
        request="POST /v2/schedules/{identifier}/overrides",
        vendor="createScheduleOverride",
        summary="Puts somebody on call for a while, in all rotations or in those named.",
        body={"alias": text(min_length=1)} | _BODY,
        required=_REQUIRED,
        right="create_and_update",
        idempotency=Idempotency.ONCE,
        data=_ALIAS,
        jsm=jsm("POST /schedules/{scheduleId}/overrides"),
    ),
    _row(
        name="opsgenie.schedule.delete_override",
        request="DELETE /v2/schedules/{identifier}/overrides/{alias}",
        vendor="deleteScheduleOverride",
        summary="Removes an override.",
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /schedules/{scheduleId}/overrides/{alias}"),
    ),
    _row(
        name="opsgenie.schedule.get_override",
        request="GET /v2/schedules/{identifier}/overrides/{alias}",
        vendor="getScheduleOverride",
        summary="Reads one override.",
        idempotency=Idempotency.SAFE,
        data=_OVERRIDE,
        jsm=jsm("GET /schedules/{scheduleId}/overrides/{alias}"),
    ),
    _row(
        name="opsgenie.schedule.list_overrides",
        request="GET /v2/schedules/{identifier}/overrides",
        vendor="listScheduleOverride",
        summary="Lists the overrides of a schedule.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=_OVERRIDE,
        jsm=jsm("GET /schedules/{scheduleId}/overrides"),
    ),
    _row(
        name="opsgenie.schedule.update_override",
        request="PUT /v2/schedules/{identifier}/overrides/{alias}",
        vendor="updateScheduleOverride",
        summary="Says anew who is on call in an override, and for how long.",
        body=_BODY,
        required=_REQUIRED,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=_ALIAS,
        jsm=jsm("PUT /schedules/{scheduleId}/overrides/{alias}"),
    ),
)
