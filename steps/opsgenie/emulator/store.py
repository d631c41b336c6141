"""Everything the emulated account holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from steps.opsgenie.emulator.moments import read, written
from steps.opsgenie.emulator.stable import stable_uuid

Entity = dict[str, Any]


@dataclass(slots=True)
class Alert:
    """One alert.

    Attributes:
        fields: what the service shows of it, apart from what depends on the moment.
        responders, visible_to: `{type, id, name}`; the name is not shown.
        integration: id of the integration that made it; empty when a person did.
        notes, logs, attachments: in the order they were made.
    """

    fields: Entity
    responders: list[Entity] = field(default_factory=list)
    visible_to: list[Entity] = field(default_factory=list)
    integration: str = ""
    notes: list[Entity] = field(default_factory=list)
    logs: list[Entity] = field(default_factory=list)
    attachments: list[Entity] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return bool(self.fields["status"] == "open")

    def snoozed(self, now: datetime) -> bool:
        """Whether its snooze still lasts."""
        until = self.fields.get("snoozedUntil")
        return self.open and until is not None and read(until) > now

    def teams(self) -> list[Entity]:
        """Responders that are teams."""
        return [one for one in self.responders if one["type"] == "team"]


@dataclass(slots=True)
class Incident:
    """One incident; `fields` is what the service shows."""

    fields: Entity
    notes: list[Entity] = field(default_factory=list)
    logs: list[Entity] = field(default_factory=list)


@dataclass(slots=True)
class Heartbeat:
    """One heartbeat.

    Attributes:
        fields: what the service shows; `lastPingTime` is missing until the first ping.
        since: when it was last changed or switched on or off.
        alert: id of the alert that its expiry opened; empty once it was pinged.
    """

    fields: Entity
    since: str
    alert: str = ""


@dataclass(slots=True)
class Followed:
    """An accepted request: its request status once it is processed, None until then."""

    follow: str
    outcome: Entity | None = None


@dataclass(slots=True)
class Store:
    """The account's entities by id, in the order they were made, and the counter that every new id is made of.

    Attributes:
        overrides: id of a schedule → alias → override.
    """

    counter: int = 0
    account: Entity = field(default_factory=lambda: {"name": "emulator", "plan": "Enterprise"})
    alerts: dict[str, Alert] = field(default_factory=dict)
    tiny_alerts: int = 0
    incidents: dict[str, Incident] = field(default_factory=dict)
    tiny_incidents: int = 0
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    users: dict[str, Entity] = field(default_factory=dict)
    contacts: dict[str, list[Entity]] = field(default_factory=dict)
    teams: dict[str, Entity] = field(default_factory=dict)
    team_logs: dict[str, list[Entity]] = field(default_factory=dict)
    roles: dict[str, Entity] = field(default_factory=dict)
    schedules: dict[str, Entity] = field(default_factory=dict)
    overrides: dict[str, dict[str, Entity]] = field(default_factory=dict)
    escalations: dict[str, Entity] = field(default_factory=dict)
    services: dict[str, Entity] = field(default_factory=dict)
    saved_searches: dict[str, Entity] = field(default_factory=dict)
    requests: dict[str, Followed] = field(default_factory=dict)

    def new_id(self) -> str:
        """An id no other entity has."""
        self.counter += 1
        return stable_uuid("entity", self.counter)

    def open_alert(self, alias: str) -> Alert | None:
        """The open alert with the alias, of which there is one at most."""
        return next((one for one in reversed(self.alerts.values()) if one.fields["alias"] == alias and one.open), None)

    def heartbeat(self, name: str) -> Heartbeat | None:
        """The heartbeat of that name, in any case."""
        return next((one for one in self.heartbeats.values() if one.fields["name"].casefold() == name.casefold()), None)

    def offset(self, now: datetime) -> str:
        """A place in a list of logs or notes, larger than every one before."""
        self.counter += 1
        return f"{int(now.timestamp() * 1000)}{self.counter:06d}"

    def known(self, kind: str, given: Mapping[str, Any]) -> Entity | None:
        """The user, team, schedule, escalation or service given by id, name or username."""
        entities: Mapping[str, Mapping[str, Entity]] = {
            "user": self.users,
            "team": self.teams,
            "schedule": self.schedules,
            "escalation": self.escalations,
            "service": self.services,
        }
        return find(entities.get(kind, {}), given, _label(kind))

    def resolve(self, kind: str, given: Mapping[str, Any]) -> Entity:
        """`{type, id, name}` of a user, team, schedule, escalation or service given by id, name or username.

        Whom nobody knows is taken as well, with an id made of the name: what the service does then is unconfirmed.
        """
        label = _label(kind)
        if found := self.known(kind, given):
            return {"type": kind, "id": found["id"], "name": found[label]}
        name = str(given.get(label) or given.get("name") or given.get("username") or given.get("id") or "")
        return {"type": kind, "id": str(given.get("id") or stable_uuid(kind, name)), "name": name}


def _label(kind: str) -> str:
    return "username" if kind == "user" else "name"


def find(entities: Mapping[str, Entity], given: Mapping[str, Any], label: str) -> Entity | None:
    """The entity with the given id, else the one with the given name (any case)."""
    if given.get("id") in entities:
        return entities[given["id"]]
    wanted = given.get(label)
    return named(entities.values(), label, str(wanted)) if wanted else None


def named(entities: Iterable[Entity], label: str, wanted: str) -> Entity | None:
    """The entity whose `label` is `wanted`, in any case."""
    return next((one for one in entities if one[label].casefold() == wanted.casefold()), None)


def logged(store: Store, now: datetime, **fields: Any) -> Entity:
    """One line of a log or one note."""
    return {**fields, "createdAt": written(now), "offset": store.offset(now)}
