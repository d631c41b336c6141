"""What a step's attempt may use, in a real run: each call has its intent on disk before it and its result after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.audit.journal import Journal
from engine.contracts import Action, Call, Clock, Reply, Schema, Values
from engine.errors import AnswerLost, KeyProblem, KeyRefused, Refused, StepError, TakenAsDone, Throttled, Unreachable
from engine.secret import Credential, Secret, SecretName
from engine.state.memory import Memory, call_key
from engine.state.results import Results

REPLAYED: dict[str, type[StepError]] = {kind.__name__: kind for kind in (KeyRefused, Refused, StepError, Throttled, Unreachable)}
"""Errors a result may hold, by the name it is journalled under."""


@dataclass(frozen=True, slots=True)
class Run:
    """What all steps of a run share.

    Attributes:
        fingerprint_key: makes fingerprints of keys.
        credential: gives the secret of a name the runbook lists.
        open, name: give the opened connection of a step, and what it is called, by the step's name and its own wish.
        say: tells people something: `message`, `level`, and which step does.
        learn: makes secrets known that an answer told.
        mask: hides every known secret in a value.
        values: what the runbook keeps for its next run.
    """

    id: str
    runbook: str
    clock: Clock
    journal: Journal
    results: Results
    memory: Memory
    folder: Path
    settings: Mapping[str, Any]
    fingerprint_key: bytes
    credential: Callable[[SecretName], Credential]
    open: Callable[[str, str | None], Any]
    name: Callable[[str, str | None], str]
    say: Callable[[dict[str, Any]], None]
    learn: Callable[[Iterable[Secret]], None]
    mask: Callable[[Any], Any]
    values: Values


class JournalledContext:
    """One attempt of one step in a real run. See engine.contracts.StepContext."""

    planning = False

    def __init__(self, run: Run, action: Action) -> None:
        self._run = run
        self._action = action
        self._calls = 0
        self._connection: str | None = None
        self.runbook = run.runbook
        self.run = run.id
        self.step = action.step
        self.item = action.item
        self.attempt = action.attempt
        self.timeout = action.timeout
        self.clock: Clock = _StepClock(self, run.clock)
        self.folder = run.folder
        self.settings = run.settings
        self.values = run.values
        self.identity = "/".join(part for part in (run.runbook, run.id, action.step, action.item) if part is not None)

    def connection(self) -> Any:
        """The opened connection. Raises KeyProblem when there is none."""
        self._connection = self._run.name(self._action.uses, self._action.connection)
        return self._run.open(self._action.uses, self._action.connection)

    def credential(self, named: SecretName) -> Credential:
        """The secret of a name. Raises KeyProblem when it has no reference."""
        return self._run.credential(named)

    def log(self, message: str, level: str = "info") -> None:
        """Tells people something."""
        self._run.say({"message": message, "level": level, "step": self.step, "item": self.item})

    def unknown(self, schema: Schema, name: str = "") -> Any:
        """Nothing is unknown in a real run."""
        del schema
        raise AssertionError(f"asked for a placeholder of {name} in a real run")

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply:
        """Does `send` once: see engine.contracts.StepContext.call."""
        self._calls += 1
        key = self._key(self._calls)
        memory, journal = self._run.memory, self._run.journal
        if key in memory.taken:
            raise TakenAsDone(memory.since(key))
        if self.remembers(key):
            self._refuse_another(key, call)
            return self._replay(key)
        if call.effect == "write":
            if key in memory.intents:
                raise AnswerLost("an earlier process of this run was stopped while this was under way", since=memory.since(key))
            self._run.results.sync()
        written = journal.append("step.intent", sync=call.effect == "write", **self._place(key), **self._told(call))
        if written["key"] != key:
            raise StepError("a secret stands in the name or the loop key of this step", hint="give the loop another key", again="never")
        return self._do(key, call, send)

    def _key(self, number: int) -> str:
        return call_key(self._action.key, self._action.attempt, number)

    def remembers_next(self) -> bool:
        """Whether an earlier process of this run has made the next call."""
        return self.remembers(self._key(self._calls + 1))

    def goes_on(self) -> bool:
        """Whether an earlier process made the next call, or was stopped before it could; False when it had left this attempt behind."""
        memory, action = self._run.memory, self._action
        return self._key(self._calls + 1) in memory.intents or not memory.is_past(action.key, action.attempt)

    def remembers(self, key: str) -> bool:
        """Whether an earlier process of this run has made a call, and what it came to is kept."""
        event = self._run.memory.results.get(key)
        if event is None:
            return False
        return event["event"] == "step.doubt" or "error" in event or (event["result"] or "") in self._run.results

    def _refuse_another(self, key: str, call: Call) -> None:
        """What an earlier run had done under another runbook or with other inputs counts only when it would be done the same now."""
        before = self._run.memory.intents.get(key)
        if not self._run.memory.changed or before is None:
            return
        now = self._told(call)
        if any(before.get(name) != now.get(name) for name in ("action", "method", "path", "ids", "request_hash", "detail")):
            raise StepError(
                f"{call.action} was done in the run before, with another request than now",
                code="changed",
                again="never",
                hint=f"opsbook retry RUN --from {self.step} does it again",
            )

    def _do(self, key: str, call: Call, send: Callable[[], Reply]) -> Reply:
        journal = self._run.journal
        began = self.clock.monotonic()
        try:
            reply = self._masked(_sent(send))
        except AnswerLost as error:
            journal.append("step.doubt", **self._place(key), action=call.action, error=error.as_value())
            raise
        except StepError as error:
            told = {**error.as_value(), "kind": _kind(error), "again": error.again, "retry_after": error.retry_after}
            journal.append("step.result", **self._place(key), action=call.action, outcome="failed", error=told)
            raise
        kept = self._run.results.put({"value": reply.value, "status": reply.status, "headers": dict(reply.headers)})
        took = round(self.clock.monotonic() - began, 4)
        answer = _answer(reply, took)
        journal.append("step.result", **self._place(key), action=call.action, outcome=_outcome(reply), result=kept, answer=answer)
        return reply

    def _masked(self, reply: Reply) -> Reply:
        """The reply without the keys a service may tell or echo: from here on it may become a note, a file, a template's value."""
        self._run.learn(reply.secrets)
        return replace(reply, value=self._run.mask(reply.value), headers=self._run.mask(reply.headers), secrets=())

    def _place(self, key: str) -> dict[str, Any]:
        return {"key": key, "step": self.step, "item": self.item, "attempt": self.attempt}

    def _told(self, call: Call) -> dict[str, Any]:
        """What the audit log says of a call: where it goes and with which key, never with what secret or what body."""
        told: dict[str, Any] = {"action": call.action, "effect": call.effect}
        if self._connection is not None:
            told["connection"] = self._connection
        if call.url is not None:
            parts = urlsplit(call.url)
            told |= {
                "method": call.method,
                "host": parts.netloc,
                "path": call.path or parts.path,
                "ids": dict(call.ids),
                "domain": call.domain,
            }
        if call.body is not None:
            told["request_hash"] = hashlib.sha256(json.dumps(call.body, sort_keys=True, default=str).encode()).hexdigest()
        if call.key is not None:
            print_of = call.key.secret.fingerprint(self._run.fingerprint_key) if call.key.secret else None
            told["key_used"] = {"kind": call.key.kind, "reference": call.key.reference, "fingerprint": print_of}
        return told | ({"detail": dict(call.detail)} if call.detail else {})

    def _replay(self, key: str) -> Reply:
        """What a call came to in an earlier process."""
        event, memory = self._run.memory.results[key], self._run.memory
        error = event.get("error") or {}
        if event["event"] == "step.doubt":
            raise AnswerLost(error["message"], status=error["status"], since=memory.since(key))
        if error:
            raise REPLAYED[error["kind"]](
                error["message"], code=error["code"], status=error["status"], again=error["again"], retry_after=error["retry_after"]
            )
        return Reply(**self._run.results.get(event["result"]))


