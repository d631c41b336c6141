"""`opsgenie.alert.update`: brings an alert into line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.contracts import Schema, StepContext
from engine.errors import StepError
from steps.fields import list_of, one_of, record, text
from steps.opsgenie.composite import TEXT, Composite, alert_id, differs, may_be_set, part, perform, read_alert
from steps.opsgenie.operations import OPERATIONS
from steps.step import known

_CREATE = OPERATIONS["opsgenie.alert.create"].body
_FIELDS = {name: _CREATE[name] for name in ("message", "description", "priority", "tags", "details")}
_EMPTY: Mapping[str, Any] = {"description": "", "tags": [], "details": {}}


class UpdateAlert(Composite):
    """Reads an alert and sends only what differs from `with`; when nothing does, it writes nothing.

    `tags` and `details` are the wanted whole: what is not listed is taken off. Outputs: the alert's id, the names of the fields that
    were changed, and those fields before and after.
    """

    name = "opsgenie.alert.update"
    summary = "Changes message, description, priority, tags and details of an alert where they differ."
    idempotency = "repeatable"
    rate_limit_domain = "alert"
    operations = (
        "opsgenie.alert.get",
        "opsgenie.alert.update_message",
        "opsgenie.alert.update_description",
        "opsgenie.alert.update_priority",
        "opsgenie.alert.add_tags",
        "opsgenie.alert.remove_tags",
        "opsgenie.alert.add_details",
        "opsgenie.alert.remove_details",
    )
    inputs = record(
        required=("identifier",),
        identifier=text(min_length=1),
        identifierType=OPERATIONS["opsgenie.alert.get"].query["identifierType"],
        **_FIELDS,
    )

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """What was changed, before and after."""
        del written
        fields = record((), **_FIELDS)
        return record(
            required=("alertId", "changed", "before", "after"),
            alertId=text(),
            changed=list_of(one_of(*_FIELDS)),
            before=fields,
            after=fields,
        )

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Reads, compares, writes. Raises StepError."""
        alert = read_alert(context, given)
        identifier = alert_id(alert, given)
        before, after = {}, {}
        for name in (name for name in _FIELDS if name in given):
            current = _current(alert, name)
            if differs(_comparable(current), _comparable(given[name])):
                before[name], after[name] = current, given[name]
                _change(context, identifier, name, current, given[name])
        return {"alertId": identifier, "changed": list(after), "before": before, "after": after}


def _current(alert: Any, name: str) -> Any:
    value = part(alert, name)
    return _EMPTY.get(name) if value is None else value


def _comparable(value: Any) -> Any:
    """The order of tags says nothing, and each counts once."""
    return sorted(set(value)) if isinstance(value, list) and known(value) else value


def _change(context: StepContext, identifier: Any, name: str, current: Any, wanted: Any) -> None:
    if name not in ("tags", "details"):
        perform(context, f"opsgenie.alert.update_{name}", identifier=identifier, **{name: wanted})
        return
    gone, new = _difference(context, current, wanted)
    if may_be_set(gone):
        listed = {"tags": gone} if name == "tags" else {"keys": gone}
        perform(context, f"opsgenie.alert.remove_{name}", identifier=identifier, **listed)
    if may_be_set(new):
        perform(context, f"opsgenie.alert.add_{name}", identifier=identifier, **{name: new})


def _difference(context: StepContext, current: Any, wanted: Any) -> tuple[list[Any], Any]:
    """What to take off, by tag or key, and what to put on."""
    if not (known(current) and known(wanted)):
        return [context.unknown(TEXT, "what is no longer wanted")], wanted
    gone = [name for name in current if name not in wanted]
    if any("," in name for name in gone):
        raise StepError(
            "a tag or key with a comma cannot be taken off: the service reads the comma as the start of another",
            code="comma",
            again="never",
            hint="list it in the step, or take it off in Opsgenie itself",
        )
    if isinstance(wanted, Mapping):
        return gone, {key: value for key, value in wanted.items() if current.get(key) != value}
    return gone, [tag for tag in dict.fromkeys(wanted) if tag not in current]
