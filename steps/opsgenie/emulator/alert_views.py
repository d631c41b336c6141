"""What can be seen of alerts: by whom, under which identifier, and through a search."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.moments import epoch_ms, read
from steps.opsgenie.emulator.problems import missing
from steps.opsgenie.emulator.query import Kind
from steps.opsgenie.emulator.search import filtered
from steps.opsgenie.emulator.store import Alert, Entity, find

FIELDS: Mapping[str, Kind] = {
    "acknowledged": "flag",
    "acknowledgedBy": "word",
    "actions": "word",
    "alertId": "word",
    "alias": "word",
    "closedBy": "word",
    "count": "number",
    "createdAt": "number",
    "description": "text",
    "details.key": "word",
    "details.value": "word",
    "entity": "word",
    "integration.name": "word",
    "integration.type": "word",
    "isSeen": "flag",
    "lastOccurredAt": "number",
    "message": "text",
    "owner": "word",
    "priority": "word",
    "responders": "word",
    "snoozed": "flag",
    "snoozedUntil": "number",
    "source": "word",
    "status": "word",
    "tag": "word",
    "teams": "word",
    "tinyId": "number",
}
"""The fields a search knows: those the vendor documents, and those in common use."""

_FREE = ("message",)
_UNLISTED = ("actions", "description", "details", "entity")


def visible_alerts(call: Call) -> list[Alert]:
    """The alerts the caller may see."""
    return [one for one in call.store.alerts.values() if _visible(call, one)]


def _visible(call: Call, alert: Alert) -> bool:
    """A team key sees the alerts of its team and those it made itself, everybody else all."""
    if call.key is None or call.key.kind != "team" or alert.integration == call.integration:
        return True
    team = call.key.team and call.store.resolve("team", {"name": call.key.team})["id"]
    return team in [given["id"] for given in alert.teams()]


def find_alert(call: Call) -> Alert | None:
    """The alert that the path and `identifierType` name; an alias names an open alert only."""
    wanted, kind = call.ids[0], call.query.get("identifierType") or call.query.get("alertIdentifierType") or "id"
    if kind == "id":
        found = call.store.alerts.get(wanted)
    elif kind == "alias":
        found = call.store.open_alert(wanted)
    else:
        found = next((one for one in call.store.alerts.values() if one.fields["tinyId"] == wanted), None)
    return found if found and _visible(call, found) else None


def wanted_alert(call: Call) -> Alert:
    """The same. Raises ApiError (404) when there is none."""
    alert = find_alert(call)
    if alert is None:
        raise missing("Alert", call.ids[0])
    return alert


def shown(alert: Alert, now: datetime) -> Entity:
    """The whole alert as the service shows it."""
    fields = alert.fields | {
        "snoozed": alert.snoozed(now),
        "teams": [{"id": one["id"]} for one in alert.teams()],
        "responders": [{"type": one["type"], "id": one["id"]} for one in alert.responders],
    }
    if not fields["snoozed"]:
        fields.pop("snoozedUntil", None)
    return fields


def listed(alert: Alert, now: datetime) -> Entity:
    """The alert as it stands in a list."""
    return {name: value for name, value in shown(alert, now).items() if name not in _UNLISTED}


def searched_alerts(call: Call) -> list[tuple[Entity, Alert]]:
    """The visible alerts that meet the call's query or saved search, each with the document it is sorted by. Raises ApiError."""
    documents = [(_document(one, call.now), one) for one in visible_alerts(call)]
    return filtered(documents, _query(call), FIELDS, _FREE)


def _query(call: Call) -> str:
    wanted = call.query.get("searchIdentifier")
    if not wanted:
        return str(call.query.get("query", ""))
    saved = find(call.store.saved_searches, {call.query.get("searchIdentifierType", "id"): wanted}, "name")
    if saved is None:
        raise missing("Saved search", wanted)
    return str(saved["query"])


def _document(alert: Alert, now: datetime) -> dict[str, Any]:
    fields = shown(alert, now)
    report, details = fields.get("report", {}), fields["details"]
    times = {name: epoch_ms(read(fields[name])) for name in ("createdAt", "updatedAt", "lastOccurredAt", "snoozedUntil") if name in fields}
    return (
        fields
        | times
        | {
            "alertId": fields["id"],
            "tinyId": int(fields["tinyId"]),
            "alias": fields["alias"] if alert.open else None,
            "acknowledgedBy": report.get("acknowledgedBy"),
            "closedBy": report.get("closedBy"),
            "details.key": list(details),
            "details.value": list(details.values()),
            "tag": fields["tags"],
            "teams": [name for one in alert.teams() for name in (one["name"], one["id"])],
            "responders": [name for one in alert.responders for name in (one["name"], one["id"])],
        }
        | {f"integration.{name}": value for name, value in fields["integration"].items()}
        | {f"report.{name}": value for name, value in report.items()}
    )


def check_query(query: str) -> None:
    """Raises ApiError (422) when the query cannot search alerts."""
    filtered([], query, FIELDS, _FREE)