class _StepClock:
    """The run's clock, as a step sees it: what was slept before a call of an earlier process is not slept again."""

    def __init__(self, context: JournalledContext, clock: Clock) -> None:
        self._context = context
        self._clock = clock
        self.now = clock.now
        self.monotonic = clock.monotonic

    def sleep(self, seconds: float) -> None:
        if not self._context.remembers_next():
            self._clock.sleep(seconds)


def _sent(send: Callable[[], Reply]) -> Reply:
    """The reply; a key that cannot be read is a call that was refused: nothing left."""
    try:
        return send()
    except KeyProblem as error:
        raise KeyRefused(error.message, hint=error.hint, code=error.code) from error


def _kind(error: StepError) -> str:
    """The name of the nearest class that can be raised again from the journal."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in REPLAYED)


def _outcome(reply: Reply) -> str:
    return "failed" if reply.status is not None and reply.status >= 400 else "succeeded"


def _answer(reply: Reply, took: float) -> dict[str, Any]:
    """The answer as the audit log tells it: never its content."""
    told: dict[str, Any] = {"status": reply.status, "took": took}
    if isinstance(reply.value, Mapping) and isinstance(reply.value.get("requestId"), str):
        told["requestId"] = reply.value["requestId"]
    limits = {name: value for name, value in reply.headers.items() if name.startswith("x-ratelimit-")}
    return told | ({"rate_limit": limits} if limits else {}) | ({"names": dict(reply.names)} if reply.names else {})
