"""Writes whose answer was lost: what each kind of idempotency allows to find out, and to do.

A write is in doubt from the moment a byte of it may have left until an answer is read; after a crash, a written intent without a result
is the same doubt. Nothing is guessed: what cannot be told apart ends in InDoubt. Settling takes no longer than once more the attempt's
time, and ten seconds or a little more of waiting.

One thing may stand twice: the note of `opsgenie.incident.close`. No row reads an incident's notes, so it is sent again with the change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.contracts import Reply
from engine.errors import AnswerLost, InDoubt, KeyRefused, Refused, Throttled, Unreachable
from steps.operation import Idempotency, Operation
from steps.opsgenie.answers import data_of
from steps.opsgenie.attempt import AHEAD, Attempt, Deadline
from steps.opsgenie.follow import TEN_SECONDS, Unprocessed
from steps.opsgenie.marks import alias_of, source_of
from steps.opsgenie.operations import OPERATIONS

Outputs = Mapping[str, Any]
Write = Callable[[Attempt], Outputs]

ONCE_MORE = (0.5, 1.5)
"""Pauses between looks where ten seconds were waited before."""
PAUSES = (2.0, 8.0)
"""Seconds between the tries to settle a doubt there is nothing to look at for; looking takes its own time."""
MOST = 3
"""How often a write is sent again before a person has to decide."""
SKEW = timedelta(seconds=2)
"""Two dates of the service itself may differ by this: one of them is in whole seconds."""


@dataclass(slots=True)
class Doubt:
    """A write that may or may not have happened.

    Attributes:
        given: with its marks and the resolved id.
        write: sends the write once and waits for its outcome.
        since: when its intent was written, by this machine's clock.
        cause: how the answer was lost.
        accepted: whether the service has it and says that it is not processed yet.
        resent: how often it was sent again.
        looked: whether it was looked for.
        looking, resending: the time of all looks, and of all times it is sent again.
    """

    attempt: Attempt
    given: Mapping[str, Any]
    write: Write
    since: datetime
    cause: str
    accepted: bool
    looking: Deadline
    resending: Deadline
    resent: int = field(default=0, init=False)
    looked: bool = field(default=False, init=False)

    @property
    def operation(self) -> Operation:
        """The operation in doubt."""
        return self.attempt.operation

    def resend(self, most: int = MOST) -> Outputs:
        """The same write once more. Raises AnswerLost when that is in doubt, too, and InDoubt when it was sent again often enough."""
        if self.resent >= (min(most, 1) if self.accepted else most):
            raise _undecided(self, self.cause)
        try:
            return self.write(self.attempt.again(self.resending))
        except AnswerLost:
            self.resent += 1
            raise

    def read(self, name: str, given: Mapping[str, Any]) -> Reply | None:
        """A read of the service; None for 404. Raises InDoubt when it is refused: that says nothing of the write."""
        try:
            reply = self.attempt.look(OPERATIONS[name], given, self.looking).send()
        except Refused as error:
            if error.status != 404:
                raise _undecided(self, f"{self.cause}; looking for it: {error.message}") from error
            return None
        assert reply is not None, "a dry run sends no write that could be in doubt"
        return reply

    def search(self, look: Callable[[Doubt], Outputs | None]) -> Outputs | None:
        """Looks for ten seconds, where that was done before for two, until it is found. Raises InDoubt when the last look got no answer."""
        failed: Unreachable | None = None
        for pause in (0.0, *(ONCE_MORE if self.looked or self.accepted else TEN_SECONDS)):
            self.wait(pause)
            try:
                failed, found = None, look(self)
            except Unreachable as error:
                failed, found = error, None
                if error.again != "safe":
                    break
            if found is not None:
                return found
        self.looked = True
        if failed is not None:
            raise _undecided(self, f"{self.cause}; looking for it: {failed.message}") from failed
        return None

    def wait(self, seconds: float) -> None:
        """Waits; that uses up no time of what comes after."""
        if seconds:
            self.attempt.context.clock.sleep(seconds)
            self.looking.extend(seconds)
            self.resending.extend(seconds)


def settle(attempt: Attempt, given: Mapping[str, Any], write: Write, lost: AnswerLost) -> Outputs:
    """The outputs of a write once it is known to be done once. Raises InDoubt, or Refused when the service now says no."""
    context = attempt.context
    since = lost.since or attempt.sent_at or context.clock.now()
    accepted = isinstance(lost, Unprocessed)
    doubt = Doubt(attempt, given, write, since, lost.message, accepted, Deadline(context.timeout), Deadline(context.timeout))
    context.log(f"{lost.message}; finding out whether it was done", "warning")
    for pause in (*PAUSES, 0.0):
        try:
            return _rule(doubt)(doubt)
        except AnswerLost as error:
            doubt.cause, doubt.accepted = error.message, doubt.accepted or isinstance(error, Unprocessed)
            doubt.wait(0.0 if doubt.looked or doubt.accepted else pause)
        except Throttled as error:
            doubt.wait(error.retry_after or pause)
        except KeyRefused as error:
            raise _undecided(doubt, error.message) from error
        except Unreachable as error:
            if error.again != "safe":
                break
            doubt.wait(pause)
    raise _undecided(doubt, doubt.cause)


def _resend(doubt: Doubt) -> Outputs:
    """Doing it twice is doing it once."""
    return doubt.resend()


def _keyed(doubt: Doubt) -> Outputs:
    """Looks for the alert by its alias, then by its source among the closed; else sends again with the same alias."""
    return doubt.search(_alert_by_alias) or _alert_by_source(doubt) or doubt.resend(most=2)


def _alert_by_alias(doubt: Doubt) -> Outputs | None:
    reply = doubt.read("opsgenie.alert.get", {"identifier": doubt.given["alias"], "identifierType": "alias"})
    if reply is not None and _is_ours(doubt, data_of(reply), reply):
        return _created(data_of(reply))
    return None


def _alert_by_source(doubt: Doubt) -> Outputs | None:
    """A person may have closed it meanwhile, and the alias of a closed alert finds nothing."""
    source = source_of(doubt.attempt.context)
    if doubt.given.get("source") != source:
        return None
    reply = doubt.read("opsgenie.alert.list", {"query": f'source: "{source}"', "limit": 100})
    if reply is None:
        return None
    told = {"source": source, "alias": doubt.given["alias"]}
    alerts = [
        alert for alert in data_of(reply) if _covers(alert, told) and told.keys() <= alert.keys() and isinstance(alert.get("id"), str)
    ]
    return next((_created(alert) for alert in alerts if _is_ours(doubt, alert, reply)), None)


def _is_ours(doubt: Doubt, alert: Mapping[str, Any], reply: Reply) -> bool:
    """Whether the write in doubt raised an alert of its alias: our own alias, or raised no earlier than the intent."""
    if doubt.given["alias"] == alias_of(doubt.attempt.context):
        return True
    return any(_since_intent(doubt, alert.get(name), reply) for name in ("createdAt", "lastOccurredAt"))


def _since_intent(doubt: Doubt, moment: Any, reply: Reply) -> bool:
    """Whether a moment the service tells is no earlier than the intent, by the service's clock."""
    try:
        told = datetime.fromisoformat(moment)
        return told >= doubt.since + timedelta(seconds=float(reply.headers.get(AHEAD, 0))) - SKEW
    except (TypeError, ValueError, OverflowError):  # no moment, one without its zone, or one of another age
        return False


