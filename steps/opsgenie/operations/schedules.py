"""Schedules: who takes which turns. They share their names with teams: neither may have one that the other has."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, flag, integer, list_of, moment, number, one_of, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import (
    ANY_KEY,
    ICALENDAR,
    ROTATION,
    SCHEDULE_META,
    SHOWN_ROTATION,
    TEAM_META,
    WRITTEN,
    identifier_type,
    jsm,
    some_of,
)

_BY: Fields = {"identifierType": identifier_type("id", "name")}
_BODY: Fields = {
    "name": text(min_length=1),
    "description": text(),
    "timezone": text(min_length=1, example="Europe/Berlin"),
    "enabled": flag(),
    "ownerTeam": some_of(id=text(), name=text()),
}
_SCHEDULE = answer(
    id=text(),
    name=text(),
    description=text(),
    timezone=text(),
    enabled=flag(),
    ownerTeam=TEAM_META,
    rotations=list_of(SHOWN_ROTATION),
)
_ON_DUTY = {"id": text(), "name": text(), "type": text(), "forwardedFrom": text()}
_PERIOD = answer(
    startDate=moment(),
    endDate=moment(),
    type=text(),
    fromUser=text(),
    recipient=answer(**_ON_DUTY),
    flattenedRecipients=list_of(answer(**_ON_DUTY)),
)
_TIMELINE = answer(rotations=list_of(answer(id=text(), name=text(), order=number(), periods=list_of(_PERIOD))))

_row = partial(Operation, keys=ANY_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.schedule.create",
        request="POST /v2/schedules",
        vendor="createSchedule",
        summary="Makes a schedule, with its first rotations if they are given.",
        body=_BODY | {"rotations": list_of(ROTATION, min_items=1)},
        required=("name",),
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=SCHEDULE_META,
        lookup="opsgenie.schedule.get",
        jsm=jsm("POST /schedules"),
    ),
    _row(
        name="opsgenie.schedule.delete",
        request="DELETE /v2/schedules/{identifier}",
        vendor="deleteSchedule",
        summary="Removes a schedule with all its rotations and overrides.",
        query=_BY,
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /schedules/{id}"),
    ),
    _row(
        name="opsgenie.schedule.export",
        request="GET /v2/schedules/{identifier}.ics",
        vendor="exportSchedule",
        summary="Reads a schedule's turns as an iCalendar file.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        frame=ICALENDAR,
        data=answer(content=text()),
        jsm=jsm("GET /schedules/{scheduleId}.ics"),
    ),
    _row(
        name="opsgenie.schedule.get",
        request="GET /v2/schedules/{identifier}",
        vendor="getSchedule",
        summary="Reads one schedule with its rotations.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        data=_SCHEDULE,
        jsm=jsm("GET /schedules/{id}"),
    ),
    _row(
        name="opsgenie.schedule.get_timeline",
        request="GET /v2/schedules/{identifier}/timeline",
        vendor="getScheduleTimeline",
        summary="Reads who is on call when, for a week unless told.",
        query=_BY
        | {
            "expand": list_of(one_of("base", "forwarding", "override")) | {"x-style": "csv"},
            "interval": integer(1) | {"default": 1},
            "intervalUnit": one_of("days", "weeks", "months"),
            "date": moment(),
        },
        idempotency=Idempotency.SAFE,
        data=answer(
            _parent=SCHEDULE_META,
            startDate=moment(),
            endDate=moment(),
            finalTimeline=_TIMELINE,
            baseTimeline=_TIMELINE,
            overrideTimeline=_TIMELINE,
            forwardingTimeline=_TIMELINE,
        ),
        jsm=jsm("GET /schedules/{scheduleId}/timeline"),
    ),
    _row(
        name="opsgenie.schedule.list",
        request="GET /v2/schedules",
        vendor="listSchedules",
        summary="Lists every schedule, with its rotations if asked.",
        query={"expand": list_of(one_of("rotation")) | {"x-style": "csv"}},
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=_SCHEDULE,
        jsm=jsm("GET /schedules"),
    ),
    _row(
        name="opsgenie.schedule.update",
        request="PATCH /v2/schedules/{identifier}",
        vendor="updateSchedule",
        summary="Changes the given fields of a schedule; rotations, where given, replace all there were.",
        query=_BY,
        body=_BODY | {"rotations": list_of(ROTATION)},
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=SCHEDULE_META,
        jsm=jsm("PATCH /schedules/{id}"),
    ),
)
