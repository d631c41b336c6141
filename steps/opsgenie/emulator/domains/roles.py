"""Custom roles. One that a user still has cannot be deleted (428); the wording is ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.store import Entity, Store, find, named

_RIGHTS = ("extendedRole", "grantedRights", "disallowedRights")


def add_role(store: Store, given: Mapping[str, Any]) -> Entity:
    """The new role. Raises ApiError (409) when the name is taken."""
    _check_free(store, given["name"])
    empty: Entity = {"extendedRole": "user", "grantedRights": [], "disallowedRights": []}
    role = {"id": store.new_id(), "name": given["name"], **empty, **{name: given[name] for name in _RIGHTS if name in given}}
    store.roles[role["id"]] = role
    return role


def _check_free(store: Store, name: str) -> None:
    if named(store.roles.values(), "name", name):
        raise ApiError(409, "There is already one Role with same name")


def _wanted(call: Call) -> Entity:
    role = find(call.store.roles, {call.query.get("identifierType", "id"): call.ids[0]}, "name")
    if role is None:
        raise missing("Role", call.ids[0])
    return role


def _written(result: str, role: Entity, status: int = 200) -> Answer:
    return Answer({"result": result, "data": {"id": role["id"], "name": role["name"]}}, status)


def _create(call: Call) -> Answer:
    return _written("Created", add_role(call.store, call.body), 201)


def _get(call: Call) -> Answer:
    return Answer({"data": _wanted(call)})


def _list_roles(call: Call) -> Answer:
    return Answer({"data": list(call.store.roles.values())})


def _update(call: Call) -> Answer:
    role = _wanted(call)
    if call.body.get("name", role["name"]).casefold() != role["name"].casefold():
        _check_free(call.store, call.body["name"])
    role.update({name: call.body[name] for name in ("name", *_RIGHTS) if name in call.body})
    return _written("Updated", role)


def _delete(call: Call) -> Answer:
    role = _wanted(call)
    if any(user["role"]["id"] == role["id"] for user in call.store.users.values()):
        raise ApiError(428, "Role is still in use")
    del call.store.roles[role["id"]]
    return Answer({"result": "Deleted"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/roles/{}": _delete,
    "GET /v2/roles": _list_roles,
    "GET /v2/roles/{}": _get,
    "POST /v2/roles": _create,
    "PUT /v2/roles/{}": _update,
}
