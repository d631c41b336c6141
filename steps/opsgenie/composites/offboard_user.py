"""`opsgenie.user.offboard`: takes a user out of their teams, and out of the account when asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Schema, StepContext
from engine.errors import StepError
from steps.fields import flag, list_of, record, text
from steps.opsgenie.composite import TEXT, Composite, look_up, may_be_set, part, perform
from steps.step import known

_NAMED = record(id=text(), name=text())


class OffboardUser(Composite):
    """Ends a user's team memberships and, with `delete: true`, removes the user; a user who is gone already is a success.

    Escalations and schedules that name the user are reported and left as they are: who takes the turns is a person's decision. While
    there are any, `delete` is refused before anything is changed, since it would leave holes in the on-call duty. `keep_teams` lists
    teams, by id or name in any case, to stay in.
    """

    name = "opsgenie.user.offboard"
    summary = "Takes a user out of their teams and, when asked, out of the account."
    idempotency = "repeatable"
    rate_limit_domain = "configuration"
    operations = (
        "opsgenie.user.get",
        "opsgenie.user.list_teams",
        "opsgenie.user.list_escalations",
        "opsgenie.user.list_schedules",
        "opsgenie.team.remove_member",
        "opsgenie.user.delete",
    )
    inputs = record(required=("identifier",), identifier=text(min_length=1), delete=flag(), keep_teams=list_of(text(min_length=1)))

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Who it is, what was done, and where the user still stands; a user who was not found has no id."""
        del written
        fields = {
            "id": text(),
            "username": text(),
            "found": flag(),
            "changed": flag(),
            "teams_removed": list_of(text()),
            "escalations": list_of(_NAMED),
            "schedules": list_of(_NAMED),
            "deleted": flag(),
        }
        return record(required=tuple(name for name in fields if name != "id"), **fields)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Reads, then writes. Raises StepError."""
        user = look_up(context, "opsgenie.user.get", identifier=given["identifier"])
        if user is None:
            nothing: dict[str, Any] = {"teams_removed": [], "escalations": [], "schedules": []}
            return nothing | {"username": given["identifier"], "found": False, "changed": False, "deleted": False}
        identifier, delete = part(user, "id"), given.get("delete", False)
        teams, escalations, schedules = (_items(context, kind, identifier) for kind in ("teams", "escalations", "schedules"))
        if known(delete) and delete:
            _check_duties(escalations, schedules)
        leaving = _leaving(teams, given.get("keep_teams", []), context)
        for team in leaving:
            perform(context, "opsgenie.team.remove_member", identifier=part(team, "id"), memberIdentifier=identifier)
        if may_be_set(delete):
            perform(context, "opsgenie.user.delete", identifier=identifier)
        if not known([user, teams, escalations, schedules, delete]):
            return self.unknown_outputs(given, context)
        return {
            "id": identifier,
            "username": user["username"],
            "found": True,
            "changed": bool(leaving or delete),
            "teams_removed": [team["name"] for team in leaving],
            "escalations": _named(escalations),
            "schedules": _named(schedules),
            "deleted": bool(delete),
        }


def _items(context: StepContext, kind: str, identifier: Any) -> Any:
    return part(perform(context, f"opsgenie.user.list_{kind}", identifier=identifier), "items")


def _check_duties(escalations: Any, schedules: Any) -> None:
    duties = [item["name"] for items in (escalations, schedules) if known(items) for item in items]
    if duties:
        raise StepError(
            f"the user still stands in {', '.join(duties)}, so deleting would leave holes; nothing was changed",
            code="still_on_duty",
            again="never",
            hint="put somebody else there first, or delete with opsgenie.user.delete",
        )


def _leaving(teams: Any, kept: Any, context: StepContext) -> list[Any]:
    if not known([teams, kept]):
        return [context.unknown(TEXT, "a team of the user")]
    names = {name.casefold() for name in kept}
    return [team for team in teams if names.isdisjoint((team["id"].casefold(), team["name"].casefold()))]


def _named(items: Any) -> list[dict[str, Any]]:
    return [{"id": item["id"], "name": item["name"]} for item in items]
