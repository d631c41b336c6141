"""Teams, their members and their logs.

Unconfirmed, and chosen here: an unknown user among the members answers 404; adding a member again sets the role; a team key that asks
for another team is refused as on any account call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.paging import cursor_page
from steps.opsgenie.emulator.people import user_named
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.store import Entity, Store, find, named


def add_team(store: Store, given: Mapping[str, Any], now: datetime) -> Entity:
    """The new team. Raises ApiError: 409 when a team or schedule has the name, 404 for an unknown member."""
    check_free(store, "Team", given["name"])
    members = _members(store, given.get("members", ()))
    team: Entity = {"id": store.new_id(), "name": given["name"], "description": given.get("description", ""), "members": members}
    store.teams[team["id"]] = team
    store.team_logs[team["id"]] = []
    _log(store, team, now, "Created team")
    return team


def check_free(store: Store, kind: str, name: str) -> None:
    """Raises ApiError (409) when a team or schedule has the name; teams are looked at first, as the service does."""
    for there, entities in (("Team", store.teams), (kind, store.schedules)):
        if named(entities.values(), "name", name):
            raise ApiError(409, f"There is already one {there} with same name")


def _members(store: Store, given: Sequence[Mapping[str, Any]]) -> list[Entity]:
    return [_member(store, one) for one in given]


def _member(store: Store, given: Mapping[str, Any]) -> Entity:
    user = user_named(store, given["user"])
    return {"user": {"id": user["id"], "username": user["username"]}, "role": given.get("role", "user")}


def _log(store: Store, team: Entity, now: datetime, text: str) -> None:
    store.team_logs[team["id"]].append({"owner": "System", "createdDate": written(now), "log": text, "offset": store.offset(now)})


def _wanted(call: Call) -> Entity:
    kind = call.query.get("identifierType") or call.query.get("teamIdentifierType") or "id"
    team = find(call.store.teams, {kind: call.ids[0]}, "name")
    if call.key and call.key.kind == "team" and (team is None or team["name"] != call.key.team):
        raise ApiError(403, "Team API Keys are not authorized to perform this action.")
    if team is None:
        raise missing("Team", call.ids[0])
    return team


def _written(result: str, team: Entity, status: int = 200) -> Answer:
    return Answer({"result": result, "data": {"id": team["id"], "name": team["name"]}}, status)


def _create(call: Call) -> Answer:
    return _written("Created", add_team(call.store, call.body, call.now), 201)


def _get(call: Call) -> Answer:
    return Answer({"data": _wanted(call)})


def _list_teams(call: Call) -> Answer:
    shown = [{"id": one["id"], "name": one["name"], "description": one["description"]} for one in call.store.teams.values()]
    return Answer({"data": shown, "expandable": ["member"]})


def _update(call: Call) -> Answer:
    team = _wanted(call)
    if call.body.get("name", team["name"]).casefold() != team["name"].casefold():
        check_free(call.store, "Team", call.body["name"])
    changes = {name: call.body[name] for name in ("name", "description") if name in call.body}
    if "members" in call.body:
        changes["members"] = _members(call.store, call.body["members"])
    team.update(changes)
    _log(call.store, team, call.now, "Updated team")
    return _written("Updated", team)


def _delete(call: Call) -> Answer:
    team = _wanted(call)
    del call.store.teams[team["id"]]
    del call.store.team_logs[team["id"]]
    return Answer({"result": "Deleted"})


def _add_member(call: Call) -> Answer:
    team = _wanted(call)
    member = _member(call.store, call.body)
    team["members"] = [*_others(team, member["user"]["id"]), member]
    _log(call.store, team, call.now, "Updated members.")
    return _written("Added", team)


def _others(team: Entity, user: str) -> list[Entity]:
    return [one for one in team["members"] if one["user"]["id"] != user]


def _remove_member(call: Call) -> Answer:
    team = _wanted(call)
    leaving = next((one for one in team["members"] if call.ids[1] in one["user"].values()), None)
    if leaving is None:
        raise missing("Team member", call.ids[1])
    team["members"] = _others(team, leaving["user"]["id"])
    _log(call.store, team, call.now, "Updated members.")
    return _written("Removed", team)


def _list_logs(call: Call) -> Answer:
    page, _ = cursor_page(
        call.store.team_logs[_wanted(call)["id"]],
        call.url,
        offset=call.query.get("offset"),
        limit=call.query.get("limit", 100),
        order=call.query.get("order", "desc"),
        direction="next",
    )
    logs = [{name: value for name, value in one.items() if name != "offset"} for one in page]
    return Answer({"data": {"offset": page[-1]["offset"] if page else "", "logs": logs}})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/teams/{}": _delete,
    "DELETE /v2/teams/{}/members/{}": _remove_member,
    "GET /v2/teams": _list_teams,
    "GET /v2/teams/{}": _get,
    "GET /v2/teams/{}/logs": _list_logs,
    "PATCH /v2/teams/{}": _update,
    "POST /v2/teams": _create,
    "POST /v2/teams/{}/members": _add_member,
}
