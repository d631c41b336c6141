"""What a run's journal remembers of earlier processes: answers, intents without an answer, moments, what is in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_CALL = re.compile(r"(?P<action>.*)@(?P<attempt>\d+)\.(?P<number>\d+)", re.DOTALL)
_POLL = re.compile(r"#\d+\Z")


def call_key(action: str, attempt: int, number: int) -> str:
    """The key of a call: which one it is of which attempt at an action."""
    return f"{action}@{attempt}.{number}"


@dataclass(slots=True)
class Memory:
    """The journal, turned into what a resumed run asks of it.

    Attributes:
        results: by call key, the event of its result or doubt.
        intents: by call key, the event of its intent.
        moments: by key, a moment fixed once.
        waits: by key, the end of a wait.
        told: event and key of everything told once.
        touched: keys of the steps that made a call, or ended.
        doubts: keys of the steps that ended in doubt.
        taken: keys of the calls in doubt that a person took for done.
        given_up: keys of the steps in doubt that a person took for failed.
        kept: by key of each step that a retry does not do again, how it ended in the run before.
        changed: whether that run had another runbook or other inputs.
    """

    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    intents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    waits: dict[str, datetime] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> Memory:
        """Reads a run's events."""
        memory = cls()
        for event in events:
            memory.learn(event)
        return memory

    def learn(self, event: Mapping[str, Any]) -> None:
        """Takes in one event."""
        name, key = event["event"], event.get("key", "")
        if name == "carried":
            self._keep(as_it_was(event))
        elif name in ("step.result", "step.doubt"):
            self.results[key] = event
        elif name == "step.intent":
            self.intents[key] = event
            self.touched.add(step_of_call(key))
        elif name == "run.started":
            self.changed = event.get("changed", False)
        elif name == "moment":
            self.moments[key] = datetime.fromisoformat(event["moment"])
        elif name == "run.resumed":
            self._look_again()
        elif name == "doubt.decided":
            self._decide(key, event["call"], event["decision"])
        elif name == "step.ended" and event["status"] == "in_doubt":
            self.doubts.add(key)
        elif key:
            self._tell(name, key, event)

    def _keep(self, event: Mapping[str, Any]) -> None:
        """An event of an earlier run: its ended steps are told anew."""
        if event["event"] == "step.ended":
            self.kept[event["key"]] = event
            self.touched.add(event["key"])
        else:
            self.learn(event)

    def _tell(self, name: str, key: str, event: Mapping[str, Any]) -> None:
        self.told.add((name, key))
        if name == "wait.started":
            self.waits[key] = datetime.fromisoformat(event["until"])
        elif name == "step.ended":
            self.touched.add(key)
            self.doubts.discard(key)

    @property
    def carried(self) -> bool:
        """Whether all that a retry keeps of the run before stands here."""
        return ("run.carried", "run") in self.told

    @property
    def cancelled(self) -> bool:
        """Whether the run was cancelled, so that only its `finally` is left."""
        return ("run.cancelling", "run") in self.told

    def since(self, key: str) -> datetime:
        """When the intent of a call was written. Raises KeyError."""
        return datetime.fromisoformat(self.intents[key]["time"])

    def is_past(self, action: str, attempt: int) -> bool:
        """Whether an earlier process had done with an attempt: the step ended, or another attempt began."""
        step = step_of(action)
        if step in self.kept or ("step.ended", step) in self.told:
            return True
        return any(of == action and int(number) > attempt for of, number, _ in map(_parts, self.intents))

    def in_doubt(self) -> dict[str, str]:
        """By key of each step that ended in doubt and made a call of its own, the call that is in doubt."""
        calls = {key: self._open_write(key) for key in sorted(self.doubts)}
        return {key: call for key, call in calls.items() if call is not None}

    def open_steps(self) -> set[str]:
        """Keys of the steps with a write whose outcome is open."""
        return {step_of_call(key) for key, intent in self.intents.items() if intent["effect"] == "write" and self._is_open(key)}

    def _look_again(self) -> None:
        """What was found out about a doubt, and did not settle it, is found out anew."""
        for call in self.in_doubt().values():
            self._forget(call, also_itself=False)

    def _decide(self, step: str, call: str, decision: str) -> None:
        if decision == "fail":
            self.given_up.add(step)
        elif decision == "skip":
            self.taken.add(call)
        self._forget(call, also_itself=decision == "resend")

    def _open_write(self, step: str) -> str | None:
        """The last write of a step whose outcome is open: no answer, one that only says it was accepted, or a server's error."""
        open_ = [
            key for key, intent in self.intents.items() if intent["effect"] == "write" and step_of_call(key) == step and self._is_open(key)
        ]
        return open_[-1] if open_ else None

    def _is_open(self, key: str) -> bool:
        if key in self.taken:
            return False
        result = self.results.get(key)
        if result is None or result["event"] == "step.doubt":
            return True
        status = result.get("answer", {}).get("status")
        return status is not None and (status == 202 or status >= 500)

    def _forget(self, call: str, *, also_itself: bool) -> None:
        """Forgets what the same attempt did after a call."""
        action, attempt, number = _parts(call)
        for key in list(self.intents):
            other, of_attempt, at = _parts(key)
            if (other, of_attempt) == (action, attempt) and (at > number or (also_itself and at == number)):
                del self.intents[key]
                self.results.pop(key, None)


def as_it_was(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event; of one that a retry carried over, the event of the run before."""
    was: Mapping[str, Any] = event["was"] if event["event"] == "carried" else event
    return was


def _parts(key: str) -> tuple[str, str, int]:
    found = _CALL.fullmatch(key)
    assert found is not None, "every call's key is made by call_key"
    return found["action"], found["attempt"], int(found["number"])


def step_of_call(key: str) -> str:
    """The key of the step a call belongs to, whichever poll made it."""
    return step_of(_parts(key)[0])


def step_of(action: str) -> str:
    """The key of an action's step, whichever poll it is."""
    return _POLL.sub("", action)
