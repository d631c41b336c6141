"""What of an ended run is kept: decided by where a step stands, and by how it and the steps around it ended."""

from __future__ import annotations

import textwrap

import pytest

from engine import project, source
from engine.language import loader
from engine.runs.carry import Kept, rewritten
from engine.catalog import Catalog

HEAD = "apiVersion: runbook/v1\nname: test\n"
BOOK = """
vars: {at: "{{ now }}"}
steps:
  - {id: a, uses: fake.count}
  - id: box
    retry: {attempts: 2}
    block:
      - {id: b, uses: fake.count}
      - id: inner
        block: [{id: c, uses: fake.count}]
        rescue: [{id: r, uses: fake.count}]
    rescue:
      - {id: mend, uses: fake.count}
    always:
      - id: tidy
        block: [{id: t, uses: fake.count}]
  - id: each
    for_each: [x, y]
    key: "{{ item }}"
    block: [{id: d, uses: fake.count}]
finally: [{id: last, uses: fake.count}]
"""


def runbook(text):
    return loader.read(source.read(HEAD + textwrap.dedent(text), "test.yaml"), Catalog(project.PROVIDERS).find)


def ended(key, status="succeeded"):
    return {"event": "step.ended", "key": key, "status": status}


def result(action):
    return {"event": "step.result", "key": f"{action}@1.1"}


def kept(done, events, start=None):
    """Which of the events are kept, when these steps were done."""
    return [event["key"] for event in Kept(runbook(BOOK), [ended(key) for key in done], start).events(events)]


@pytest.mark.parametrize(
    ("done", "actions", "expected"),
    [
        (["a"], ["a", "b"], ["a"]),
        (["b"], ["b", "c"], ["b"]),
        (["inner"], ["c", "r"], ["c", "r"]),  # rescued: its failure and its rescue belong together
        (["c", "r"], ["c", "r"], ["c"]),
        (["mend", "tidy", "t"], ["mend", "t"], []),
        (["box"], ["b", "c", "mend", "t", "box@2.1/b"], ["b", "c", "mend", "t", "box@2.1/b"]),
        (["box@2.1/b"], ["box@2.1/b"], []),  # a later attempt needs it anew
        (["each[x]/each"], ["each[x]/d", "each[y]/d"], ["each[x]/d"]),
        (["each"], ["each[x]/d", "each[y]/d"], ["each[x]/d", "each[y]/d"]),
        (["each[x]/d"], ["each[x]/d", "each[y]/d"], ["each[x]/d"]),
        (["last"], ["last"], []),
        (["gone"], ["gone"], []),
    ],
)  # fmt: skip
def test_calls_are_kept_with_the_step_that_was_done(fake, done, actions, expected):
    assert kept(done, [result(action) for action in actions]) == [f"{action}@1.1" for action in expected]


@pytest.mark.parametrize(
    ("start", "expected"),
    [("a", []), ("b", ["a"]), ("box", ["a"]), ("each", ["a", "b", "c"]), ("d", ["a", "b", "c"])],
)
def test_a_start_does_again_what_stands_at_or_after_it(fake, start, expected):
    done = ["a", "b", "c", "inner", "box", "each[x]/d", "each[x]/each", "each"]
    assert kept(done, [result(action) for action in ("a", "b", "c", "each[x]/d")], start) == [f"{action}@1.1" for action in expected]


def test_times_go_with_their_step_and_those_of_variables_stay(fake):
    moments = ["vars.at.now", "run", "a.now", "a#", "a#2", "a@1.1!", "b@1!", "each[x]/each.now", "each[x]/d@1.1"]
    found = kept(["a", "each[x]/each"], [{"event": "moment", "key": key} for key in moments])
    assert found == ["vars.at.now", "a.now", "a#", "a#2", "a@1.1!", "each[x]/each.now", "each[x]/d@1.1"]


def test_polls_are_calls_of_their_step(fake):
    assert kept(["a"], [result("a#3"), result("b#3")]) == ["a#3@1.1"]


def test_what_was_kept_before_is_kept_as_what_it_was(fake):
    events = Kept(runbook(BOOK), [ended("a")], None).events([{"event": "carried", "was": result("a")}, {"event": "run.started"}])
    assert list(events) == [result("a")]


def test_a_step_is_rewritten_when_anything_but_its_name_and_its_steps_is_another(fake):
    before = runbook(BOOK)
    after = runbook(BOOK.replace("{id: a,", "{id: a, name: First,").replace("{id: c, uses: fake.count}", "{id: c, uses: fake.say}"))
    assert list(rewritten(before, after, ["a", "inner", "box"])) == []
    assert [id_ for id_, _ in rewritten(before, after, ["c"])] == ["c"]
    gone = runbook(BOOK.replace("{id: b, uses: fake.count}", "{id: other, uses: fake.count}"))
    assert list(rewritten(before, gone, ["b"])) == [("b", None)]


def intent(action, effect="write"):
    return {"event": "step.intent", "key": f"{action}@1.1", "effect": effect}


ACCEPTED = {"event": "step.result", "key": "a@1.1", "answer": {"status": 202}}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([intent("a")], ["a@1.1"]),
        ([intent("a"), ACCEPTED], ["a@1.1", "a@1.1"]),  # under way at the service: followed, not sent again
        ([intent("b"), intent("each[x]/d")], ["b@1.1", "each[x]/d@1.1"]),
        ([intent("a"), result("a")], []),  # answered, and yet the step did not end: done again
        ([intent("a"), ended("a", "failed")], []),
        ([intent("a", "read")], []),
        ([intent("box@2.1/b"), intent("r"), intent("mend"), intent("t"), intent("last")], []),
    ],
)
def test_a_write_that_the_end_cut_off_is_settled_and_not_sent_anew(fake, events, expected):
    found = Kept(runbook(BOOK), events, None).events(events)
    assert [event["key"] for event in found if event["event"] != "step.ended"] == expected


def test_what_is_done_again_from_a_step_is_sent_anew(fake):
    events = [intent("a"), intent("b")]
    assert [event["key"] for event in Kept(runbook(BOOK), events, "b").events(events)] == ["a@1.1"]
