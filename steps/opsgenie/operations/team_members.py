"""Who belongs to a team."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields
from steps.operation import Idempotency, Operation
from steps.opsgenie.shapes import ANY_KEY, TEAM_ROLE, USER_REFERENCE, WRITTEN, identifier_type

_BY: Fields = {"teamIdentifierType": identifier_type("id", "name")}

_row = partial(Operation, query=_BY, keys=ANY_KEY, configuration=True, rate_limit_domain="configuration", data=WRITTEN)

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.team.add_member",
        request="POST /v2/teams/{identifier}/members",
        vendor="addTeamMember",
        summary="Makes a user a member of a team.",
        body={"user": USER_REFERENCE, "role": TEAM_ROLE},
        required=("user",),
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
    ),
    _row(
        name="opsgenie.team.remove_member",
        request="DELETE /v2/teams/{identifier}/members/{memberIdentifier}",
        vendor="deleteTeamMember",
        summary="Takes a user, named by id or username, out of a team.",
        right="delete",
        idempotency=Idempotency.DELETE,
    ),
)
