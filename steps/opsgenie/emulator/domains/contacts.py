"""Ways to reach a user. The same way twice is a clash (409); unconfirmed."""

from __future__ import annotations

from collections.abc import Mapping

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.people import wanted_user
from steps.opsgenie.emulator.problems import ApiError, missing
from steps.opsgenie.emulator.store import Entity, Store


def email_contact(store: Store, address: str) -> Entity:
    """The contact every user has from the start."""
    return _contact(store, "email", address)


def _contact(store: Store, method: str, to: str) -> Entity:
    return {"id": store.new_id(), "method": method, "to": to, "status": {"enabled": True, "disabledReason": ""}}


def _contacts(call: Call) -> list[Entity]:
    return call.store.contacts[wanted_user(call)["id"]]


def _wanted(call: Call) -> Entity:
    for contact in _contacts(call):
        if contact["id"] == call.ids[1]:
            return contact
    raise missing("Contact", call.ids[1])


def _written(result: str, contact: Entity, status: int = 200) -> Answer:
    return Answer({"result": result, "data": {"id": contact["id"]}}, status)


def _check_free(contacts: list[Entity], method: str, to: str) -> None:
    if any((one["method"], one["to"]) == (method, to) for one in contacts):
        raise ApiError(409, "There is already one Contact with same method and address")


def _create(call: Call) -> Answer:
    contacts = _contacts(call)
    _check_free(contacts, call.body["method"], call.body["to"])
    contacts.append(_contact(call.store, call.body["method"], call.body["to"]))
    return _written("Created", contacts[-1], 201)


def _get(call: Call) -> Answer:
    return Answer({"data": _wanted(call)})


def _list_contacts(call: Call) -> Answer:
    return Answer({"data": [contact | {"applyOrder": place} for place, contact in enumerate(_contacts(call))]})


def _update(call: Call) -> Answer:
    contact = _wanted(call)
    if contact["to"] != call.body["to"]:
        _check_free(_contacts(call), contact["method"], call.body["to"])
        contact["to"] = call.body["to"]
    return _written("Updated", contact)


def _delete(call: Call) -> Answer:
    contact = _wanted(call)
    _contacts(call).remove(contact)
    return Answer({"result": "Deleted"})


def _enable(call: Call) -> Answer:
    contact = _wanted(call)
    contact["status"] = {"enabled": True, "disabledReason": ""}
    return _written("Enabled", contact)


def _disable(call: Call) -> Answer:
    contact = _wanted(call)
    contact["status"] = {"enabled": False, "disabledReason": "Disabled by user"}
    return _written("Disabled", contact)


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/users/{}/contacts/{}": _delete,
    "GET /v2/users/{}/contacts": _list_contacts,
    "GET /v2/users/{}/contacts/{}": _get,
    "PATCH /v2/users/{}/contacts/{}": _update,
    "POST /v2/users/{}/contacts": _create,
    "POST /v2/users/{}/contacts/{}/disable": _disable,
    "POST /v2/users/{}/contacts/{}/enable": _enable,
}