def _created(alert: Mapping[str, Any]) -> Outputs:
    """The outputs of a create, from the alert it made."""
    return {
        "success": True,
        "isSuccess": True,
        "action": "Create",
        "status": "Found after the answer was lost",
        "alertId": alert["id"],
        "alias": alert.get("alias", alert["id"]),
    }


def _clash(doubt: Doubt) -> Outputs:
    """Sends again; when the name is taken, by what was asked for, it is done."""
    try:
        return doubt.resend()
    except Refused as error:
        if error.status != 409:
            raise
        found = _found(doubt)
        if found is None:
            raise _undecided(doubt, f"{error.message}, and what is there differs from what was asked for") from error
    known = doubt.operation.data.get("properties", {})
    return {name: value for name, value in found.items() if name in known} | {"result": "Found after the answer was lost"}


def _found(doubt: Doubt) -> Mapping[str, Any] | None:
    """What holds the name, when it equals what was asked for."""
    assert doubt.operation.lookup is not None
    row = OPERATIONS[doubt.operation.lookup]
    reply = doubt.read(row.name, _by_name(row, doubt.given))
    data = data_of(reply) if reply is not None else None
    there = data if isinstance(data, list) else [data]
    asked = {name: value for name, value in doubt.given.items() if name in doubt.operation.body}
    return next((one for one in there if isinstance(one, Mapping) and _covers(one, asked)), None)


