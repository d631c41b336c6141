"""Runs and all that may befall them, in any order: crashes, people, resume, cancel, decisions, retries.

    python -m tests.test_life_of_runs 1000        so many lives, some seconds a hundred; prints what happened in them

A life is a state folder with a few runs, each over an account of its own. After everything that happens: no alert stands twice, none is
lost, no note stands twice, nothing that was done is done again, `finally` is done once a run that is over, and the chain is whole.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from engine.audit import journal
from engine.runs import live, past
from engine.state import history
from engine.app import App, Options
from engine.system.clock import VirtualClock
from engine.errors import UsageError
from engine.audit.journal import Journal
from engine.runs.result import RunResult
from engine.state.memory import step_of_call
from engine.state import LOG, State
from steps.exchange import Request
from steps.opsgenie.emulator import Emulator

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTS = ("a", "b")
MOST_RUNS = 4
RUNBOOK = """
apiVersion: runbook/v1
name: life
inputs: {hosts: {type: array, items: {type: string}}}
steps:
  - id: open
    for_each: "{{ inputs.hosts }}"
    as: host
    key: "{{ host }}"
    block:
      - {id: create, uses: opsgenie.alert.create, with: {message: "{{ host }} is down"}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "seen"}}
  - {id: page, uses: opsgenie.alert.escalate, with: {identifier: "{{ steps.create.outputs[0].alertId }}", escalation: {name: leads}}}
  - {id: pause, wait: 10m}
  - id: answered
    uses: opsgenie.alert.get
    with: {identifier: "{{ steps.create.outputs[0].alertId }}"}
    until: {condition: result.acknowledged, every: 2m, timeout: 6m}
  - {id: close, for_each: "{{ steps.create.outputs }}", as: made, key: "{{ made.alertId }}", uses: opsgenie.alert.close, with: {identifier: "{{ made.alertId }}", note: "over"}}
finally:
  - {id: last, uses: opsgenie.alert.create, with: {message: "run {{ run.status }}"}}
