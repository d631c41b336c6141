"""Queries kept under a name. A name that is taken is a clash (409); unconfirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.opsgenie.emulator.alert_views import check_query
from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.store import Entity, find, named


def _wanted(call: Call) -> Entity:
    search = find(call.store.saved_searches, {call.query.get("identifierType", "id"): call.ids[0]}, "name")
    if search is None:
        raise missing("Saved search", call.ids[0])
    return search


def _check_free(call: Call, name: str) -> None:
    if named(call.store.saved_searches.values(), "name", name):
        raise ApiError(409, "There is already one Saved Search with same name")


def _described(call: Call) -> dict[str, Any]:
    check_query(call.body["query"])
    return {
        "name": call.body["name"],
        "description": call.body.get("description", ""),
        "query": call.body["query"],
        "owner": {"id": call.store.resolve("user", call.body["owner"])["id"]},
        "teams": [{"id": call.store.resolve("team", one)["id"]} for one in call.body.get("teams", ())],
        "updatedAt": written(call.now),
    }


def _create(call: Call) -> Answer:
    _check_free(call, call.body["name"])
    search = {"id": call.store.new_id(), "createdAt": written(call.now), **_described(call)}
    call.store.saved_searches[search["id"]] = search
    return Answer({"result": "Created", "data": {"id": search["id"], "name": search["name"]}}, 201)


def _get(call: Call) -> Answer:
    return Answer({"data": _wanted(call)})


def _list_searches(call: Call) -> Answer:
    return Answer({"data": [{"id": one["id"], "name": one["name"]} for one in call.store.saved_searches.values()]})


def _update(call: Call) -> Answer:
    search = _wanted(call)
    if call.body["name"].casefold() != search["name"].casefold():
        _check_free(call, call.body["name"])
    search.update(_described(call))
    return Answer({"result": "Updated", "data": search})


def _delete(call: Call) -> Answer:
    del call.store.saved_searches[_wanted(call)["id"]]
    return Answer({"result": "Deleted"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/alerts/saved-searches/{}": _delete,
    "GET /v2/alerts/saved-searches": _list_searches,
    "GET /v2/alerts/saved-searches/{}": _get,
    "PATCH /v2/alerts/saved-searches/{}": _update,
    "POST /v2/alerts/saved-searches": _create,
}