def _by_name(row: Operation, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the lookup is asked for what a create made: under the same parent, by the name it was given."""
    name = given.get("name", given.get("username"))
    path = {part: given.get(part, name) for part in row.path_names}
    return path | ({"identifierType": "name"} if "identifierType" in row.query else {})


def _covers(found: Any, asked: Any) -> bool:
    """Whether everything asked for is found; a field the answer does not tell cannot speak against it."""
    if isinstance(asked, Mapping):
        return isinstance(found, Mapping) and all(_covers(found[name], value) for name, value in asked.items() if name in found)
    if isinstance(asked, list):
        return isinstance(found, list) and len(found) == len(asked) and all(any(_covers(one, value) for one in found) for value in asked)
    return bool(found == asked) or _same_moment(found, asked)


def _same_moment(found: Any, asked: Any) -> bool:
    """Whether two texts tell one point in time, each in a zone of its own."""
    try:
        return datetime.fromisoformat(found) - datetime.fromisoformat(asked) == timedelta()
    except (TypeError, ValueError):
        return False


def _delete(doubt: Doubt) -> Outputs:
    """Sends again; what is not there is deleted."""
    try:
        return doubt.resend()
    except Refused as error:
        if error.status != 404 and not (error.code == "processed_as_failed" and "not exist" in error.message):
            raise
    return {"result": "Gone after the answer was lost"}


def _noted(doubt: Doubt) -> Outputs:
    """Reads the notes back; sends again when ours is not among them: a change and the note that came with it are one.

    What the service has accepted and is only late with is not sent again: it would be there twice.
    """
    return doubt.search(_note) or doubt.resend(most=0 if doubt.accepted else 1)


def _note(doubt: Doubt) -> Outputs | None:
    row = OPERATIONS["opsgenie.alert.list_notes"]
    place = {name: doubt.given[name] for name in (*row.path_names, *row.query) if name in doubt.given}
    reply = doubt.read(row.name, place | {"limit": 100, "order": "desc"})
    if reply is None:
        return None
    ours = [entry for entry in data_of(reply) if entry.get("note") == doubt.given["note"]]
    if doubt.operation.idempotency is not Idempotency.MARKED:  # only a marker tells one note from another of the same words
        ours = [entry for entry in ours if _since_intent(doubt, entry.get("createdAt"), reply)]
    if not ours:
        return None
    return {"success": True, "isSuccess": True, "status": "Found after the answer was lost", "alertId": str(doubt.given["identifier"])}


def _once(doubt: Doubt) -> Outputs:
    """Nothing tells whether it was done, and doing it twice is not doing it once."""
    raise _undecided(doubt, doubt.cause)


_RULES: dict[Idempotency, Callable[[Doubt], Outputs]] = {
    Idempotency.CLASH: _clash,
    Idempotency.DELETE: _delete,
    Idempotency.KEYED: _keyed,
    Idempotency.MARKED: _noted,
    Idempotency.ONCE: _once,
    Idempotency.REPEATABLE: _resend,
    Idempotency.SAFE: _resend,
}


def _rule(doubt: Doubt) -> Callable[[Doubt], Outputs]:
    """What to do about a doubt: to make a change twice is to make it once, but for the note it leaves on an alert."""
    row = doubt.operation
    leaves_note = row.idempotency is Idempotency.REPEATABLE and "note" in doubt.given and row.path_template.startswith("/v2/alerts/")
    return _noted if leaves_note else _RULES[row.idempotency]


def _undecided(doubt: Doubt, reason: str) -> InDoubt:
    """What a person has to decide, and how."""
    parts = doubt.attempt.parts
    alias = f", alias {doubt.given['alias']}" if "alias" in doubt.given else ""
    begun = doubt.since.isoformat(timespec="seconds")
    return InDoubt(
        f"{doubt.operation.name}: whether this write was done is not known: {reason}",
        hint=f"Look in Opsgenie for its effect ({parts.method} {parts.path}{alias}, sent at {begun} or a little later).",
    )
