"""Users of the account, and what each of them belongs to."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, flag, integer, list_of, map_of, moment, one_of, record, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import (
    ACCOUNT_WIDE_KEY,
    ADDRESS,
    ASCENDING,
    COMMA_JOINED,
    LIMIT,
    RECIPIENT_TYPE,
    ROLE_META,
    START,
    TEAM_META,
    USER_META,
    USER_ROLE,
    WRITTEN,
)

_BODY: Fields = {
    "username": text(min_length=1, max_length=100, format="email"),
    "fullName": text(min_length=1, max_length=512),
    "role": USER_ROLE,
    "skypeUsername": text(),
    "timeZone": text(),
    "locale": text(),
    "userAddress": record((), **ADDRESS),
    "tags": list_of(text()),
    "details": map_of(list_of(text())),
    "invitationDisabled": flag(),
}
_USER = answer(
    id=text(),
    username=text(),
    fullName=text(),
    role=ROLE_META,
    skypeUsername=text(),
    timeZone=text(),
    locale=text(),
    userAddress=answer(**ADDRESS),
    tags=list_of(text()),
    details=map_of(list_of(text())),
    blocked=flag(),
    verified=flag(),
    createdAt=moment(),
    mutedUntil=moment(),
    userContacts=list_of(
        answer(
            to=text(),
            id=text(),
            contactMethod=one_of("email", "sms", "voice", "mobile"),
            disabledReason=text(),
            enabled=flag(),
        )
    ),
)
_ESCALATION = answer(
    id=text(),
    name=text(),
    description=text(),
    ownerTeam=TEAM_META,
    rules=list_of(
        answer(
            condition=one_of("if-not-acked", "if-not-closed"),
            notifyType=one_of("default", "next", "previous", "users", "admins", "all"),
            delay=answer(timeAmount=integer(), timeUnit=one_of("days", "hours", "minutes", "seconds", "miliseconds", "micros", "nanos")),
            recipient=answer(type=RECIPIENT_TYPE, id=text(), name=text(), username=text()),
        )
    ),
    repeat=answer(waitInterval=integer(), count=integer(), resetRecipientStates=flag(), closeAlertAfterAll=flag()),
)
_FORWARDING_RULE = answer(fromUser=USER_META, toUser=USER_META, startDate=moment(), endDate=moment(), alias=text(), id=text())

_row = partial(Operation, keys=ACCOUNT_WIDE_KEY, configuration=True, rate_limit_domain="configuration")
_list = partial(_row, idempotency=Idempotency.SAFE, listing=Paging("whole"))

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.user.create",
        request="POST /v2/users",
        vendor="createUser",
        summary="Adds a user to the account and invites them by mail unless told not to.",
        body=_BODY,
        required=("username", "fullName", "role"),
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=WRITTEN,
        lookup="opsgenie.user.get",
    ),
    _row(
        name="opsgenie.user.delete",
        request="DELETE /v2/users/{identifier}",
        vendor="deleteUser",
        summary="Removes a user from the account.",
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
    ),
    _row(
        name="opsgenie.user.get",
        request="GET /v2/users/{identifier}",
        vendor="getUser",
        summary="Reads one user by id or username; `expand` with `contact` adds the contacts.",
        query={"expand": COMMA_JOINED},
        idempotency=Idempotency.SAFE,
        data=_USER,
    ),
    _row(
        name="opsgenie.user.list",
        request="GET /v2/users",
        vendor="listUsers",
        summary="Lists the users of the account that meet a query.",
        query={
            "limit": LIMIT,
            "offset": START,
            "sort": text(),  # the name in the service's own page links
            "sortField": text(),  # the name in its definition
            "order": ASCENDING,
            "query": text(),
        },
        rate_limit_domain="search",
        idempotency=Idempotency.SAFE,
        listing=Paging("offset"),
        data=_USER,
    ),
    _list(
        name="opsgenie.user.list_escalations",
        request="GET /v2/users/{identifier}/escalations",
        vendor="listUserEscalations",
        summary="Lists the escalations that may reach a user.",
        data=_ESCALATION,
    ),
    _list(
        name="opsgenie.user.list_forwarding_rules",
        request="GET /v2/users/{identifier}/forwarding-rules",
        vendor="listUserForwardingRules",
        summary="Lists the rules that send a user's notifications to somebody else.",
        data=_FORWARDING_RULE,
    ),
    _list(
        name="opsgenie.user.list_schedules",
        request="GET /v2/users/{identifier}/schedules",
        vendor="listUserSchedules",
        summary="Lists the on-call schedules a user takes part in.",
        data=answer(id=text(), name=text(), enabled=flag()),
    ),
    _list(
        name="opsgenie.user.list_teams",
        request="GET /v2/users/{identifier}/teams",
        vendor="listUserTeams",
        summary="Lists the teams a user is a member of.",
        data=TEAM_META,
    ),
    _row(
        name="opsgenie.user.update",
        request="PATCH /v2/users/{identifier}",
        vendor="updateUser",
        summary="Changes the given fields of a user and leaves the others.",
        body=_BODY,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
    ),
)
