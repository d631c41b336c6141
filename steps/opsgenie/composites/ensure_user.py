"""`opsgenie.user.ensure`: creates a user, or brings one into line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts import Schema, StepContext
from engine.errors import StepError
from steps.fields import flag, list_of, needs_one_of, one_of, record, text
from steps.opsgenie.composite import TEXT, Composite, look_up, may_be_set, part, perform
from steps.opsgenie.operations import OPERATIONS
from steps.step import known

_CREATE = OPERATIONS["opsgenie.user.create"]
_COMPARED = tuple(name for name in _CREATE.body if name not in ("username", "invitationDisabled"))
_CONTACT = record(required=("method", "to"), **OPERATIONS["opsgenie.contact.create"].body)
_TEAM = record(id=text(min_length=1), name=text(min_length=1), role=text()) | {"allOf": [needs_one_of("id", "name")]}


class EnsureUser(Composite):
    """Creates a user when there is none of that username, else updates the fields that differ; adds missing contacts and memberships.

    Fields that are not given stay as they are; `invitationDisabled` counts at creation only. Contacts are never taken away, and are the
    same when method and address are, however a telephone number is punctuated. A team's `role` counts when the membership is made.
    `remove_from_other_teams` ends the memberships that `teams` does not list. Team names count in any case; a team that is not there
    fails the step before anything is written.
    """

    name = "opsgenie.user.ensure"
    summary = "Creates a user or changes what differs, with contacts and team memberships."
    idempotency = "repeatable"
    rate_limit_domain = "configuration"
    operations = (
        "opsgenie.user.get",
        "opsgenie.user.create",
        "opsgenie.user.update",
        "opsgenie.contact.list",
        "opsgenie.contact.create",
        "opsgenie.user.list_teams",
        "opsgenie.team.get",
        "opsgenie.team.add_member",
        "opsgenie.team.remove_member",
    )
    inputs = record(
        required=_CREATE.required,
        **_CREATE.body,
        contacts=list_of(_CONTACT),
        teams=list_of(_TEAM),
        remove_from_other_teams=flag(),
    )

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Who it is, and what was done; teams by the name or id they were given, or are known, by."""
        del written
        fields = {
            "id": text(),
            "username": text(),
            "created": flag(),
            "changed": list_of(one_of(*_COMPARED)),
            "contacts_added": list_of(_CONTACT),
            "teams_added": list_of(text()),
            "teams_removed": list_of(text()),
        }
        return record(required=tuple(fields), **fields)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Reads, compares, writes. Raises StepError."""
        username = given["username"]
        found = look_up(context, "opsgenie.user.get", identifier=username)
        joining, leaving = _memberships(given, context, new=found is None)
        user = found
        if found is None or not known(part(found, "id")):
            user = perform(context, "opsgenie.user.create", **{name: given[name] for name in _CREATE.body if name in given})
        changed = [] if found is None else _update(found, given, context)
        done = {
            "created": found is None,
            "changed": changed,
            "contacts_added": _add_contacts(given, context, new=found is None),
            "teams_added": _join(joining, username, context),
            "teams_removed": _leave(leaving, username, context),
        }
        if not (found is None or known(found)):
            done = self.unknown_outputs(given, context)
        return done | {"id": part(user, "id"), "username": username}


def _update(user: Any, given: Mapping[str, Any], context: StepContext) -> list[str]:
    """Sends the fields that differ, in one request, and returns their names."""
    changes = {name: given[name] for name in _COMPARED if name in given and _field_differs(name, part(user, name), given[name])}
    if changes:
        perform(context, "opsgenie.user.update", identifier=given["username"], **changes)
    return list(changes)


def _field_differs(name: str, current: Any, wanted: Any) -> bool:
    if not (known(current) and known(wanted)):
        return True
    if name == "role":  # the service answers `Admin` for the `admin` it takes
        return any(str((current or {}).get(key, "")).casefold() != value.casefold() for key, value in wanted.items())
    if name == "userAddress":
        return any((current or {}).get(key) != value for key, value in wanted.items())
    if name == "tags":
        return set(current or ()) != set(wanted)
    return bool((current or type(wanted)()) != wanted)


def _add_contacts(given: Mapping[str, Any], context: StepContext, *, new: bool) -> list[Any]:
    """Adds the missing contacts; a new user is reached by mail at their username."""
    wanted, username = given.get("contacts", []), given["username"]
    if not isinstance(wanted, list) or not wanted:
        return []
    if new:
        current: Any = [{"method": "email", "to": username}]
    else:
        current = part(perform(context, "opsgenie.contact.list", identifier=username), "items")
    there = {_address(contact) for contact in current} if known(current) else set()
    missing = []
    for contact in wanted:
        if known(contact):
            if _address(contact) in there:
                continue
            there.add(_address(contact))
        missing.append(contact)
        perform(context, "opsgenie.contact.create", identifier=username, method=part(contact, "method"), to=part(contact, "to"))
    return missing


def _address(contact: Mapping[str, Any]) -> tuple[str, str]:
    method, to = contact["method"], contact["to"]
    return method, re.sub(r"\D", "", to) if method in ("sms", "voice") else to.casefold()


def _memberships(given: Mapping[str, Any], context: StepContext, *, new: bool) -> tuple[list[Any], list[Any]]:
    """The teams to join, each of which is there, and, when asked, those to leave. Raises StepError, before anything is written."""
    wanted, username, strict = given.get("teams", []), given["username"], given.get("remove_from_other_teams", False)
    if not isinstance(wanted, list) or not (wanted or may_be_set(strict)):
        return [], []
    current = [] if new else part(perform(context, "opsgenie.user.list_teams", identifier=username), "items")
    missing = [team for team in wanted if not (known([team, current]) and any(_same(team, other) for other in current))]
    for team in missing:
        _check_team(team, context)
    return missing, _others(current, wanted, context) if may_be_set(strict) else []


def _check_team(team: Any, context: StepContext) -> None:
    """Raises StepError for a team that is not there; in planning an earlier step may make it."""
    by_id = not isinstance(team, Mapping) or "id" in team
    which = {"identifier": part(team, "id")} if by_id else {"identifier": team["name"], "identifierType": "name"}
    if look_up(context, "opsgenie.team.get", **which) is None and not context.planning:
        raise StepError(
            f"there is no team {_label(team)}; nothing was changed",
            code="no_such_team",
            status=404,
            again="never",
            hint="create the team first, or correct its name",
        )


def _others(current: Any, wanted: Sequence[Any], context: StepContext) -> list[Any]:
    """The memberships that are not wanted."""
    if not known([current, *wanted]):
        return [context.unknown(TEXT, "a team that is not listed")]
    return [team for team in current if not any(_same(team, other) for other in wanted)]


def _same(team: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return any(name in team and name in other and team[name].casefold() == other[name].casefold() for name in ("id", "name"))


def _join(teams: Sequence[Any], username: Any, context: StepContext) -> list[Any]:
    for team in teams:
        by_id = not isinstance(team, Mapping) or "id" in team
        which = {"identifier": part(team, "id")} if by_id else {"identifier": team["name"], "teamIdentifierType": "name"}
        role = {"role": team["role"]} if isinstance(team, Mapping) and "role" in team else {}
        perform(context, "opsgenie.team.add_member", **which, user={"username": username}, **role)
    return [_label(team) for team in teams]


def _leave(teams: Sequence[Any], username: Any, context: StepContext) -> list[Any]:
    for team in teams:
        perform(context, "opsgenie.team.remove_member", identifier=part(team, "id"), memberIdentifier=username)
    return [_label(team) for team in teams]


def _label(team: Any) -> Any:
    return part(team, "name") or part(team, "id") if known(team) else team
