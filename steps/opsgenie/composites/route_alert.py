"""`opsgenie.alert.route`: sends an alert to whom the first matching rule names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from engine.contracts import Schema, StepContext
from engine.errors import StepError
from steps.fields import list_of, needs_one_of, one_of, record, text
from steps.opsgenie.composite import Composite, alert_id, differs, may_be_set, part, perform, read_alert
from steps.opsgenie.operations import OPERATIONS
from steps.step import known

_GET = OPERATIONS["opsgenie.alert.get"]
_CREATE = OPERATIONS["opsgenie.alert.create"].body
_PRIORITY = _CREATE["priority"]
_NAMED_BY = {"team": "name", "user": "username", "escalation": "name", "schedule": "name"}
"""What a recipient of each kind is named by, if not by id."""
_RECIPIENT = record(required=("type",), type=one_of(*_NAMED_BY), id=text(), name=text(), username=text()) | {
    "allOf": [
        {"if": {"required": ["type"], "properties": {"type": {"const": kind}}}, "then": needs_one_of("id", name)}
        for kind, name in _NAMED_BY.items()
    ]
}
_ACTIONS = ("to", "priority", "tags", "note")


def _with_alert(schema: Schema) -> dict[str, Any]:
    """A field whose text may name `alert`."""
    return {**schema, "x-binds": {"alert": _GET.data}}


_RULE = record(
    (),
    name=text(),
    to=_with_alert(list_of(_RECIPIENT, min_items=1)),
    priority=_with_alert(_PRIORITY),
    tags=_with_alert(_CREATE["tags"]),
    note=_with_alert(text(min_length=1)),
    **{"if": _with_alert({"type": "boolean", "format": "expression"})},
) | {"allOf": [needs_one_of("to", "priority", "tags"), {"if": {"required": ["note"]}, "then": needs_one_of("to", "tags")}]}
_NOT_LAST = {"required": ["if"], "x-rule": "has no `if`, so no rule after it can match; give it one, or put it last"}


class RouteAlert(Composite):
    """Reads an alert, takes the first rule whose `if` holds (a rule without `if` always does, and stands last), and applies it.

    A rule may set the priority, add tags, and name recipients: an escalation is started, a team, a user or a schedule becomes a
    responder. What the alert has already (the priority, a tag, a responder the service shows by the same id, name or username) is not
    sent again. `note` goes with the first request that adds tags or recipients.
    """

    name = "opsgenie.alert.route"
    summary = "Hands an alert to the recipients of the first rule that matches it."
    idempotency = "once"
    rate_limit_domain = "alert"
    operations = (
        "opsgenie.alert.get",
        "opsgenie.alert.list_notes",
        "opsgenie.alert.update_priority",
        "opsgenie.alert.add_tags",
        "opsgenie.alert.add_responder",
        "opsgenie.alert.escalate",
    )
    inputs = record(
        required=("identifier", "rules"),
        identifier=text(min_length=1),
        identifierType=_GET.query["identifierType"],
        rules=list_of(_RULE, min_items=1) | {"x-before-last": _NOT_LAST},
    )

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Which rule matched (counted from 0, null for none), and what it named; `priority` is the alert's own afterwards."""
        del written
        fields = {
            "alertId": text(),
            "matched": {"type": "boolean"},
            "rule": {"type": ["integer", "null"]},
            "name": {"type": ["string", "null"]},
            "to": list_of(_RECIPIENT),
            "priority": _PRIORITY,
        }
        return record(required=tuple(fields), **fields)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Reads, decides, writes. Raises StepError."""
        alert = read_alert(context, given)
        identifier, rules = alert_id(alert, given), given["rules"]
        if not isinstance(rules, list):
            return self.unknown_outputs(given, context) | {"alertId": identifier}
        candidates = list(_candidates(rules, alert))
        actions = [(index, _actions(rules[index], alert, context)) for index, _ in candidates]
        for _, rule in actions:
            _apply(rule, alert, identifier, context)
        if any(holds is None for _, holds in candidates):
            return self.unknown_outputs(given, context) | {"alertId": identifier}
        return {"alertId": identifier} | _outputs(rules, alert, *actions[:1])


def _candidates(rules: Sequence[Mapping[str, Any]], alert: Any) -> Iterator[tuple[int, bool | None]]:
    """The first rule that holds, as (index, True); in planning, before it, those of which only a real run knows (index, None)."""
    for index, rule in enumerate(rules):
        holds = _holds(rule, alert)
        if holds is not False:
            yield index, holds
        if holds:
            return


def _holds(rule: Mapping[str, Any], alert: Any) -> bool | None:
    if "if" not in rule:
        return True
    holds = _resolve(rule["if"], alert, object)
    return holds is True if known(holds) else None


def _resolve(deferred: Any, alert: Any, otherwise: Callable[[], Any]) -> Any:
    """The value, or a stand-in where planning cannot decide on it; rules out of a template hold plain values."""
    if known(deferred):
        return deferred
    try:
        return deferred.resolve(alert=alert)
    except Exception as exc:
        if getattr(exc, "unknown", False):
            return otherwise()
        raise


def _actions(rule: Mapping[str, Any], alert: Any, context: StepContext) -> dict[str, Any]:
    """What a rule says to do, with every value rendered; what renders to null is left out."""
    values = {
        name: _resolve(rule[name], alert, partial(context.unknown, schema, name))
        for name, schema in _RULE["properties"].items()
        if name in _ACTIONS and name in rule
    }
    if known(values.get("to")):
        _check_recipients(values.get("to"))
    return {name: value for name, value in values.items() if value is not None}


def _check_recipients(recipients: Any) -> None:
    """The schema of `with` cannot: what names the alert is rendered after it was checked."""
    if not (isinstance(recipients, list | None) and all(_is_recipient(one) for one in recipients or ())):
        raise StepError(
            "`to` of the rule that matched is not a list of recipients",
            code="invalid_rules",
            again="never",
            hint=f"give each a type ({', '.join(_NAMED_BY)}) and an id or name, a user an id or username",
        )


def _is_recipient(one: Any) -> bool:
    kind = one.get("type") if isinstance(one, Mapping) else None
    return kind in _NAMED_BY and bool(one.get("id") or one.get(_NAMED_BY[kind]))


def _apply(rule: Mapping[str, Any], alert: Any, identifier: Any, context: StepContext) -> None:
    if "priority" in rule and differs(part(alert, "priority"), rule["priority"]):
        perform(context, "opsgenie.alert.update_priority", identifier=identifier, priority=rule["priority"])
    note = {"note": rule["note"]} if "note" in rule and not _left(rule["note"], identifier, context) else {}
    for name, fields in (*_tagging(rule, alert), *_routing(rule, alert)):
        perform(context, name, identifier=identifier, **fields, **note)
        note = {}


def _left(note: Any, identifier: Any, context: StepContext) -> bool:
    """Whether an earlier attempt of this step got as far as leaving the note."""
    if context.attempt == 1:
        return False
    notes = part(perform(context, "opsgenie.alert.list_notes", identifier=identifier, limit=100, order="desc"), "items")
    return any(entry.get("note") == note for entry in notes)


def _tagging(rule: Mapping[str, Any], alert: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    wanted, current = rule.get("tags", []), part(alert, "tags", [])
    missing = [tag for tag in dict.fromkeys(wanted) if tag not in current] if known([wanted, current]) else wanted
    if may_be_set(missing):
        yield "opsgenie.alert.add_tags", {"tags": missing}


def _routing(rule: Mapping[str, Any], alert: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    recipients, current = rule.get("to", []), part(alert, "responders", [])
    if not isinstance(recipients, list):
        yield "opsgenie.alert.add_responder", {"responder": recipients}
        return
    for recipient in recipients:
        if not differs(part(recipient, "type"), "escalation"):
            yield "opsgenie.alert.escalate", {"escalation": recipient}
        elif not (known([recipient, current]) and any(_same(responder, recipient) for responder in current)):
            yield "opsgenie.alert.add_responder", {"responder": recipient}


def _same(responder: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether both are the same one, as far as the service shows it; it takes names in any case."""
    shared = [name for name in ("id", "name", "username") if name in wanted and name in responder]
    return responder.get("type") == wanted["type"] and any(responder[name].casefold() == wanted[name].casefold() for name in shared)


def _outputs(rules: Sequence[Mapping[str, Any]], alert: Any, applied: tuple[int, Mapping[str, Any]] | None = None) -> dict[str, Any]:
    index, rule = applied or (None, {})
    return {
        "matched": index is not None,
        "rule": index,
        "name": None if index is None else rules[index].get("name"),
        "to": rule.get("to", []),
        "priority": rule.get("priority", part(alert, "priority")),
    }
