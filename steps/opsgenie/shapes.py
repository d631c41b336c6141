"""Fragments that the rows of several Opsgenie domains share: keys, fields of a request, records of an answer.

Facts are those of the vendor's API definition and field tables. A limit the vendor does not confirm is left out, so that nothing is
refused which the service may take.
"""

from __future__ import annotations

import re

from steps.fields import Fields, Schema, answer, anything, flag, integer, list_of, map_of, moment, one_of, record, text
from steps.operation import KeyKind

ANY_KEY: tuple[KeyKind, ...] = ("team", "integration", "account")
"""Keys of a call that any key may make; the least privileged stands first, here and below."""
ALERTING_KEY: tuple[KeyKind, ...] = ("team", "integration")
"""Keys of the four alert calls that the service refuses to account keys."""
ACCOUNT_WIDE_KEY: tuple[KeyKind, ...] = ("integration", "account")
"""Keys of a call about the whole account, which the service refuses to team keys."""


def jsm(request: str) -> str:
    """`METHOD path` in full of a counterpart in Jira Service Management, from the path below its version."""
    method, path = request.split(" ", 1)
    return f"{method} /jsm/ops/api/{{cloudId}}/v1{path}"


def some_of(**fields: Schema) -> Schema:
    """A record of which at least one field must be given."""
    return record((), **fields) | {"minProperties": 1}


def identifier_type(*kinds: str) -> Schema:
    """What a path's identifier is; the service takes it for an id unless told."""
    return one_of(*kinds) | {"default": "id"}


CREDENTIALS = re.compile(r"(pass(word|phrase)|secret|(?<!page)token|(api|private|genie)_?key)\Z", re.IGNORECASE)
"""Names of an integration's fields that hold keys, its own or another service's, as the vendor's definitions have them."""
COMMA_JOINED = list_of(text(min_length=1, pattern="^[^,]+$"), min_items=1) | {"x-style": "csv"}
"""A list that is sent joined by commas. An item with a comma of its own would name other items, so it is refused."""
LIMIT = integer(1)
"""How many items are wanted in all. The steps fetch as many pages as it takes, so the vendor's 100 a page does not bound it."""
START = integer(0)
"""How many items to pass over."""
ASCENDING = one_of("asc", "desc") | {"default": "asc"}
DESCENDING = one_of("asc", "desc") | {"default": "desc"}
"""Order of a list, by what the service does unless told."""
PAGED: Fields = {"offset": text(), "direction": one_of("next", "prev") | {"default": "next"}, "limit": LIMIT, "order": DESCENDING}
"""How logs and notes page."""
PRIORITY = one_of("P1", "P2", "P3", "P4", "P5")
MESSAGE = text(min_length=1, max_length=130)
DESCRIPTION = text(max_length=15000)
DETAILS = map_of(text())
"""Custom properties; the service takes 8000 characters in all, which a schema cannot say."""

RECIPIENT_TYPE = one_of("all", "none", "user", "escalation", "schedule", "team", "group")
RECIPIENT = record(
    required=("type",),
    type=RECIPIENT_TYPE,
    id=text(),
    name=text(),
    username=text(),
)
"""Anyone who can be told: a user by id or username, the other kinds by id or name, `all` and `none` by type alone."""
USER_RECIPIENT = some_of(type=one_of("user"), id=text(), username=text())
TEAM_RECIPIENT = some_of(type=one_of("team"), id=text(), name=text())
ESCALATION_RECIPIENT = some_of(type=one_of("escalation"), id=text(), name=text())
USER_REFERENCE = some_of(id=text(), username=text())
USER_ROLE = some_of(id=text(), name=text())
TEAM_ROLE = text() | {"default": "user"}
TEAM_MEMBERS = list_of(record(required=("user",), user=USER_REFERENCE, role=TEAM_ROLE))
STATUS_PAGE_ENTRY = map_of(anything())
"""The vendor's definition and its documentation disagree on this one, so any mapping is taken."""

WRITTEN = answer(id=text(), name=text(), result=text())
"""Answer of a synchronous write; `result` is the service's word for what it did."""

