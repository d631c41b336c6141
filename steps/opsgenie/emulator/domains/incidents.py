"""Incidents.

Unconfirmed, and chosen here: repeats are processed with `isSuccess: true`; an account without any service takes every `serviceId`, one
with services fails the request for a service that is not there. The status of a created incident is as recorded in 2021, that of a
missing one as documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.opsgenie.emulator.call import Answer, Answering, Call, Done, Working
from steps.opsgenie.emulator.moments import epoch_ms, read, written
from steps.opsgenie.emulator.paging import cursor_list, offset_page
from steps.opsgenie.emulator.problems import ProcessingError, missing
from steps.opsgenie.emulator.query import Kind
from steps.opsgenie.emulator.search import filtered, sorted_by
from steps.opsgenie.emulator.store import Entity, Incident, logged

_UNSHOWN = ("description", "serviceId")
_FIELDS: Mapping[str, Kind] = {
    "createdAt": "number",
    "description": "text",
    "incidentId": "word",
    "isSeen": "flag",
    "message": "text",
    "owner": "word",
    "priority": "word",
    "responders": "word",
    "status": "word",
    "tag": "word",
    "tinyId": "number",
    "updatedAt": "number",
}


def open_incident(call: Call) -> Incident:
    """The new incident that a create call asks for."""
    given, store, at = call.body, call.store, written(call.now)
    store.tiny_incidents += 1
    responders = [store.resolve(one["type"], one) for one in given.get("responders", ())]
    incident = Incident(
        {
            "id": store.new_id(),
            "tinyId": str(store.tiny_incidents),
            "message": given["message"],
            "description": given.get("description", ""),
            "status": "open",
            "isSeen": False,
            "tags": list(given.get("tags", ())),
            "createdAt": at,
            "updatedAt": at,
            "source": "emulator",
            "owner": call.person or "",
            "priority": given.get("priority", "P3"),
            "responders": [{"type": one["type"], "id": one["id"]} for one in responders],
            "serviceId": given["serviceId"],
            "ownerTeam": next((one["id"] for one in responders if one["type"] == "team"), ""),
            "extraProperties": dict(given.get("details", {})),
        }
    )
    store.incidents[incident.fields["id"]] = incident
    _touch(call, incident, "Incident created")
    return incident


def _touch(call: Call, incident: Incident, log: str) -> None:
    incident.fields["updatedAt"] = written(call.now)
    incident.logs.append(logged(call.store, call.now, log=log, type="system", owner=call.actor))
    if note := call.body.get("note"):
        incident.notes.append(logged(call.store, call.now, note=note, owner=call.actor))


def _create(call: Call) -> Done:
    services = call.store.services
    if services and call.body["serviceId"] not in services:
        raise ProcessingError("Service does not exist")
    return _done(open_incident(call), "Incident created successfully")


def _done(incident: Incident, status: str) -> Done:
    return Done(status, {"incidentId": incident.fields["id"]})


def _find(call: Call) -> Incident | None:
    name = {"id": "id", "tiny": "tinyId"}[call.query.get("identifierType", "id")]
    return next((one for one in call.store.incidents.values() if one.fields[name] == call.ids[0]), None)


def _to_process(call: Call) -> Incident:
    incident = _find(call)
    if incident is None:
        raise ProcessingError("Incident does not exist")
    return incident


def _close(call: Call) -> Done:
    incident = _to_process(call)
    status = "Incident is already closed" if incident.fields["status"] == "closed" else "Incident closed successfully"
    incident.fields["status"] = "closed"
    _touch(call, incident, status)
    return _done(incident, status)


def _delete(call: Call) -> Done:
    incident = _to_process(call)
    del call.store.incidents[incident.fields["id"]]
    return _done(incident, "Incident deleted successfully")


def _shown(incident: Incident) -> Entity:
    """The incident as the service is known to show it."""
    return {name: value for name, value in incident.fields.items() if name not in _UNSHOWN}


def _wanted(call: Call) -> Incident:
    incident = _find(call)
    if incident is None:
        raise missing("Incident", call.ids[0])
    return incident


def _get(call: Call) -> Answer:
    return Answer({"data": _shown(_wanted(call))})


def _list_notes(call: Call) -> Answer:
    return cursor_list(call, _wanted(call).notes)


def _list_incidents(call: Call) -> Answer:
    offset, limit = call.query.get("offset", 0), call.query.get("limit", 20)
    documents = [(_document(one.fields), one) for one in call.store.incidents.values()]
    found = filtered(documents, call.query["query"], _FIELDS, ("message",))
    ordered = sorted_by(found, call.query.get("sort", "createdAt"), call.query.get("order", "desc"))
    page, links = offset_page(ordered, call.url, offset=offset, limit=limit)
    return Answer({"data": [_shown(one) for _, one in page], "paging": links})


def _document(fields: Entity) -> dict[str, Any]:
    return fields | {
        "createdAt": epoch_ms(read(fields["createdAt"])),
        "updatedAt": epoch_ms(read(fields["updatedAt"])),
        "incidentId": fields["id"],
        "tinyId": int(fields["tinyId"]),
        "tag": fields["tags"],
        "responders": [one["id"] for one in fields["responders"]],
    }


ANSWERS: Mapping[str, Answering] = {
    "GET /v1/incidents": _list_incidents,
    "GET /v1/incidents/{}": _get,
    "GET /v1/incidents/{}/notes": _list_notes,
}

WORK: Mapping[str, Working] = {
    "DELETE /v1/incidents/{}": _delete,
    "POST /v1/incidents/create": _create,
    "POST /v1/incidents/{}/close": _close,
}
