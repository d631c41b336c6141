"""A connection whose operations are small functions over plain dicts."""

from __future__ import annotations

import copy

import pytest

from engine.contracts import Deferred
from engine.errors import Refused
from engine.template.unknown import Unknown
from steps.opsgenie.operations import OPERATIONS


class Service:
    """Alerts and users, as far as the composites use them; keeps every write it was told."""

    def __init__(self):
        self.alert = {
            "id": "a1", "message": "m", "description": "d", "priority": "P3", "tags": ["x"], "details": {"k": "v"},
            "responders": [{"type": "team", "id": "t1"}],
        }  # fmt: skip
        self.users, self.contacts, self.teams, self.duties = {}, {}, {}, {"escalations": [], "schedules": []}
        self.sent, self.notes, self.planning = [], [], False

    def add_user(self, username, **fields):
        self.users[username] = {"id": "id-" + username, "username": username, **fields}
        self.contacts[username] = [{"id": "c0", "method": "email", "to": username}]

    def user(self, identifier):
        found = next((user for user in self.users.values() if identifier in (user["id"], user["username"])), None)
        if found is None:
            raise Refused("User does not exist", status=404)
        return found

    def perform(self, operation, given, context):
        assert operation is OPERATIONS[operation.name]
        if operation.effect == "write":
            self.sent.append((operation.name.removeprefix("opsgenie."), given))
            if context.planning:
                return {name: context.unknown(schema, name) for name, schema in operation.outputs["properties"].items()}
        name = operation.name.removeprefix("opsgenie.").replace(".", "_")
        return copy.deepcopy(getattr(self, name)(**given)) or {}

    def alert_get(self, identifier, identifierType="id"):
        if identifier not in (self.alert["id"], "alias"):
            raise Refused("Alert does not exist", status=404)
        return self.alert

    def alert_update_message(self, identifier, **fields):
        self.alert |= fields

    alert_update_description = alert_update_priority = alert_update_message

    def alert_add_tags(self, identifier, tags, note=None):
        self.alert["tags"] += [tag for tag in tags if tag not in self.alert["tags"]]

    def alert_remove_tags(self, identifier, tags):
        self.alert["tags"] = [tag for tag in self.alert["tags"] if tag not in tags]

    def alert_add_details(self, identifier, details):
        self.alert["details"] |= details

    def alert_remove_details(self, identifier, keys):
        self.alert["details"] = {key: value for key, value in self.alert["details"].items() if key not in keys}

    def alert_add_responder(self, identifier, responder, note=None):
        self.alert["responders"].append(responder)

    def alert_escalate(self, identifier, escalation, note=None):
        pass

    def alert_list_notes(self, identifier, limit, order):
        return self.items(self.notes)

    def user_get(self, identifier):
        return self.user(identifier)

    def user_create(self, username, **fields):
        self.add_user(username, **fields)
        return self.users[username]

    def user_update(self, identifier, **fields):
        self.user(identifier).update(fields)

    def user_delete(self, identifier):
        del self.users[self.user(identifier)["username"]]

    def contact_list(self, identifier):
        return self.items(self.contacts[self.user(identifier)["username"]])

    def contact_create(self, identifier, method, to):
        self.contacts[identifier].append({"method": method, "to": to})

    def user_list_teams(self, identifier):
        name = self.user(identifier)["username"]
        return self.items([{"id": "id-" + team, "name": team} for team, members in self.teams.items() if name in members])

    def user_list_escalations(self, identifier):
        return self.items(self.duties["escalations"])

    def user_list_schedules(self, identifier):
        return self.items(self.duties["schedules"])

    def team_get(self, identifier, identifierType="id"):
        name = identifier if identifierType == "name" else identifier.removeprefix("id-")
        found = next((team for team in self.teams if team.casefold() == name.casefold()), None)
        if found is None:
            raise Refused("Team does not exist", status=404)
        return {"id": "id-" + found, "name": found}

    def team_add_member(self, identifier, user, teamIdentifierType="id", role="user"):
        self.teams[identifier if teamIdentifierType == "name" else identifier.removeprefix("id-")].append(user["username"])

    def team_remove_member(self, identifier, memberIdentifier):
        self.teams[identifier.removeprefix("id-")].remove(self.user(memberIdentifier)["username"])

    def items(self, items):
        return {"items": items, "count": len(items)}


class Ignorant(Service):
    """A service of a plan without network: every read answers with placeholders."""

    def perform(self, operation, given, context):
        if operation.effect == "write":
            self.sent.append((operation.name.removeprefix("opsgenie."), given))
        return context.unknown(operation.outputs, operation.name)


class Context:
    def __init__(self, service, planning=False, attempt=1):
        self.service, self.planning, self.attempt = service, planning, attempt

    def connection(self):
        return self.service

    def unknown(self, schema, name=""):
        assert self.planning, "nothing is unknown in a real run"
        return Unknown(name, schema)


class Late(Deferred):
    """A part of a rule: a value, or what to make of the alert."""

    def __init__(self, made):
        self.made = made

    def resolve(self, **names):
        return self.made(**names) if callable(self.made) else self.made


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def run(service):
    """Performs a step; returns its outputs and what was written."""

    def perform(step, *, planning=False, attempt=1, **given):
        before = len(service.sent)
        outputs = step.perform(given, Context(service, planning, attempt))
        return outputs, service.sent[before:]

    return perform


@pytest.fixture
def plan_offline():
    def perform(step, **given):
        service = Ignorant()
        return step.perform(given, Context(service, planning=True)), service.sent

    return perform


@pytest.fixture
def rule():
    return lambda **parts: {name: part if name == "name" else Late(part) for name, part in parts.items()}


@pytest.fixture(scope="session")
def new_service():
    """Makes a service and a context on it, for each example of a property."""
    return lambda: (service := Service(), Context(service))


class EmulatedContext(Context):
    """A context over the real connection and the emulator."""

    identity, timeout = "book/r1/s", 30.0

    def __init__(self, state, planning=False):
        from datetime import UTC, datetime

        from engine.system.clock import VirtualClock
        from engine.secret import Credential, Secret
        from steps.opsgenie.attempt import Service as Shared
        from steps.opsgenie.buckets import Buckets
        from steps.opsgenie.connection import Connection
        from steps.opsgenie.emulator import Emulator, EmulatorTransport
        from steps.opsgenie.keys import Key, KeyRing

        self.clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.emulator = Emulator(clock=self.clock, state=state)
        values = {key.kind: key.value for key in self.emulator.keys}
        ring = KeyRing("c", [Key(kind, kind) for kind in values], lambda kind: Credential(kind, lambda known: Secret(values[known], known)))
        shared = Shared("c", "https://api.example.com", "us", ring, Buckets(), EmulatorTransport(self.emulator))
        super().__init__(Connection(shared), planning)
        self.written = []

    def call(self, call, send):
        if call.effect == "write":
            self.written.append(call.action.removeprefix("opsgenie."))
            if self.planning:
                return None
        return send()


@pytest.fixture
def emulated():
    return EmulatedContext
