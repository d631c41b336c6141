"""Every operation of Opsgenie's API that is a step: one file of rows a domain, and the tables that list them."""

from __future__ import annotations

from steps.operation import Operation
from steps.opsgenie.operations import (
    account,
    alert_attachments,
    alerts,
    contacts,
    heartbeats,
    incidents,
    on_calls,
    overrides,
    roles,
    rotations,
    saved_searches,
    schedules,
    team_members,
    teams,
    users,
)

DOMAINS: dict[str, tuple[Operation, ...]] = {
    "account": account.ROWS,
    "alert_attachments": alert_attachments.ROWS,
    "alerts": alerts.ROWS,
    "contacts": contacts.ROWS,
    "heartbeats": heartbeats.ROWS,
    "incidents": incidents.ROWS,
    "on_calls": on_calls.ROWS,
    "overrides": overrides.ROWS,
    "roles": roles.ROWS,
    "rotations": rotations.ROWS,
    "saved_searches": saved_searches.ROWS,
    "schedules": schedules.ROWS,
    "team_members": team_members.ROWS,
    "teams": teams.ROWS,
    "users": users.ROWS,
}
"""The rows of each domain, by the name of its module."""

OPERATIONS: dict[str, Operation] = {
    row.name: row for row in sorted((row for rows in DOMAINS.values() for row in rows), key=lambda row: row.name)
}
"""Every row by the name of its step."""
