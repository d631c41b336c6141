"""What happens by itself as time passes: accepted requests are processed, and people do what the state file says they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from steps.opsgenie.emulator.call import Call, Done
from steps.opsgenie.emulator.domains import ANSWERS, WORK, heartbeats
from steps.opsgenie.emulator.durations import duration
from steps.opsgenie.emulator.forms import parted
from steps.opsgenie.emulator.moments import written
from steps.opsgenie.emulator.problems import ApiError, ProcessingError
from steps.opsgenie.emulator.routes import Route, route_named
from steps.opsgenie.emulator.store import Heartbeat, Store

Fate = Literal["", "failed", "never"]
"""What a fault makes of an accepted request."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was accepted and waits for its time."""

    due: datetime
    request_id: str
    call: Call
    shape: str
    fate: Fate

    def happen(self) -> None:
        """Processes it and writes its request status. The call is carried out as of the moment it came in."""
        try:
            outcome = self._outcome()
        except ProcessingError as error:
            outcome = self._told(Done(str(error), {}), success=False)
        self.call.store.requests[self.request_id].outcome = outcome

    def _outcome(self) -> dict[str, Any]:
        if self.fate == "failed":
            raise ProcessingError("Request could not be processed")
        return self._told(WORK[self.shape](self.call), success=True)

    def _told(self, done: Done, *, success: bool) -> dict[str, Any]:
        row = self.call.row
        ids = {"incidentId": ""} if "/incidents/" in (row.follow or "") else {"alertId": "", "alias": ""}
        return {
            "success": success,
            "action": "".join(word.capitalize() for word in row.name.rpartition(".")[2].split("_")),
            "processedAt": written(self.due),
            "integrationId": self.call.integration,
            "isSuccess": success,
            "status": done.status,
            **ids,
            **done.ids,
        }


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person does at a given moment, with no key asked for."""

    due: datetime
    route: Route
    person: str
    given: Mapping[str, Any]
    store: Store

    def happen(self) -> None:
        """Does it at once. What cannot be done is passed over, as a person would."""
        ids = self._ids()
        if ids is None:
            return
        query, body = parted(self.route.row, self.given)
        call = Call(self.store, self.due, self.route.row, ids, query, body, person=self.person)
        try:
            (WORK.get(self.route.shape) or ANSWERS[self.route.shape])(call)
        except (ApiError, ProcessingError):
            return

    def _ids(self) -> tuple[str, ...] | None:
        """Values of the path; without an identifier the newest open alert's, or None when there is none."""
        given = {name: str(value) for name, value in self.given.items()}
        if "identifier" not in given and self.route.shape.split()[1].startswith("/v2/alerts/{}"):
            newest = next((one for one in reversed(self.store.alerts.values()) if one.open), None)
            if newest is None:
                return None
            given["identifier"] = newest.fields["id"]
        names = self.route.row.path_names
        return tuple(given[name] for name in names) if all(name in given for name in names) else None


@dataclass(frozen=True, slots=True)
class Expiry:
    """A heartbeat that was not pinged in time."""

    due: datetime
    heartbeat: Heartbeat
    store: Store

    def happen(self) -> None:
        """It expires."""
        heartbeats.expire(self.store, self.heartbeat, self.due)


class Timeline:
    """The events to come, in the order of their times; those accepted first come first, and a heartbeat expires after what happens with it.

    What makes a heartbeat expire, or keeps it from that, are the events themselves: so its expiry is looked up, not put into its place.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._events: list[Pending | Deed] = []

    def add(self, event: Pending | Deed) -> None:
        """Puts an event in its place."""
        place = len(self._events)
        while place and self._events[place - 1].due > event.due:
            place -= 1
        self._events.insert(place, event)

    def advance(self, now: datetime) -> bool:
        """Lets everything happen that is due; whether anything was."""
        happened = False
        while event := self._next(now):
            event.happen()
            happened = True
        return happened

    def _next(self, now: datetime) -> Pending | Deed | Expiry | None:
        """The earliest of what is due, taken out of its place."""
        overdue = heartbeats.overdue(self._store)
        due = min(now, overdue[0]) if overdue else now
        if self._events and self._events[0].due <= due:
            return self._events.pop(0)
        return Expiry(*overdue, self._store) if overdue and overdue[0] <= now else None


def deeds(state: Mapping[str, Any], store: Store, start: datetime) -> Sequence[Deed]:
    """What people do meanwhile, of a checked state."""
    found = []
    for entry in state.get("during", ()):
        route = route_named(entry["do"])
        assert route is not None
        found.append(Deed(start + duration(entry["after"]), route, entry.get("as", "somebody@example.com"), entry.get("with", {}), store))
    return found
