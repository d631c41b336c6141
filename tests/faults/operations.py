"""The operations of the matrix: what each is given, and how the account shows that it was done, and not twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from steps.operation import Idempotency
from steps.opsgenie.operations import OPERATIONS

Account = Mapping[str, Any]
"""`Emulator.snapshot()`."""

DISK = {"identifier": "disk", "identifierType": "alias"}
SNOOZED_TO = "2099-01-01T00:00:00Z"

STATE = {
    "teams": [{"name": "dba", "members": [{"username": "ana@example.com"}]}, {"name": "sre"}, {"name": "spare"}],
    "users": [{"username": "ana@example.com"}, {"username": "ben@example.com"}],
    "escalations": [{"name": "dba_escalation"}],
    "services": [{"name": "shop", "id": "service-1"}],
    "alerts": [
        {"message": "Disk full", "alias": "disk", "tags": ["old"], "details": {"host": "a", "zone": "b"}, "createdAt": {"ago": "1h"}}
    ],
    "incidents": [{"message": "Shop is down", "service": "shop"}],
    "schedules": [
        {
            "name": "nights",
            "users": ["ana@example.com"],
            "overrides": [
                {"alias": "leave", "user": "ben@example.com", "startDate": "2020-01-01T00:00:00Z", "endDate": "2020-01-02T00:00:00Z"}
            ],
        }
    ],
    "heartbeats": [{"name": "backup", "interval": 1, "intervalUnit": "days"}],
}
CROWD = {"alerts": [{"message": f"Alert {number}", "alias": f"alert-{number}"} for number in range(130)]}
"""More than one page of them."""


@dataclass(frozen=True)
class Case:
    """One operation with what it is given.

    Attributes:
        done: whether the account shows the effect; None for a read.
        makes: the most of each kind that one effect adds (`census`).
        slack: what may be added beyond that by the service's own counting, never by us.
        right: whether a read's outputs are true.
        strikes: the operation whose requests are struck; the step's own unless it is of several operations.
    """

    name: str
    uses: str
    given: Mapping[str, Any]
    done: Callable[[Account], bool] | None = None
    makes: Mapping[str, int] = field(default_factory=dict)
    slack: Mapping[str, int] = field(default_factory=dict)
    right: Callable[[Mapping[str, Any]], bool] | None = None
    strikes: str | None = None
    state: Mapping[str, Any] = field(default_factory=lambda: STATE)

    @property
    def target(self) -> str:
        """The operation whose requests are struck."""
        return self.strikes or self.uses

    @property
    def idempotency(self) -> Idempotency:
        """Of the target."""
        return OPERATIONS[self.target].idempotency

    @property
    def notes(self) -> bool:
        """Whether it leaves a note."""
        return bool({"notes", "incident_notes"} & self.makes.keys())

    @property
    def asynchronous(self) -> bool:
        """Whether the target is answered with 202."""
        return OPERATIONS[self.target].asynchronous

    @property
    def composite(self) -> bool:
        """Whether the step is of several operations."""
        return self.strikes is not None


def census(account: Account) -> Counter[str]:
    """How many there are of everything that could be there twice."""
    alerts = account["alerts"].values()
    return Counter(
        {
            **{
                kind: len(account[kind])
                for kind in ("alerts", "heartbeats", "incidents", "users", "teams", "roles", "saved_searches", "schedules")
            },
            "rotations": sum(len(schedule["rotations"]) for schedule in account["schedules"].values()),
            "overrides": sum(map(len, account["overrides"].values())),
            "contacts": sum(map(len, account["contacts"].values())),
            "members": sum(len(team.get("members", ())) for team in account["teams"].values()),
            "notes": sum(len(alert["notes"]) for alert in alerts),
            "incident_notes": sum(len(incident["notes"]) for incident in account["incidents"].values()),
            "occurrences": sum(alert["fields"]["count"] for alert in alerts),
            "escalated": sum(log["log"] == "Escalated alert" for alert in alerts for log in alert["logs"]),
            "executed": sum(log["log"].startswith("Executed action") for alert in alerts for log in alert["logs"]),
            "attachments": sum(len(alert["attachments"]) for alert in alerts),
        }
    )


def _disk(account: Account) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((alert for alert in account["alerts"].values() if alert["fields"]["alias"] == "disk"), {"fields": {}})
    return found


def _field(name: str, value: Any) -> Callable[[Account], bool]:
    return lambda account: _disk(account)["fields"].get(name) == value


def _alert(message: str) -> Callable[[Account], bool]:
    return lambda account: any(alert["fields"]["message"] == message for alert in account["alerts"].values())


def _has(kind: str, name: str, value: Any) -> Callable[[Account], bool]:
    return lambda account: any(one.get("fields", one).get(name) == value for one in account[kind].values())


def _gone(kind: str, name: str, value: Any) -> Callable[[Account], bool]:
    return lambda account: not _has(kind, name, value)(account)


def _noted(text: str) -> Callable[[Account], bool]:
    return lambda account: any(note["note"].startswith(text) for note in _disk(account).get("notes", ()))


def _team(account: Account, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((team for team in account["teams"].values() if team["name"] == name), {})
    return found


def _usernames(team: Mapping[str, Any]) -> set[str]:
    return {member["user"]["username"] for member in team.get("members", ())}


def _responder(kind: str, name: str) -> Callable[[Account], bool]:
    return lambda account: any(one["type"] == kind and one["name"] == name for one in _disk(account).get("responders", ()))


def _counted(kind: str, least: int) -> Callable[[Account], bool]:
    return lambda account: census(account)[kind] >= least


def _user(username: str) -> Callable[[Account], Mapping[str, Any]]:
    return lambda account: next((user for user in account["users"].values() if user["username"] == username), {})


def _both(*conditions: Callable[[Account], bool]) -> Callable[[Account], bool]:
    return lambda account: all(condition(account) for condition in conditions)


_NIGHTS = {"identifier": "nights", "scheduleIdentifierType": "name"}
_OVERRIDE = {
    "user": {"type": "user", "username": "ben@example.com"},
    "startDate": "2030-01-01T00:00:00Z",
    "endDate": "2030-01-02T00:00:00Z",
}


def _overridden(alias: str, year: str) -> Callable[[Account], bool]:
    return lambda account: any(there[alias]["startDate"].startswith(year) for there in account["overrides"].values() if alias in there)


_NEW_USER = {"username": "eve@example.com", "fullName": "Eve", "role": {"name": "User"}}
_ONE_ALERT = {"alerts": 1, "occurrences": 1}

_ALL = (
    # keyed
    Case("create", "opsgenie.alert.create", {"message": "New"}, _alert("New"), _ONE_ALERT),
    Case("create_aliased", "opsgenie.alert.create", {"message": "New", "alias": "new"}, _alert("New"), _ONE_ALERT, {"occurrences": 1}),
    Case(
        "create_again", "opsgenie.alert.create", {"message": "Disk", "alias": "disk"}, _counted("occurrences", 2), {"occurrences": 1}, {"occurrences": 1},
    ),
    Case("create_with_note", "opsgenie.alert.create", {"message": "New", "note": "seen"}, _alert("New"), {**_ONE_ALERT, "notes": 1}),
    # repeatable
    Case("acknowledge", "opsgenie.alert.acknowledge", DISK, _field("acknowledged", True)),
    Case("close", "opsgenie.alert.close", DISK, _field("status", "closed")),
    Case("close_with_note", "opsgenie.alert.close", {**DISK, "note": "All is well"}, _both(_field("status", "closed"), _noted("All is well")), {"notes": 1}),
    Case("assign", "opsgenie.alert.assign", {**DISK, "owner": {"username": "ben@example.com"}}, _field("owner", "ben@example.com")),
    Case("snooze", "opsgenie.alert.snooze", {**DISK, "endTime": SNOOZED_TO}, lambda account: "snoozedUntil" in _disk(account)["fields"]),
    Case("add_tags", "opsgenie.alert.add_tags", {**DISK, "tags": ["new"]}, _field("tags", ["old", "new"])),
    Case("remove_tags", "opsgenie.alert.remove_tags", {**DISK, "tags": ["old"]}, _field("tags", [])),
    Case("add_details", "opsgenie.alert.add_details", {**DISK, "details": {"k": "v"}}, _field("details", {"host": "a", "zone": "b", "k": "v"})),
    Case("remove_details", "opsgenie.alert.remove_details", {**DISK, "keys": ["zone"]}, _field("details", {"host": "a"})),
    Case("update_priority", "opsgenie.alert.update_priority", {**DISK, "priority": "P1"}, _field("priority", "P1")),
    Case("update_message", "opsgenie.alert.update_message", {**DISK, "message": "Worse"}, _field("message", "Worse")),
    Case("update_description", "opsgenie.alert.update_description", {**DISK, "description": "Long"}, _field("description", "Long")),
    Case("add_responder", "opsgenie.alert.add_responder", {**DISK, "responder": {"type": "user", "username": "ben@example.com"}}, _responder("user", "ben@example.com")),
    Case("add_team", "opsgenie.alert.add_team", {**DISK, "team": {"name": "sre"}}, _responder("team", "sre")),
    Case(
        "incident_close_with_note", "opsgenie.incident.close", {"identifier": "1", "identifierType": "tiny", "note": "All is well"},
        _both(_has("incidents", "status", "closed"), _counted("incident_notes", 1)), {"incident_notes": 1},
    ),
    Case("incident_close", "opsgenie.incident.close", {"identifier": "1", "identifierType": "tiny"}, _has("incidents", "status", "closed")),
    Case("user_update", "opsgenie.user.update", {"identifier": "ben@example.com", "fullName": "Benjamin"}, _has("users", "fullName", "Benjamin")),
    Case(
        "team_add_member", "opsgenie.team.add_member",
        {"identifier": "sre", "teamIdentifierType": "name", "user": {"username": "ben@example.com"}},
        lambda account: _usernames(_team(account, "sre")) == {"ben@example.com"}, {"members": 1},
    ),
    Case("team_update", "opsgenie.team.update", {"identifier": "$spare", "description": "Idle"}, _has("teams", "description", "Idle")),
    Case("heartbeat_ping", "opsgenie.heartbeat.ping", {"name": "backup"}, lambda account: "lastPingTime" in account["heartbeats"]["backup"]["fields"]),
    Case("heartbeat_update", "opsgenie.heartbeat.update", {"name": "backup", "interval": 2}, _has("heartbeats", "interval", 2)),
    Case("heartbeat_disable", "opsgenie.heartbeat.disable", {"name": "backup"}, _has("heartbeats", "enabled", False)),
    Case("schedule_update", "opsgenie.schedule.update", {"identifier": "nights", "identifierType": "name", "timezone": "Asia/Tokyo"}, _has("schedules", "timezone", "Asia/Tokyo")),
    Case("override_update", "opsgenie.schedule.update_override", {**_NIGHTS, "alias": "leave", **_OVERRIDE}, _overridden("leave", "2030")),
    # marked
    Case("add_note", "opsgenie.alert.add_note", {**DISK, "note": "Looked at it"}, _noted("Looked at it"), {"notes": 1}),
    # once
    Case("escalate", "opsgenie.alert.escalate", {**DISK, "escalation": {"name": "dba_escalation"}}, _responder("escalation", "dba_escalation"), {"escalated": 1}),
    Case("execute_action", "opsgenie.alert.execute_action", {**DISK, "actionName": "reboot"}, _counted("executed", 1), {"executed": 1}),
    Case("incident_create", "opsgenie.incident.create", {"message": "Down", "serviceId": "service-1"}, _has("incidents", "message", "Down"), {"incidents": 1}),
    Case(
        "rotation_create", "opsgenie.schedule.create_rotation", {**_NIGHTS, "startDate": "2026-01-01T00:00:00Z", "type": "daily", "participants": [{"type": "none"}]},
        _counted("rotations", 2), {"rotations": 1},
    ),
    Case("override_create", "opsgenie.schedule.create_override", {**_NIGHTS, "alias": "new", **_OVERRIDE}, _overridden("new", "2030"), {"overrides": 1}),
    # delete
    Case("delete", "opsgenie.alert.delete", DISK, lambda account: not _disk(account)["fields"]),
    Case("incident_delete", "opsgenie.incident.delete", {"identifier": "1", "identifierType": "tiny"}, lambda account: not account["incidents"]),
    Case("user_delete", "opsgenie.user.delete", {"identifier": "ben@example.com"}, _gone("users", "username", "ben@example.com")),
    Case("team_delete", "opsgenie.team.delete", {"identifier": "spare", "identifierType": "name"}, _gone("teams", "name", "spare")),
    Case(
        "team_remove_member", "opsgenie.team.remove_member",
        {"identifier": "dba", "teamIdentifierType": "name", "memberIdentifier": "ana@example.com"},
        lambda account: not _usernames(_team(account, "dba")),
    ),
    Case("heartbeat_delete", "opsgenie.heartbeat.delete", {"name": "backup"}, _gone("heartbeats", "name", "backup")),
    Case("schedule_delete", "opsgenie.schedule.delete", {"identifier": "nights", "identifierType": "name"}, _gone("schedules", "name", "nights")),
    Case("override_delete", "opsgenie.schedule.delete_override", {**_NIGHTS, "alias": "leave"}, lambda account: census(account)["overrides"] == 0),
    # clash
    Case("user_create", "opsgenie.user.create", _NEW_USER, _has("users", "username", "eve@example.com"), {"users": 1, "contacts": 1}),
    Case(
        "contact_create", "opsgenie.contact.create", {"identifier": "ben@example.com", "method": "sms", "to": "1-5550100"},
        lambda account: any(one["to"] == "1-5550100" for contacts in account["contacts"].values() for one in contacts), {"contacts": 1},
    ),
    Case("team_create", "opsgenie.team.create", {"name": "new"}, _has("teams", "name", "new"), {"teams": 1}),
    Case("role_create", "opsgenie.role.create", {"name": "reader", "extendedRole": "user"}, _has("roles", "name", "reader"), {"roles": 1}),
    Case(
        "saved_search_create", "opsgenie.alert.create_saved_search",
        {"name": "mine", "query": "status:open", "owner": {"username": "ana@example.com"}}, _has("saved_searches", "name", "mine"), {"saved_searches": 1},
    ),
    Case(
        "heartbeat_create", "opsgenie.heartbeat.create", {"name": "new", "interval": 1, "intervalUnit": "hours", "enabled": True},
        _has("heartbeats", "name", "new"), {"heartbeats": 1},
    ),
    Case(
        "schedule_create", "opsgenie.schedule.create",
        {"name": "new", "rotations": [{"startDate": "2026-01-01T01:00:00+01:00", "type": "daily", "participants": [{"type": "user", "username": "ana@example.com"}]}]},
        _has("schedules", "name", "new"), {"schedules": 1, "rotations": 1},
    ),
    # safe
    Case("get", "opsgenie.alert.get", DISK, right=lambda outputs: outputs["message"] == "Disk full"),
    Case("list", "opsgenie.alert.list", {"query": "status:open"}, right=lambda outputs: outputs["count"] == len({one["id"] for one in outputs["items"]}) == 130, state=CROWD),
    Case("count", "opsgenie.alert.count", {}, right=lambda outputs: outputs["count"] == 1),
    Case("list_logs", "opsgenie.alert.list_logs", DISK, right=lambda outputs: outputs["count"] == 1),
    Case("user_get", "opsgenie.user.get", {"identifier": "ana@example.com"}, right=lambda outputs: outputs["username"] == "ana@example.com"),
    Case("team_get", "opsgenie.team.get", {"identifier": "dba", "identifierType": "name"}, right=lambda outputs: outputs["name"] == "dba"),
    Case("heartbeat_list", "opsgenie.heartbeat.list", {}, right=lambda outputs: [one["name"] for one in outputs["items"]] == ["backup"]),
    Case("on_calls", "opsgenie.schedule.get_on_calls", {**_NIGHTS, "flat": True}, right=lambda outputs: outputs["onCallRecipients"] == ["ana@example.com"]),
    Case("next_on_calls", "opsgenie.schedule.get_next_on_calls", _NIGHTS, right=lambda outputs: outputs["nextOnCallRecipients"] == []),
    Case("schedule_export", "opsgenie.schedule.export", {"identifier": "nights", "identifierType": "name"}, right=lambda outputs: "SUMMARY:ana@example.com" in outputs["content"]),
    # of several operations
    Case(
        "route", "opsgenie.alert.route",
        {**DISK, "rules": [{"priority": "P1", "tags": ["db"], "note": "Routed", "to": [{"type": "escalation", "name": "dba_escalation"}]}]},
        _both(_field("priority", "P1"), _field("tags", ["old", "db"]), _responder("escalation", "dba_escalation")), {"escalated": 1, "notes": 1},
        strikes="opsgenie.alert.escalate",
    ),
    Case(
        "route_tags", "opsgenie.alert.route",
        {**DISK, "rules": [{"tags": ["db"], "note": "Routed", "to": [{"type": "team", "name": "sre"}]}]},
        _both(_field("tags", ["old", "db"]), _responder("team", "sre"), _noted("Routed")), {"notes": 1}, strikes="opsgenie.alert.add_tags",
    ),
    Case(
        "update", "opsgenie.alert.update", {**DISK, "message": "Worse", "priority": "P2", "tags": ["new"]},
        _both(_field("message", "Worse"), _field("priority", "P2"), _field("tags", ["new"])), strikes="opsgenie.alert.remove_tags",
    ),
    Case(
        "ensure", "opsgenie.user.ensure",
        {**_NEW_USER, "contacts": [{"method": "sms", "to": "1-5550101"}], "teams": [{"name": "sre"}]},
        _both(_has("users", "username", "eve@example.com"), lambda account: "eve@example.com" in _usernames(_team(account, "sre"))),
        {"users": 1, "contacts": 2, "members": 1}, strikes="opsgenie.user.create",
    ),
    Case(
        "ensure_contact", "opsgenie.user.ensure",
        {**_NEW_USER, "contacts": [{"method": "sms", "to": "1-5550101"}], "teams": [{"name": "sre"}]},
        _both(_has("users", "username", "eve@example.com"), lambda account: "eve@example.com" in _usernames(_team(account, "sre"))),
        {"users": 1, "contacts": 2, "members": 1}, strikes="opsgenie.contact.create",
    ),
)  # fmt: skip

CASES = {case.name: case for case in _ALL}
"""By name."""
