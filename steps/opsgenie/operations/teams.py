"""Teams. A team's own key may work on its team, and not on the account's list of teams."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, list_of, moment, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ACCOUNT_WIDE_KEY, ANY_KEY, DESCENDING, LIMIT, TEAM_MEMBER, TEAM_MEMBERS, WRITTEN, identifier_type, jsm

_BY: Fields = {"identifierType": identifier_type("id", "name")}
_BODY: Fields = {"name": text(min_length=1), "description": text(), "members": TEAM_MEMBERS}
_TEAM = answer(id=text(), name=text(), description=text(), members=list_of(TEAM_MEMBER))

_row = partial(Operation, keys=ANY_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.team.create",
        request="POST /v2/teams",
        vendor="createTeam",
        summary="Makes a team, with its first members if they are given.",
        body=_BODY,
        required=("name",),
        right="create_and_update",
        keys=ACCOUNT_WIDE_KEY,
        idempotency=Idempotency.CLASH,
        data=WRITTEN,
        lookup="opsgenie.team.get",
        jsm=jsm("POST /teams/{teamId}/enable-ops"),
    ),
    _row(
        name="opsgenie.team.delete",
        request="DELETE /v2/teams/{identifier}",
        vendor="deleteTeam",
        summary="Removes a team.",
        query=_BY,
        right="delete",
        keys=ACCOUNT_WIDE_KEY,
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
    ),
    _row(
        name="opsgenie.team.get",
        request="GET /v2/teams/{identifier}",
        vendor="getTeam",
        summary="Reads one team with its members.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        data=_TEAM,
    ),
    _row(
        name="opsgenie.team.list",
        request="GET /v2/teams",
        vendor="listTeams",
        summary="Lists every team of the account.",
        keys=ACCOUNT_WIDE_KEY,
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=_TEAM,
        jsm=jsm("GET /teams"),
    ),
    _row(
        name="opsgenie.team.list_logs",
        request="GET /v2/teams/{identifier}/logs",
        vendor="listTeamLogs",
        summary="Lists what was changed about a team, and by whom.",
        query=_BY | {"limit": LIMIT, "order": DESCENDING, "offset": text()},
        idempotency=Idempotency.SAFE,
        listing=Paging("cursor", items="logs"),
        data=answer(owner=text(), createdDate=moment(), log=text()),
    ),
    _row(
        name="opsgenie.team.update",
        request="PATCH /v2/teams/{identifier}",
        vendor="updateTeam",
        summary="Changes the given fields of a team; members, where given, replace all there were.",
        body=_BODY,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
    ),
)
