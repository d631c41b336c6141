"""Alerts: created, deduplicated, changed, closed, found.

Unconfirmed, and chosen here: every repeat of a change that is already so (acknowledge, close, a tag that is there) is processed with
`isSuccess: true`; all status texts but `Created alert` and `Alert does not exist`; acknowledging makes the person the owner; tags beyond
twenty are dropped; a custom action need not be among the alert's actions; assigning to somebody unknown works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from steps.opsgenie.emulator.alert_views import find_alert
from steps.opsgenie.emulator.call import Call, Done, Working
from steps.opsgenie.emulator.moments import epoch_ms, read, written
from steps.opsgenie.emulator.problems import ProcessingError, bad_fields
from steps.opsgenie.emulator.store import Alert, Entity, logged

MOST_TAGS = 20
MOST_COUNT = 100
MOST_DETAILS = 8000


def _create(call: Call) -> Done:
    """Opens an alert; while one with the alias is open, counts that one up instead (to 100 at most)."""
    alias = call.body.get("alias")
    twin = call.store.open_alert(alias) if alias else None
    if twin:
        twin.fields["count"] = min(MOST_COUNT, twin.fields["count"] + 1)
        twin.fields["lastOccurredAt"] = written(call.now)
        _touch(call, twin, f"Alert occurred again, {twin.fields['count']} times in all", "recurrence")
        return _done(twin, "Deduplicated alert")
    return _done(open_alert(call), "Created alert")


def open_alert(call: Call) -> Alert:
    """The new alert that a create call asks for, put among the others."""
    alert = _new_alert(call)
    call.store.alerts[alert.fields["id"]] = alert
    _touch(call, alert, "Alert created", "system")
    _note(call, alert)
    return alert


def _new_alert(call: Call) -> Alert:
    given, store, at = call.body, call.store, written(call.now)
    store.tiny_alerts += 1
    made = f"{store.new_id()}-{epoch_ms(call.now)}"
    responders = [store.resolve(one["type"], one) for one in given.get("responders", ())]
    if call.key and call.key.team:
        responders.append(store.resolve("team", {"name": call.key.team}))
    fields: Entity = {
        "id": made,
        "tinyId": str(store.tiny_alerts),
        "alias": given.get("alias") or made,
        "message": given["message"],
        "status": "open",
        "acknowledged": False,
        "isSeen": False,
        "tags": list(dict.fromkeys(given.get("tags", ()))),
        "snoozed": False,
        "count": 1,
        "lastOccurredAt": at,
        "createdAt": at,
        "updatedAt": at,
        "source": given.get("source") or "emulator",
        "owner": "",
        "priority": given.get("priority", "P3"),
        "integration": {"id": call.integration, "name": "Default API", "type": "API"},
        "ownerTeamId": next((one["id"] for one in responders if one["type"] == "team"), ""),
        "actions": list(given.get("actions", ())),
        "entity": given.get("entity", ""),
        "description": given.get("description", ""),
        "details": dict(given.get("details", {})),
    }
    visible_to = [store.resolve(one["type"], one) for one in given.get("visibleTo", ())]
    return Alert(fields, _distinct(responders), visible_to, call.integration)


def _distinct(entities: list[Entity]) -> list[Entity]:
    return list({(one["type"], one["id"]): one for one in entities}.values())


Change = Callable[[Call, Alert], str]
"""Changes an alert and says so in a few words; the words become the request status."""


def _changing(change: Change) -> Working:
    """What processes an accepted change: finds the alert, changes it, logs it, and adds the note that came with it."""

    def work(call: Call) -> Done:
        alert = find_alert(call)
        if alert is None:
            raise ProcessingError("Alert does not exist")
        status = change(call, alert)
        _touch(call, alert, status, "user" if call.person else "system")
        _note(call, alert)
        return _done(alert, status)

    return work


def _done(alert: Alert, status: str) -> Done:
    return Done(status, {"alertId": alert.fields["id"], "alias": alert.fields["alias"]})


def _touch(call: Call, alert: Alert, log: str, kind: str) -> None:
    alert.fields["updatedAt"] = written(call.now)
    alert.logs.append(logged(call.store, call.now, log=log, type=kind, owner=call.actor))


def _note(call: Call, alert: Alert) -> None:
    if note := call.given.get("note"):
        alert.notes.append(logged(call.store, call.now, note=note, owner=call.actor))


def _report(alert: Alert) -> Entity:
    report: Entity = alert.fields.setdefault("report", {})
    return report


def _age(call: Call, alert: Alert) -> int:
    return max(0, epoch_ms(call.now) - epoch_ms(read(alert.fields["createdAt"])))


def _acknowledge(call: Call, alert: Alert) -> str:
    if not alert.open:
        return "Alert is already closed"
    if alert.fields["acknowledged"]:
        return "Alert is already acknowledged"
    alert.fields.update(acknowledged=True, isSeen=True)
    alert.fields["owner"] = alert.fields["owner"] or str(call.given.get("user") or call.person or "")
    _report(alert).update(ackTime=_age(call, alert), acknowledgedBy=call.actor)
    return "Acknowledged alert"


def _unacknowledge(_call: Call, alert: Alert) -> str:
    if not alert.fields["acknowledged"]:
        return "Alert is not acknowledged"
    alert.fields["acknowledged"] = False
    return "Unacknowledged alert"


def _closed(call: Call, alert: Alert) -> str:
    if not alert.open:
        return "Alert is already closed"
    alert.fields["status"] = "closed"
    _report(alert).update(closeTime=_age(call, alert), closedBy=call.actor)
    return "Closed alert"


def _snooze(call: Call, alert: Alert) -> str:
    alert.fields["snoozedUntil"] = written(read(call.body["endTime"]))
    return "Snoozed alert"


def _escalate(call: Call, alert: Alert) -> str:
    return _brought(alert, call.store.resolve("escalation", call.body["escalation"]), "Escalated alert")


def _assign(call: Call, alert: Alert) -> str:
    alert.fields["owner"] = call.store.resolve("user", call.body["owner"])["name"]
    return "Assigned alert"


def _add_responder(call: Call, alert: Alert) -> str:
    given = call.body["responder"]
    return _brought(alert, call.store.resolve(given["type"], given), "Added responder to alert")


def _add_team(call: Call, alert: Alert) -> str:
    return _brought(alert, call.store.resolve("team", call.body["team"]), "Added team to alert")


def _brought(alert: Alert, responder: Entity, status: str) -> str:
    alert.responders = _distinct([*alert.responders, responder])
    return status


def _execute_action(call: Call, _alert: Alert) -> str:
    return f"Executed action {call.ids[1]}"


def _add_tags(call: Call, alert: Alert) -> str:
    alert.fields["tags"] = list(dict.fromkeys([*alert.fields["tags"], *call.body["tags"]]))[:MOST_TAGS]
    return "Added tags to alert"


def _remove_tags(call: Call, alert: Alert) -> str:
    gone = call.query["tags"]
    alert.fields["tags"] = [tag for tag in alert.fields["tags"] if tag not in gone]
    return "Removed tags from alert"


def _add_details(call: Call, alert: Alert) -> str:
    alert.fields["details"] |= call.body["details"]
    return "Added details to alert"


def _remove_details(call: Call, alert: Alert) -> str:
    gone = call.query["keys"]
    alert.fields["details"] = {key: value for key, value in alert.fields["details"].items() if key not in gone}
    return "Removed details from alert"


def _add_note(_call: Call, _alert: Alert) -> str:
    """The note itself is written as with every change."""
    return "Added note to alert"


def _setting(field: str) -> Change:
    def change(call: Call, alert: Alert) -> str:
        alert.fields[field] = call.body[field]
        return f"Updated alert {field}"

    return change


close_alert = _changing(_closed)
"""Closes the alert that the call's path names. Raises ProcessingError when it is not there."""


