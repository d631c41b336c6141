"""What the analysis says of a place is true in a run: whatever fails and whatever is skipped, a reader without a finding can read."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import analysis, source
from engine.language import loader
from engine.checks import output_field, possibly_skipped, step_reference
from engine.contracts import Outcome
from engine.errors import StepError
from engine.execution.executor import Executor
from engine.analysis.subject import Subject

TEXT = {"type": "string"}
ANSWER = {"type": "object", "properties": {"message": TEXT}, "required": ["message"], "additionalProperties": False}


class Say:
    name = "fake.say"
    summary = "says"
    effect = "read"
    inputs = ANSWER
    needs = ()

    def outputs(self, written):
        return ANSWER


FIND = {"fake.say": Say()}.get


class Backend:
    """Fails the steps it is told to, and remembers every error."""

    def __init__(self, failing):
        self.failing = failing
        self.errors = []

    def now(self):
        return datetime(2026, 11, 23, tzinfo=UTC)

    def random(self):
        return 0.0

    async def perform(self, action):
        if action.step in self.failing:
            return Outcome(None, StepError("failed on purpose", again="never"))
        return Outcome({"message": action.given["message"]})

    async def moment(self, key):
        return self.now()

    async def sleep_until(self, key, until):
        pass

    def shield(self):
        pass

    def heed(self):
        return False

    def begun(self, key):
        return False

    async def side_by_side(self, children, limit):
        return [await child() for child in children]

    def tell(self, event, key, **fields):
        if "error" in fields:
            self.errors.append(fields["error"])


def say(message):
    return {"uses": "fake.say", "with": {"message": message}}


IDS = [f"s{number}" for number in range(8)]
CONDITIONS = [
    "inputs.a",
    "inputs.b",
    *(f'steps.{name}.status == "succeeded"' for name in IDS),
    *(f"steps.{name}.outputs is defined" for name in IDS[:3]),
]
LEAVES = st.sampled_from([say("hello"), *(say(f"{{{{ steps.{name}.outputs.message }}}}") for name in IDS)])
EXTRAS = st.fixed_dictionaries(
    {},
    optional={
        "if": st.sampled_from(CONDITIONS),
        "continue_on_error": st.just(True),
        "for_each": st.just(["x", "y"]),
        "expect": st.sampled_from([[f'steps.{name}.outputs.message != ""'] for name in IDS]),
    },
)


def blocks(children):
    some = st.lists(children, min_size=1, max_size=2)
    return st.fixed_dictionaries({"block": some}, optional={"rescue": some, "always": some})


def steps():
    leaf = st.builds(lambda body, extras: {**body, **extras}, LEAVES, EXTRAS)
    tree = st.recursive(leaf, lambda inner: st.builds(lambda body, extras: {**body, **extras}, blocks(inner), EXTRAS), max_leaves=5)
    return st.lists(tree, min_size=1, max_size=3)


def numbered(raw, counter):
    """The same steps with ids, as many as there are names."""
    found = []
    for step in raw:
        name = f"s{next(counter)}"
        inside = {key: numbered(step[key], counter) for key in ("block", "rescue", "always") if key in step}
        found.append({"id": name, **step, **inside})
    return found


def checked(raw):
    document = source.read(json.dumps(raw), "example.yaml")
    runbook = loader.read(document, FIND)
    return Subject(document, runbook, FIND)


def faulty(looked_at):
    """Sites with a finding, by path."""
    found = [finding for check in (output_field, possibly_skipped, step_reference) for finding in check.check(looked_at)]
    places = {(finding.place.line, finding.place.column) for finding in found}
    return [site.path for site in looked_at.sites if any(_inside(looked_at, site, place) for place in places)]


def _inside(looked_at, site, place):
    start = looked_at.document.place(site.path)
    return start.line == place[0] and start.column <= place[1] <= start.column + len(json.dumps(site.source))


def mended(raw):
    """The runbook with every text that has a finding replaced by a harmless one."""
    while paths := faulty(checked(raw)):  # a condition that goes may have been the guard of another text
        for path in paths:
            part = raw
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = "hello" if path[-1] == "message" else 'run.id != ""'
    return raw


@settings(max_examples=150, deadline=None)
@given(steps(), st.lists(LEAVES, max_size=2), st.sets(st.sampled_from(IDS)), st.booleans(), st.booleans())
def test_what_has_no_finding_can_be_read(main, last, failing, a, b):
    counter = iter(range(1000))
    raw = {
        "apiVersion": "runbook/v1",
        "name": "example",
        "inputs": {"a": {"type": "boolean"}, "b": {"type": "boolean"}},
        "steps": numbered(json.loads(json.dumps(main)), counter),
    }
    if last:
        raw["finally"] = numbered(json.loads(json.dumps(last)), counter)
    looked_at = checked(mended(raw))
    backend = Backend(failing)
    run = {"id": "r", "started_at": "", "trigger": "cli"}
    asyncio.run(Executor(looked_at.runbook, backend, FIND, {"a": a, "b": b}, run).run())
    assert [error for error in backend.errors if error["code"] != "failed" and error["message"] != 'expected run.id != ""'] == []


def sites(text):
    document = source.read("apiVersion: runbook/v1\nname: example\n" + text, "example.yaml")
    return analysis.sites(loader.read(document, FIND), FIND)


def test_every_text_is_a_site_once():
    text = """\
inputs: {a: {type: string}}
checks: [{if: run.id != "", that: inputs.a != "", message: m}]
concurrency: {group: g}
timeout: 1h
defaults: {retry: {if: error.status == 1}}
vars: {v: [x, {y: z}]}
steps:
  - for_each: [i]
    key: k
    if: run.id != ""
    timeout: 3s
    uses: fake.say
    with: {message: m}
    until: {condition: result.message != ""}
    expect: [run.id != ""]
    retry: {if: error.status == 2}
  - block: [{fail: f}]
    rescue: [{return: {r: s}}]
    always: [{wait: 1s}]
outputs: {o: {value: p}}
finally: [{wait: {until: "2030-01-01T00:00:00Z"}}]
"""
    paths = [site.path for site in sites(text)]
    assert len(paths) == len(set(paths))
    assert {".".join(map(str, path)) for path in paths} == {
        "checks.0.if",
        "checks.0.that",
        "checks.0.message",
        "concurrency.group",
        "timeout",
        "defaults.retry.if",
        "vars.v.0",
        "vars.v.1.y",
        *(f"steps.0.{name}" for name in ("for_each.0", "key", "if", "timeout", "with.message", "until.condition", "expect.0", "retry.if")),
        "steps.0.until.every",
        "steps.0.until.timeout",
        "steps.1.block.0.fail",
        "steps.1.rescue.0.return.r",
        "steps.1.always.0.wait",
        "outputs.o.value",
        "finally.0.wait.until",
    }


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("fixed", {"type": "string"}),
        ("{{ inputs.n }}", {"type": "integer"}),
        ("n is {{ inputs.n }}", {"type": "string"}),
        (3, {"type": "integer"}),
        (True, {"type": "boolean"}),
        (None, {"type": "null"}),
        ([1, 2], {"type": "array", "items": {"type": "integer"}}),
        ([1, "a"], {"type": "array", "items": {}}),
        ("{{ broken", {}),
    ],
)
def test_types_of_vars(value, schema):
    text = f"inputs: {{n: {{type: integer}}}}\nvars: {json.dumps({'v': value})}\nsteps: [{{wait: 1s}}]\n"
    last = sites(text)[-1]
    assert last.view.names["vars"]["properties"]["v"] == schema
