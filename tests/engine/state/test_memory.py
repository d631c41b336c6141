"""What a journal remembers of earlier processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.state.memory import Memory, call_key, step_of

TIME = "2026-11-23T12:00:00.000Z"


def intent(key, effect="write"):
    return {"event": "step.intent", "key": key, "effect": effect, "time": TIME}


def result(key, status=200):
    return {"event": "step.result", "key": key, "outcome": "succeeded", "answer": {"status": status}}


def doubt(key):
    return {"event": "step.doubt", "key": key}


def ended(key, status="in_doubt"):
    return {"event": "step.ended", "key": key, "status": status}


RESUMED = {"event": "run.resumed"}


def decided(key, decision, call):
    return {"event": "doubt.decided", "key": key, "call": call, "decision": decision}


@given(st.text(), st.integers(1), st.integers(1), st.integers(1))
def test_a_step_is_found_in_the_keys_of_its_calls(name, attempt, number, poll):
    memory = Memory.of([intent(call_key(f"{name}#{poll}", attempt, number)), ended(name)])
    assert memory.in_doubt() == ({} if step_of(name) != name else {name: call_key(f"{name}#{poll}", attempt, number)})


def test_it_holds_moments_waits_and_what_was_told():
    memory = Memory.of([
        {"event": "moment", "key": "a", "moment": TIME},
        {"event": "wait.started", "key": "b", "until": TIME},
        ended("c", "succeeded"),
        {"event": "run.started"},
        intent("d@1.1"),
    ])  # fmt: skip
    assert memory.moments["a"] == memory.waits["b"] == memory.since("d@1.1")
    assert memory.told == {("wait.started", "b"), ("step.ended", "c")}
    assert not memory.cancelled
    assert Memory.of([{"event": "run.cancelling", "key": "run"}]).cancelled


SETTLING = [intent("s@1.1"), doubt("s@1.1"), intent("s@1.2", "read"), result("s@1.2")]


def test_an_end_in_doubt_may_be_told_again():
    assert ("step.ended", "s") not in Memory.of([*SETTLING, ended("s")]).told
    assert Memory.of([*SETTLING, ended("s"), ended("s", "succeeded")]).in_doubt() == {}


def test_a_resumed_run_looks_again_and_keeps_the_doubt():
    memory = Memory.of([*SETTLING, ended("s"), RESUMED])
    assert set(memory.intents) == {"s@1.1"}
    assert memory.results["s@1.1"]["event"] == "step.doubt"
    assert memory.in_doubt() == {"s": "s@1.1"}


def test_what_is_sent_again_was_never_sent():
    memory = Memory.of(
        [intent("s@1.1"), result("s@1.1"), *(dict(e, key=e["key"].replace("1.", "1.2")) for e in SETTLING), ended("s"), RESUMED]
    )
    assert memory.in_doubt() == {"s": "s@1.21"}
    memory.learn(decided("s", "resend", "s@1.21"))
    assert set(memory.intents) == set(memory.results) == {"s@1.1"}


@pytest.mark.parametrize(
    ("decision", "taken", "given_up", "open_"), [("skip", {"s@1.1"}, set(), {}), ("fail", set(), {"s"}, {"s": "s@1.1"})]
)
def test_other_decisions_stand(decision, taken, given_up, open_):
    memory = Memory.of([*SETTLING, ended("s"), decided("s", decision, "s@1.1")])
    assert (memory.taken, memory.given_up, set(memory.intents)) == (taken, given_up, {"s@1.1"})
    assert memory.in_doubt() == open_


def test_after_a_call_that_was_taken_for_done_another_may_be_in_doubt():
    memory = Memory.of([*SETTLING, ended("s"), decided("s", "skip", "s@1.1"), intent("s@1.2"), ended("s")])
    assert memory.in_doubt() == {"s": "s@1.2"}


def test_a_write_that_was_only_accepted_is_open_and_one_that_was_answered_is_not():
    assert Memory.of([intent("s@1.1"), result("s@1.1", 202), ended("s")]).in_doubt() == {"s": "s@1.1"}
    assert Memory.of([intent("s@1.1"), result("s@1.1"), ended("s")]).in_doubt() == {}


def test_other_steps_and_attempts_are_left_alone():
    others = [intent("s2@1.2"), result("s2@1.2"), intent("s@2.2", "read"), result("s@2.2"), intent("a[s]/s@1.5"), result("a[s]/s@1.5")]
    memory = Memory.of([*others, *SETTLING, ended("block"), ended("s"), RESUMED, decided("s", "resend", "s@1.1")])
    assert set(memory.intents) == {"s2@1.2", "s@2.2", "a[s]/s@1.5"}


@pytest.mark.parametrize(
    ("events", "past"),
    [
        ([intent("a@1.1"), result("a@1.1", 401)], False),
        ([intent("a@1.1"), result("a@1.1", 401), ended("a", "failed")], True),
        ([intent("a@1.1"), result("a@1.1", 401), intent("a@2.1")], True),
        ([intent("a@1.1"), result("a@1.1", 401), intent("b@2.1"), ended("b", "failed")], False),
        ([ended("a", "in_doubt")], False),
    ],
)
def test_an_attempt_is_past_once_its_step_ended_or_another_began(events, past):
    assert Memory.of(events).is_past("a", 1) is past


def test_a_poll_is_past_once_its_step_ended():
    assert Memory.of([intent("a#2@1.1"), ended("a", "failed")]).is_past("a#2", 1)


def test_what_a_retry_keeps_is_past():
    assert Memory.of([{"event": "carried", "key": "a", "was": ended("a", "failed")}]).is_past("a", 1)


@pytest.mark.parametrize(("status", "decidable"), [(202, True), (500, True), (503, True), (200, False), (404, False), (None, False)])
def test_a_servers_error_leaves_a_write_open_for_a_person_to_decide(status, decidable):
    memory = Memory.of([intent("a@1.1"), result("a@1.1", status), ended("a")])
    assert memory.in_doubt() == ({"a": "a@1.1"} if decidable else {})