def _delete(call: Call) -> Done:
    alert = find_alert(call)
    if alert is None:
        raise ProcessingError("Alert does not exist")
    del call.store.alerts[alert.fields["id"]]
    return _done(alert, "Deleted alert")


def check_snooze(call: Call) -> None:
    """Raises ApiError (422) unless the end lies at least two seconds ahead."""
    if read(call.body["endTime"]) < call.now + timedelta(seconds=2):
        raise bad_fields({"endTime": "should be at least 2 seconds later than now"})


def check_details(call: Call) -> None:
    """Raises ApiError (422) when the details have more than 8000 characters in all."""
    if sum(len(key) + len(value) for key, value in call.body.get("details", {}).items()) > MOST_DETAILS:
        raise bad_fields({"details": f"can not be longer than {MOST_DETAILS} characters in all"})


WORK: Mapping[str, Working] = {
    "DELETE /v2/alerts/{}": _delete,
    "DELETE /v2/alerts/{}/details": _changing(_remove_details),
    "DELETE /v2/alerts/{}/tags": _changing(_remove_tags),
    "POST /v2/alerts": _create,
    "POST /v2/alerts/{}/acknowledge": _changing(_acknowledge),
    "POST /v2/alerts/{}/actions/{}": _changing(_execute_action),
    "POST /v2/alerts/{}/assign": _changing(_assign),
    "POST /v2/alerts/{}/close": close_alert,
    "POST /v2/alerts/{}/details": _changing(_add_details),
    "POST /v2/alerts/{}/escalate": _changing(_escalate),
    "POST /v2/alerts/{}/notes": _changing(_add_note),
    "POST /v2/alerts/{}/responders": _changing(_add_responder),
    "POST /v2/alerts/{}/snooze": _changing(_snooze),
    "POST /v2/alerts/{}/tags": _changing(_add_tags),
    "POST /v2/alerts/{}/teams": _changing(_add_team),
    "POST /v2/alerts/{}/unacknowledge": _changing(_unacknowledge),
    "PUT /v2/alerts/{}/description": _changing(_setting("description")),
    "PUT /v2/alerts/{}/message": _changing(_setting("message")),
    "PUT /v2/alerts/{}/priority": _changing(_setting("priority")),
}

FORMS: Mapping[str, Callable[[Call], None]] = {
    "POST /v2/alerts": check_details,
    "POST /v2/alerts/{}/details": check_details,
    "POST /v2/alerts/{}/snooze": check_snooze,
}