RESPONDER = answer(type=one_of("user", "team", "escalation", "schedule"), id=text(), name=text())
USER_META = answer(id=text(), username=text())
TEAM_META = answer(id=text(), name=text())
TEAM_MEMBER = answer(user=USER_META, role=text())
ROLE_META = answer(id=text(), name=text())
CONTACT_STATUS = answer(enabled=flag(), disabledReason=text())
ADDRESS = {"country": text(), "state": text(), "city": text(), "line": text(), "zipCode": text()}

ICALENDAR = ("BEGIN:VCALENDAR", "END:VCALENDAR")
"""How a file of that format begins and ends."""
SCHEDULE_META = answer(id=text(), name=text(), enabled=flag())
SHOWN_RECIPIENT = answer(type=RECIPIENT_TYPE, id=text(), name=text(), username=text())
_WEEKDAY = one_of("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = {"startHour": integer(), "startMin": integer(), "endHour": integer(), "endMin": integer()}
_DAYS = {"startDay": _WEEKDAY, "endDay": _WEEKDAY}
_RESTRICTION_TYPE = one_of("weekday-and-time-of-day", "time-of-day")
_TURNS: Fields = {
    "name": text(),
    "startDate": moment(),
    "endDate": moment(),
    "type": one_of("daily", "weekly", "hourly"),
}
ROTATION = record(
    required=("startDate", "type", "participants"),
    **_TURNS,
    length=integer(1),
    participants=list_of(RECIPIENT, min_items=1),
    timeRestriction=record(
        required=("type",),
        type=_RESTRICTION_TYPE,
        restriction=record((), **_HOURS),
        restrictions=list_of(record((), **_DAYS, **_HOURS), min_items=1, max_items=15),
    ),
)
"""A rotation as it is asked for. The service takes starts and ends at the full and the half hour, and moves others to the nearest."""
SHOWN_ROTATION = answer(
    id=text(),
    **_TURNS,
    length=integer(),
    participants=list_of(SHOWN_RECIPIENT),
    timeRestriction=answer(
        type=_RESTRICTION_TYPE, restriction=answer(**_HOURS), restrictions=list_of(answer(**_DAYS, **_HOURS), min_items=1, max_items=15)
    ),
)

_OUTCOME = {
    "success": flag(),
    "isSuccess": flag(),
    "action": text(),
    "processedAt": moment(),
    "integrationId": text(),
    "status": text(),
}
_ALERT_OUTCOME = _OUTCOME | {"alertId": text(), "alias": text()}
_INCIDENT_OUTCOME = _OUTCOME | {"incidentId": text()}
ALERT_REQUEST_STATUS = answer(**_ALERT_OUTCOME)
ALERT_WRITTEN = answer(requestId=text(), **_ALERT_OUTCOME)
"""Answer of an asynchronous alert write once it is processed; `requestId` is the id it was followed by."""
INCIDENT_REQUEST_STATUS = answer(**_INCIDENT_OUTCOME)
INCIDENT_WRITTEN = answer(requestId=text(), **_INCIDENT_OUTCOME)
"""Answer of an asynchronous incident write once it is processed."""

LISTED_ALERT = answer(
    id=text(),
    tinyId=text(),
    alias=text(),
    message=text(),
    status=one_of("open", "closed"),
    acknowledged=flag(),
    isSeen=flag(),
    tags=list_of(text()),
    snoozed=flag(),
    snoozedUntil=moment(),
    count=integer(),
    lastOccurredAt=moment(),
    createdAt=moment(),
    updatedAt=moment(),
    source=text(),
    owner=text(),
    ownerTeamId=text(),
    priority=PRIORITY,
    teams=list_of(answer(id=text())),
    responders=list_of(RESPONDER),
    integration=answer(id=text(), name=text(), type=text()),
    report=answer(ackTime=integer(), closeTime=integer(), acknowledgedBy=text(), closedBy=text()),
)
"""An alert in a list; `ackTime` and `closeTime` are milliseconds from its creation."""
ALERT = answer(
    **LISTED_ALERT["properties"],
    actions=list_of(text()),
    entity=text(),
    description=text(),
    details=DETAILS,
)
"""A whole alert."""
