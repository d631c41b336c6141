"""Rotations of a schedule: participants that take turns. Names are no keys here: asked twice, the service makes two."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, ROTATION, SCHEDULE_META, SHOWN_ROTATION, WRITTEN, identifier_type, jsm

_BY: Fields = {"scheduleIdentifierType": identifier_type("id", "name")}
_BODY: Fields = ROTATION["properties"]

_row = partial(Operation, query=_BY, keys=ANY_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.schedule.create_rotation",
        request="POST /v2/schedules/{identifier}/rotations",
        vendor="createScheduleRotation",
        summary="Adds a rotation to a schedule.",
        body=_BODY,
        required=tuple(ROTATION["required"]),
        right="create_and_update",
        idempotency=Idempotency.ONCE,
        data=WRITTEN,
        jsm=jsm("POST /schedules/{scheduleId}/rotations"),
    ),
    _row(
        name="opsgenie.schedule.delete_rotation",
        request="DELETE /v2/schedules/{identifier}/rotations/{id}",
        vendor="deleteScheduleRotation",
        summary="Takes a rotation out of a schedule.",
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /schedules/{scheduleId}/rotations/{id}"),
    ),
    _row(
        name="opsgenie.schedule.get_rotation",
        request="GET /v2/schedules/{identifier}/rotations/{id}",
        vendor="getScheduleRotation",
        summary="Reads one rotation.",
        idempotency=Idempotency.SAFE,
        data=answer(_parent=SCHEDULE_META, **SHOWN_ROTATION["properties"]),
        jsm=jsm("GET /schedules/{scheduleId}/rotations/{id}"),
    ),
    _row(
        name="opsgenie.schedule.list_rotations",
        request="GET /v2/schedules/{identifier}/rotations",
        vendor="listScheduleRotations",
        summary="Lists the rotations of a schedule.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=SHOWN_ROTATION,
        jsm=jsm("GET /schedules/{scheduleId}/rotations"),
    ),
    _row(
        name="opsgenie.schedule.update_rotation",
        request="PATCH /v2/schedules/{identifier}/rotations/{id}",
        vendor="updateScheduleRotation",
        summary="Changes the given fields of a rotation.",
        body=_BODY,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
        jsm=jsm("PATCH /schedules/{scheduleId}/rotations/{id}"),
    ),
)
