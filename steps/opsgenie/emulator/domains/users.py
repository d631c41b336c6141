"""Users of the account.

Unconfirmed, and chosen here: the wording of the 409 and of the 422 for a role that is not there; a deleted user leaves the teams.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.domains.contacts import email_contact
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.paging import offset_page
from steps.opsgenie.emulator.people import wanted_user
from steps.opsgenie.emulator.problems import ApiError, bad_fields
from steps.opsgenie.emulator.query import Kind
from steps.opsgenie.emulator.rosters import meta, takers
from steps.opsgenie.emulator.search import filtered, sorted_by
from steps.opsgenie.emulator.store import Entity, Store, find, named

DEFAULT_ROLES = ("Admin", "Observer", "Owner", "Stakeholder", "User")
PAGE = 100

_FIELDS: Mapping[str, Kind] = {
    "blocked": "flag",
    "fullName": "text",
    "locale": "word",
    "role": "word",
    "tag": "word",
    "timeZone": "word",
    "username": "word",
    "verified": "flag",
}
_PLAIN = ("username", "fullName", "skypeUsername", "timeZone", "locale", "userAddress", "tags", "details")


def add_user(store: Store, given: Mapping[str, Any], now: datetime) -> Entity:
    """The new user, with the mail address as first contact. Raises ApiError: 409 for a name that is taken, 422 for an unknown role."""
    _check_free(store, given["username"])
    user: Entity = {
        "id": store.new_id(),
        "blocked": False,
        "verified": False,
        "timeZone": "UTC",
        "locale": "en_US",
        "role": _role(store, given["role"]),
        "createdAt": written(now),
        **{name: given[name] for name in _PLAIN if name in given},
    }
    store.users[user["id"]] = user
    store.contacts[user["id"]] = [email_contact(store, user["username"])]
    return user


def _check_free(store: Store, username: str) -> None:
    if named(store.users.values(), "username", username):
        raise ApiError(409, "There is already one User with same username")


def _role(store: Store, given: Mapping[str, Any]) -> Entity:
    wanted = str(given.get("name") or given.get("id") or "")
    for name in DEFAULT_ROLES:
        if name.casefold() == wanted.casefold():
            return {"id": name, "name": name}
    custom = find(store.roles, given, "name")
    if custom is None:
        raise bad_fields({"role": "role does not exist"})
    return {"id": custom["id"], "name": custom["name"]}


def _create(call: Call) -> Answer:
    user = add_user(call.store, call.body, call.now)
    return Answer({"result": "Created", "data": {"id": user["id"], "name": user["username"]}}, 201)


def _get(call: Call) -> Answer:
    user = wanted_user(call)
    if "contact" not in call.query.get("expand", ()):
        return Answer({"data": user, "expandable": ["contact"]})
    contacts = [
        {"to": one["to"], "id": one["id"], "contactMethod": one["method"], "enabled": one["status"]["enabled"]}
        for one in call.store.contacts[user["id"]]
    ]
    return Answer({"data": user | {"userContacts": contacts}, "expandable": ["contact"]})


def _list_users(call: Call) -> Answer:
    offset, limit = call.query.get("offset", 0), call.query.get("limit", PAGE)
    field = call.query.get("sort") or call.query.get("sortField") or "username"
    documents = [(_document(one), one) for one in call.store.users.values()]
    found = filtered(documents, call.query.get("query", ""), _FIELDS, ("username", "fullName"))
    ordered = sorted_by(found, field, call.query.get("order", "asc"))
    page, links = offset_page(ordered, call.url, offset=offset, limit=limit)
    return Answer({"totalCount": len(found), "data": [user for _, user in page], "paging": links})


def _document(user: Entity) -> dict[str, Any]:
    return user | {"role": [user["role"]["name"], user["role"]["id"]], "tag": user.get("tags", []), "insertedAt": user["createdAt"]}


def _update(call: Call) -> Answer:
    user = wanted_user(call)
    given = call.body
    if given.get("username", user["username"]).casefold() != user["username"].casefold():
        _check_free(call.store, given["username"])
    changes = {name: given[name] for name in _PLAIN if name in given}
    if "role" in given:
        changes["role"] = _role(call.store, given["role"])
    user.update(changes)
    return Answer({"result": "Updated"})


def _delete(call: Call) -> Answer:
    user = wanted_user(call)
    del call.store.users[user["id"]]
    del call.store.contacts[user["id"]]
    for team in call.store.teams.values():
        team["members"] = [one for one in team["members"] if one["user"]["id"] != user["id"]]
    return Answer({"result": "Deleted"})


def _list_teams(call: Call) -> Answer:
    user = wanted_user(call)
    member_of = [team for team in call.store.teams.values() if user["id"] in [one["user"]["id"] for one in team["members"]]]
    return Answer({"data": [{"id": team["id"], "name": team["name"]} for team in member_of]})


def _list_escalations(call: Call) -> Answer:
    """Those in which the state names the user; nothing makes others."""
    user = wanted_user(call)
    return Answer(
        {"data": [{"id": one["id"], "name": one["name"]} for one in call.store.escalations.values() if user["id"] in one["users"]]}
    )


def _list_schedules(call: Call) -> Answer:
    """Those in which the user takes turns in person."""
    user = wanted_user(call)
    taken = [one for one in call.store.schedules.values() if user["id"] in takers(one)]
    return Answer({"data": [meta(one) for one in taken]})


def _list_forwarding_rules(call: Call) -> Answer:
    """The emulator knows of none."""
    wanted_user(call)
    return Answer({"data": []})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/users/{}": _delete,
    "GET /v2/users": _list_users,
    "GET /v2/users/{}": _get,
    "GET /v2/users/{}/escalations": _list_escalations,
    "GET /v2/users/{}/forwarding-rules": _list_forwarding_rules,
    "GET /v2/users/{}/schedules": _list_schedules,
    "GET /v2/users/{}/teams": _list_teams,
    "PATCH /v2/users/{}": _update,
    "POST /v2/users": _create,
}
