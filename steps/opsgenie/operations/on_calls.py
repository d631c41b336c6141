"""Who is on call, now or at a given time. With `flat` the answer holds user names alone, without it whom they come through."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, flag, integer, list_of, moment, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, ICALENDAR, SCHEDULE_META, identifier_type, jsm

_WHEN: Fields = {"flat": flag(), "date": moment()}
_BY: Fields = {"scheduleIdentifierType": identifier_type("id", "name")}
_PARTICIPANT: Fields = {
    "id": text(),
    "name": text(),
    "type": text(),
    "escalationTime": integer(),
    "notifyType": text(),
}
_PARTICIPANT["forwardedFrom"] = _DEEPEST = answer(**_PARTICIPANT)
_PARTICIPANTS = list_of(
    answer(**_PARTICIPANT, onCallParticipants=list_of(answer(**_PARTICIPANT, onCallParticipants=list_of(_DEEPEST)))),
)
"""Participants may stand in participants to any depth (a team's escalation's schedule's user); three are declared."""
_NAMES = list_of(text())
_ON_CALL = answer(_parent=SCHEDULE_META, onCallParticipants=_PARTICIPANTS, onCallRecipients=_NAMES)

_row = partial(Operation, keys=ANY_KEY, configuration=True, rate_limit_domain="schedule-oncalls", idempotency=Idempotency.SAFE)

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.schedule.export_on_call_user",
        request="GET /v2/schedules/on-calls/{identifier}.ics",
        vendor="exportOnCallUser",
        summary="Reads a user's own turns of the next three months as an iCalendar file.",
        frame=ICALENDAR,
        data=answer(content=text()),
        jsm=jsm("GET /schedules/on-calls/{userIdentifier}.ics"),
    ),
    _row(
        name="opsgenie.schedule.get_next_on_calls",
        request="GET /v2/schedules/{identifier}/next-on-calls",
        vendor="getNextOnCalls",
        summary="Reads who is on call next in a schedule.",
        query=_BY | _WHEN,
        data=answer(
            _parent=SCHEDULE_META,
            nextOnCallRecipients=_PARTICIPANTS,
            exactNextOnCallRecipients=_PARTICIPANTS,
            nextOnCallParticipants=_NAMES,
            exactNextOnCallParticipants=_NAMES,
        ),
        jsm=jsm("GET /schedules/{scheduleId}/next-on-calls"),
    ),
    _row(
        name="opsgenie.schedule.get_on_calls",
        request="GET /v2/schedules/{identifier}/on-calls",
        vendor="getOnCalls",
        summary="Reads who is on call in a schedule.",
        query=_BY | _WHEN,
        data=_ON_CALL,
        jsm=jsm("GET /schedules/{scheduleId}/on-calls"),
    ),
    _row(
        name="opsgenie.schedule.list_on_calls",
        request="GET /v2/schedules/on-calls",
        vendor="listOnCalls",
        summary="Lists who is on call, schedule by schedule.",
        query=_WHEN,
        listing=Paging("whole"),
        data=_ON_CALL,
    ),
)
