"""The form of the state file: who and what is there, what people do meanwhile, and what goes wrong."""

from __future__ import annotations

from typing import Any

from steps.fields import Schema, flag, integer, list_of, map_of, number, one_of, record, text
from steps.opsgenie.emulator.limits import DOMAINS
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.settings import RIGHTS
from steps.opsgenie.shapes import RECIPIENT, ROTATION

_NAME = text(min_length=1)
_DURATION = text(pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", example="1h30m")
_MOMENT: Schema = {
    "anyOf": [{"type": "string", "format": "date-time"}, record(required=("ago",), ago=_DURATION)],
}
_CREATE = OPERATIONS["opsgenie.alert.create"].body
_RIGHTS = one_of(*RIGHTS)
_NAMES_OR_RECIPIENTS: Schema = {"anyOf": [_NAME, record(id=text(), name=text())]}

_TEAM = record(
    required=("name",),
    name=_NAME,
    description=text(),
    members=list_of(record(required=("username",), username=_NAME, role=text())),
)
_USERNAMES = list_of(_NAME)
_USER = record(required=("username",), username=_NAME, fullName=_NAME, role=_NAME)
_ALERT = record(
    required=("message",),
    **(
        _CREATE
        | {
            "teams": list_of(_NAMES_OR_RECIPIENTS),
            "createdAt": _MOMENT,
            "status": one_of("open", "closed"),
            "acknowledged": flag(),
            "owner": text(),
            "count": integer(1, 100),
        }
    ),
)
_INCIDENT = record(
    required=("message",),
    **(
        OPERATIONS["opsgenie.incident.create"].body
        | {"service": _NAME, "status": one_of("open", "resolved", "closed"), "createdAt": _MOMENT}
    ),
)
_HEARTBEAT = record(
    required=("name", "interval", "intervalUnit"), **(OPERATIONS["opsgenie.heartbeat.create"].body | {"lastPingTime": _MOMENT})
)
_WHEN: Schema = {"anyOf": [*_MOMENT["anyOf"], record(required=("in",), **{"in": _DURATION})]}
_PERSON: Schema = {"anyOf": [_NAME, RECIPIENT]}
_ROTATION = record(
    required=("participants",),
    **ROTATION["properties"] | {"startDate": _WHEN, "endDate": _WHEN, "participants": list_of(_PERSON, min_items=1)},
)
_OVERRIDE = record(
    required=("user", "startDate", "endDate"),
    **OPERATIONS["opsgenie.schedule.create_override"].body | {"user": _PERSON, "startDate": _WHEN, "endDate": _WHEN},
)
_SCHEDULE = record(
    required=("name",),
    **OPERATIONS["opsgenie.schedule.create"].body
    | {"ownerTeam": _NAMES_OR_RECIPIENTS, "rotations": list_of(_ROTATION), "overrides": list_of(_OVERRIDE), "users": _USERNAMES},
)
_ROLE = record(required=("name",), name=_NAME, extendedRole=text(), grantedRights=list_of(text()), disallowedRights=list_of(text()))
_KEY = record(required=("kind",), kind=one_of("account", "integration", "team", "heartbeat"), rights=list_of(_RIGHTS), team=_NAME)
_FAULT = record(
    required=("match", "answer"),
    match=_NAME,
    answer=text(pattern="^[a-z]+(_[a-z0-9]+)*$"),
    times=integer(1),
    after=integer(0),
    seconds=number(),
)
_DURING = record(
    required=("after", "do"),
    after=_DURATION,
    do=one_of(*OPERATIONS),
    **{"as": _NAME, "with": map_of({})},
)

STATE_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Emulator state",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "account": record(name=_NAME, plan=one_of("Free", "Essentials", "Standard", "Enterprise")),
        "alerts": list_of(_ALERT),
        "during": list_of(_DURING),
        "escalations": list_of(record(required=("name",), name=_NAME, team=_NAME, users=_USERNAMES)),
        "faults": list_of(_FAULT),
        "heartbeats": list_of(_HEARTBEAT),
        "incidents": list_of(_INCIDENT),
        "keys": list_of(_KEY),
        "limits": {
            "type": "object",
            "propertyNames": {"enum": list(DOMAINS)},
            "additionalProperties": list_of(
                record(required=("limit", "periodInSeconds"), limit=integer(1), periodInSeconds=integer(1)), min_items=1
            ),
        },
        "processing": number() | {"minimum": 0},
        "roles": list_of(_ROLE),
        "schedules": list_of(_SCHEDULE),
        "services": list_of(record(required=("name",), name=_NAME, id=_NAME)),
        "teams": list_of(_TEAM),
        "users": list_of(_USER),
    },
}
"""JSON Schema (draft-07) of the state."""
