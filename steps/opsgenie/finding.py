"""What a write whose answer was lost has left behind, as far as the service tells; and what can be known of one without its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.contracts import Reply
from steps.operation import Idempotency, Operation
from steps.opsgenie.answers import data_of
from steps.opsgenie.attempt import AHEAD
from steps.opsgenie.doubt import Doubt, Outputs
from steps.opsgenie.marks import alias_of, source_of
from steps.opsgenie.operations import OPERATIONS

SKEW = timedelta(seconds=2)
"""Two dates of the service itself may differ by this: one of them is in whole seconds."""
FOUND = "Found after the answer was lost"
TAKEN = "Taken for done by a person"


def alert_by_alias(doubt: Doubt) -> Outputs | None:
    """The open alert that has the alias."""
    reply = doubt.read("opsgenie.alert.get", {"identifier": doubt.given["alias"], "identifierType": "alias"})
    if reply is not None and _is_ours(doubt, data_of(reply), reply):
        return _created(data_of(reply))
    return None


def alert_by_source(doubt: Doubt) -> Outputs | None:
    """A person may have closed it meanwhile, and the alias of a closed alert finds nothing."""
    source = source_of(doubt.attempt.context)
    if doubt.given.get("source") != source:
        return None
    reply = doubt.read("opsgenie.alert.list", {"query": f'source: "{source}"', "limit": 100})
    if reply is None:
        return None
    told = {"source": source, "alias": doubt.given["alias"]}
    alerts = [
        alert for alert in data_of(reply) if _covers(alert, told) and told.keys() <= alert.keys() and isinstance(alert.get("id"), str)
    ]
    return next((_created(alert) for alert in alerts if _is_ours(doubt, alert, reply)), None)


def _is_ours(doubt: Doubt, alert: Mapping[str, Any], reply: Reply) -> bool:
    """Whether the write in doubt raised an alert of its alias: our own alias, or raised no earlier than the intent."""
    if doubt.given["alias"] == alias_of(doubt.attempt.context):
        return True
    return any(_since_intent(doubt, alert.get(name), reply) for name in ("createdAt", "lastOccurredAt"))


def _since_intent(doubt: Doubt, moment: Any, reply: Reply) -> bool:
    """Whether a moment the service tells is no earlier than the intent, by the service's clock."""
    try:
        told = datetime.fromisoformat(moment)
        return told >= doubt.since + timedelta(seconds=float(reply.headers.get(AHEAD, 0))) - SKEW
    except (TypeError, ValueError, OverflowError):  # no moment, one without its zone, or one of another age
        return False


def _created(alert: Mapping[str, Any]) -> Outputs:
    """The outputs of a create, from the alert it made."""
    return {
        "success": True,
        "isSuccess": True,
        "action": "Create",
        "status": FOUND,
        "alertId": alert["id"],
        "alias": alert.get("alias", alert["id"]),
    }


def namesake(doubt: Doubt) -> Mapping[str, Any] | None:
    """What holds the name, when it equals what was asked for."""
    assert doubt.operation.lookup is not None
    row = OPERATIONS[doubt.operation.lookup]
    reply = doubt.read(row.name, _by_name(row, doubt.given))
    data = data_of(reply) if reply is not None else None
    there = data if isinstance(data, list) else [data]
    asked = {name: value for name, value in doubt.given.items() if name in doubt.operation.body}
    return next((one for one in there if isinstance(one, Mapping) and _covers(one, asked)), None)


def _by_name(row: Operation, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the lookup is asked for what a create made: under the same parent, by the name it was given."""
    name = given.get("name", given.get("username"))
    path = {part: given.get(part, name) for part in row.path_names}
    return path | ({"identifierType": "name"} if "identifierType" in row.query else {})


def _covers(found: Any, asked: Any) -> bool:
    """Whether everything asked for is found; a field the answer does not tell cannot speak against it."""
    if isinstance(asked, Mapping):
        return isinstance(found, Mapping) and all(_covers(found[name], value) for name, value in asked.items() if name in found)
    if isinstance(asked, list):
        return isinstance(found, list) and len(found) == len(asked) and all(any(_covers(one, value) for one in found) for value in asked)
    return bool(found == asked) or _same_moment(found, asked)


def _same_moment(found: Any, asked: Any) -> bool:
    """Whether two texts tell one point in time, each in a zone of its own."""
    try:
        return datetime.fromisoformat(found) - datetime.fromisoformat(asked) == timedelta()
    except (TypeError, ValueError):
        return False


def note(doubt: Doubt) -> Outputs | None:
    """The note, among the newest hundred."""
    row = notes_of(doubt.operation)
    assert row is not None, "only what leaves a note is looked for by it"
    reply = doubt.read(row.name, _place(row, doubt) | {"limit": 100, "order": "desc"})
    if reply is None:
        return None
    ours = [entry for entry in data_of(reply) if entry.get("note") == doubt.given["note"]]
    if doubt.operation.idempotency is not Idempotency.MARKED:  # only a marker tells one note from another of the same words
        ours = [entry for entry in ours if _since_intent(doubt, entry.get("createdAt"), reply)]
    return told(doubt, FOUND) if ours else None


def notes_of(operation: Operation) -> Operation | None:
    """The read of the notes under what an operation changes."""
    return OPERATIONS.get(f"{operation.name.rpartition('.')[0]}.list_notes")


def _place(row: Operation, doubt: Doubt) -> dict[str, Any]:
    """What a write was given of the fields that say what a read is about."""
    return {name: doubt.given[name] for name in (*row.path_names, *row.query) if name in doubt.given}


def read_back(doubt: Doubt) -> Mapping[str, Any]:
    """What a write that was done has made or changed, where there is a way to ask for it."""
    return _READ_BACK.get(doubt.operation.idempotency, _changed)(doubt) or {}


def _alert(doubt: Doubt) -> Outputs | None:
    return alert_by_alias(doubt) or alert_by_source(doubt)


def _changed(doubt: Doubt) -> Outputs | None:
    """What stands at the place of a write."""
    row = next((row for row in OPERATIONS.values() if row.request == f"GET {doubt.operation.path_template}"), None)
    if row is None or row.listing:
        return None
    reply = doubt.read(row.name, _place(row, doubt))
    return None if reply is None else data_of(reply)


_READ_BACK: dict[Idempotency, Callable[[Doubt], Mapping[str, Any] | None]] = {
    Idempotency.CLASH: namesake,
    Idempotency.DELETE: lambda _: None,
    Idempotency.KEYED: _alert,
}


def told(doubt: Doubt, how: str) -> dict[str, Any]:
    """The outputs of a write that was done, as far as they follow from what was given; `how` it is known to be done."""
    path, identifier = doubt.operation.path_template, str(doubt.given.get("identifier"))
    begins = {"/v2/alerts/{identifier}": "alertId", "/v1/incidents/{identifier}": "incidentId"}
    outputs = {name: identifier for start, name in begins.items() if path.startswith(start)}
    outputs |= {name: doubt.given[name] for name in ("alias",) if name in doubt.given}
    return known(doubt, {"success": True, "isSuccess": True, "status": how, "result": how, **outputs})


def known(doubt: Doubt, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the operation has."""
    return {name: value for name, value in outputs.items() if name in doubt.operation.data.get("properties", {})}