"""
STATE = {"teams": [{"name": "sre"}], "escalations": [{"name": "leads", "team": "sre"}]}
HAPPENED: Counter[str] = Counter()


class Died(BaseException):
    """What kill -9 is to a call stack."""


@contextmanager
def dying(where: str, number: int) -> Iterator[None]:
    """The nth event or request kills whoever makes it: before it is written or taken, or after."""
    kind, when = where.split()
    owner, name = (Journal, "append") if kind == "event" else (Emulator, "deliver")
    real, count = getattr(owner, name), 0

    def deadly(self, *given, **named):
        nonlocal count
        counts = not isinstance(self, Journal) or self.path.name == LOG
        count += counts
        if counts and when == "before" and count == number:
            raise Died
        made = real(self, *given, **named)
        if counts and when == "after" and count == number:
            raise Died
        return made

    with patch.object(owner, name, deadly):
        yield


def numbered(state: State, now: datetime) -> Path:
    """The folder of a new run, with the next number for its id."""
    place = state.runs / f"20260301T120000-{len(list(state.runs.glob('*'))):08d}"
    state._make(place)
    return place


WHERE = ("event before", "event after", "request before", "request after")
_KILLED = st.tuples(st.sampled_from(WHERE), st.integers(1, 30))
CRASHES = st.one_of(st.none(), _KILLED, _KILLED, _KILLED)


@dataclass
class Account:
    """The account of a run and of its retries, and what people did there.

    Attributes:
        deleted: ids of alerts that a person deleted.
        given_up: how often a person took an escalation for failed that had been made.
    """

    deleted: set[str] = field(default_factory=set)
    given_up: int = 0


class Lives(RuleBasedStateMachine):
    """See the module's text."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self._scratch = tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)
        self._folder = Path(self._scratch.name)
        self._file = self._folder / "life.yaml"
        self._state = State(self._folder / "state")
        self._accounts: dict[str, Account] = {}
        self._retried: set[str] = set()
        self._refused: set[tuple[str, str]] = set()
        self._touched = ""
        self._patches = ExitStack()
        self._patches.enter_context(patch.dict(os.environ, {"OPSBOOK_STATE": str(self._state.root), "OPSBOOK_CONFIG": ""}))
        self._patches.enter_context(patch.object(State, "new_run", numbered))  # the same ids in each replay of a life

    def teardown(self) -> None:
        self._patches.close()
        self._scratch.cleanup()

    # -- what happens --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self._accounts) < MOST_RUNS)
    @rule(crash=CRASHES, answered=st.booleans())
    def begin(self, crash, answered):
        """A run; somebody may acknowledge the first alert while it waits."""
        self._file.write_text(RUNBOOK)
        deeds = [
            {
                "after": "4m",
                "do": "opsgenie.alert.acknowledge",
                "as": "ana@example.com",
                "with": {"identifier": "1", "identifierType": "tiny"},
            }
        ]
        app = App(Options(config="", emulator=True, emulator_state=STATE | ({"during": deeds} if answered else {})))
        app.starts = START
        self._begun(Account(), crash, lambda: app.run(str(self._file), [f"hosts={json.dumps(HOSTS)}"]))
        self._file.write_text("edited meanwhile: it changes nothing")

    @precondition(lambda self: self._left("interrupted"))
    @rule(data=st.data(), crash=CRASHES)
    def resume(self, data, crash):
        run = data.draw(st.sampled_from(self._left("interrupted")))
        self._carried_on(run, crash, lambda: App(Options(config="")).resume(run))

    @precondition(lambda self: self._left("in_doubt"))
    @rule(data=st.data(), crash=CRASHES, gives_up=st.booleans())
    def decide(self, data, crash, gives_up):
        """A person looks whether the escalation was made, and says so; or gives up."""
        run = data.draw(st.sampled_from(self._left("in_doubt")))
        made = self._escalations(run) > self._accounts[run].given_up
        self._accounts[run].given_up += made and gives_up
        decision = "fail" if gives_up else "skip" if made else "resend"
        self._carried_on(run, crash, lambda: App(Options(config="")).resume(run, decision))

    @precondition(lambda self: self._left("interrupted", "in_doubt"))
    @rule(data=st.data(), crash=CRASHES)
    def cancel(self, data, crash):
        run = data.draw(st.sampled_from(self._left("interrupted", "in_doubt")))
        self._carried_on(run, crash, lambda: App(Options(config="")).cancel(run))

    @precondition(lambda self: len(self._accounts) < MOST_RUNS and self._to_retry())
    @rule(data=st.data(), crash=CRASHES)
    def retry(self, data, crash):
        """A new run from one that failed or was cancelled."""
        run = data.draw(st.sampled_from(self._to_retry()))
        self._begun(self._accounts[run], crash, lambda: App(Options(config="")).retry(run))
        self._retried.add(run)

    @precondition(lambda self: self._to_misuse())
    @rule()
    def misuse(self):
        """What is not to be done is refused, and changes nothing."""
        run, status = self._to_misuse()[0]
        before = self._log(run)
        with pytest.raises(UsageError):
            if status == "in_doubt":
                App(Options(config="")).retry(run)
            else:
                App(Options(config="")).resume(run, "skip")
        assert self._log(run) == before
        self._refused.add((run, status))
        HAPPENED["refused"] += 1

    @precondition(lambda self: self._open())
    @rule(data=st.data(), deed=st.sampled_from(["acknowledge", "close", "delete", "note", "edit"]), number=st.integers(0, 3))
    def interfere(self, data, deed, number):
        """A person does something to an alert while nothing runs."""
        run = data.draw(st.sampled_from(self._open()))
        emulator, clock = self._emulator(run, later=timedelta(minutes=1))
        ids = list(emulator.snapshot()["alerts"])
        if not ids:
            return
        chosen = ids[number % len(ids)]
        method, path, body = {
            "acknowledge": ("POST", f"/v2/alerts/{chosen}/acknowledge", {}),
            "close": ("POST", f"/v2/alerts/{chosen}/close", {}),
            "delete": ("DELETE", f"/v2/alerts/{chosen}", None),
            "note": ("POST", f"/v2/alerts/{chosen}/notes", {"note": "seen"}),
            "edit": ("PUT", f"/v2/alerts/{chosen}/message", {"message": "edited by a person"}),
        }[deed]
        key = next(key.value for key in emulator.keys if key.kind == "integration")
        headers = {"authorization": f"GenieKey {key}", "content-type": "application/json"}
        answer = emulator.handle(Request(method, path, headers, json.dumps(body).encode() if body is not None else b""))
        assert answer.status == 202, answer
        clock.sleep(1)
        emulator.snapshot()
        self._touched = run
        if deed == "delete":
            self._accounts[run].deleted.add(chosen)
        HAPPENED[deed] += 1

    @rule()
    def look(self):
        """Somebody looks at what there is, and changes nothing."""
        before = {run: self._log(run) for run in self._accounts}
        assert {history.summary(place)["run_id"] for place in self._state.every_run()} >= set(before)
        assert {run: self._log(run) for run in self._accounts} == before

    # -- what holds ----------------------------------------------------------------------------------------------

    @invariant()
    def chain_is_whole(self):
        assert [problem.message for problem in history.verify(self._state).problems] == []

    @invariant()
    def nothing_stands_twice_and_nothing_is_lost(self):
        for run, account in self._just_now():
            alerts = self._emulator(run)[0].snapshot()["alerts"] if (self._state.runs / run / live.EMULATOR).exists() else {}
            own = [alert for alert in alerts.values() if "-create-" in alert["fields"]["alias"]]
            aliases = Counter(alert["fields"]["alias"] for alert in own)
            assert [alias for alias, count in aliases.items() if count > 1] == [], "an alert stands twice"
            assert [alert["fields"]["count"] for alert in own if alert["fields"]["count"] > 1] == [], "an alert was raised twice"
            ends = sum(alert["fields"]["alias"].endswith("-last") for alert in alerts.values())
            assert ends <= sum(other is account for other in self._accounts.values()), "each run of an account has its own `finally`"
            for alert in own:
                marked = [note["note"] for note in alert["notes"] if note["note"].startswith("seen [ob:")]
                assert len(marked) <= 1, marked
            if self._status(run) == "succeeded":
                assert len(own) + len(account.deleted) >= len(HOSTS), "an alert was lost"
                assert ends or account.deleted, "the alert of `finally` was lost"
                marks = [any(note["note"].startswith("seen [ob:") for note in alert["notes"]) for alert in own]
                assert account.deleted or sum(marks) == len(HOSTS), "a note was lost"
                assert self._escalations(run) >= 1

    @invariant()
    def nobody_is_paged_twice(self):
        for run, account in self._just_now():
            assert self._escalations(run) <= 1 + account.given_up

    @invariant()
    def what_is_done_is_not_done_again(self):
        for run, _ in self._just_now():
            done: set[str] = set()
            for event in self._events(run):
                if event["event"] == "step.intent":
                    assert step_of_call(event["key"]) not in done, event["key"]
                elif event["event"] == "step.ended" and event["status"] != "in_doubt":
                    assert event["key"] not in done, event["key"]
                    done.add(event["key"])

    @invariant()
    def finally_is_done_once_when_a_run_is_over(self):
        for run, _ in self._just_now():
            events = self._events(run)
            last = [event for event in events if event["event"] == "step.ended" and event["key"] == "last"]
            ends = [at for at, event in enumerate(events, 1) if event["event"] == "run.ended"]
            assert len(last) <= 1
            assert ends in ([], [len(events)])
            assert not ends or (len(last) == 1 and last[0]["status"] == "succeeded")

    # -- how it is done ------------------------------------------------------------------------------------------

    def _begun(self, account: Account, crash: tuple[str, int] | None, work: Callable[[], RunResult]) -> None:
        known = set(self._state.every_run())
        self._lived(crash, work)
        for place in set(self._state.every_run()) - known:
            if self._log(place.name):  # else it was stopped before it began: nothing was sent, and nothing is left
                self._accounts[place.name], self._touched = account, place.name

    def _carried_on(self, run: str, crash: tuple[str, int] | None, work: Callable[[], RunResult | None]) -> None:
        self._touched = run
        self._lived(crash, work)

    def _just_now(self) -> list[tuple[str, Account]]:
        """The run that something has just befallen; none at the beginning."""
        return [(self._touched, self._accounts[self._touched])] if self._touched else []

    def _lived(self, crash: tuple[str, int] | None, work: Callable[[], RunResult | None]) -> None:
        HAPPENED["carried on"] += 1
        if crash is None:
            work()
            return
        with dying(*crash), suppress(Died):
            work()
            return
        HAPPENED["killed"] += 1

    def _status(self, run: str) -> str:
        return history.left(self._state.runs / run)

    def _left(self, *statuses: str) -> list[str]:
        return [run for run in sorted(self._accounts) if self._status(run) in statuses]

    def _open(self) -> list[str]:
        """Runs that may still come to something."""
        return [run for run in self._left("interrupted", "in_doubt", "failed", "cancelled") if run not in self._retried]

    def _to_misuse(self) -> list[tuple[str, str]]:
        return [one for one in ((run, self._status(run)) for run in sorted(self._accounts)) if one not in self._refused]

    def _to_retry(self) -> list[str]:
        return [run for run in self._left("failed", "cancelled") if run not in self._retried]

    def _log(self, run: str) -> bytes:
        return (self._state.runs / run / LOG).read_bytes()

    def _events(self, run: str) -> list[dict]:
        return list(journal.events(self._state.runs / run / LOG))

    def _emulator(self, run: str, later: timedelta = timedelta()) -> tuple[Emulator, VirtualClock]:
        place = self._state.runs / run
        clock = VirtualClock(past._left(place, "").last + later)
        state = past._left(place, "").kept["options"]["emulator_state"]
        return Emulator(clock=clock, state=state, journal=place / live.EMULATOR), clock

    def _escalations(self, run: str) -> int:
        told = self._state.runs / run / live.EMULATOR
        return told.read_bytes().count(b"/escalate") if told.exists() else 0


TestLivesOfRuns = Lives.TestCase
TestLivesOfRuns.settings = settings(
    max_examples=12, stateful_step_count=8, deadline=None, phases=(Phase.explicit, Phase.generate, Phase.shrink)
)


def main() -> int:
    lives, began = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, time.monotonic()
    run_state_machine_as_test(Lives, settings=settings(max_examples=lives, stateful_step_count=25, deadline=None))
    told = ", ".join(f"{name} {count}" for name, count in sorted(HAPPENED.items()))
    print(f"{lives} lives in {time.monotonic() - began:.0f} s: {told}; 0 wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
