"""From a file to a runbook, or every finding with its place."""

import textwrap

import pytest

from engine import project, source
from engine.language import loader
from engine.catalog import Catalog
from engine.errors import Invalid

HEAD = "apiVersion: runbook/v1\nname: test\n"


@pytest.fixture
def read(fake):
    catalog = Catalog(project.PROVIDERS)
    return lambda text: loader.read(source.read(HEAD + textwrap.dedent(text), "b.yaml"), catalog.find, list(catalog.steps()))


@pytest.fixture
def findings(read):
    def findings(text):
        with pytest.raises(Invalid) as caught:
            read(text)
        return [(f"{one.place.line}:{one.place.column}", one.id, one.message, one.hint) for one in caught.value.findings]

    return findings


def test_everything_of_a_step(read):
    (step,) = read("""
        steps:
          - id: s
            name: A step
            if: inputs.go
            uses: fake.say
            with: {value: 1}
            connection: other
            timeout: 5s
            retry: {attempts: 2}
            until: {condition: result.value == 1}
            for_each: [1]
            as: one
            key: "{{ one }}"
            max_parallel: 3
            expect: [result.value == 1]
            continue_on_error: true
    """).steps
    assert (step.id, step.named, step.path, step.kind, step.body.name, step.body.given) == (
        "s",
        True,
        ("steps", 0),
        "uses",
        "fake.say",
        {"value": 1},
    )
    assert (step.name, step.condition, step.connection, step.timeout, step.expect, step.continue_on_error) == (
        "A step",
        "inputs.go",
        "other",
        "5s",
        ("result.value == 1",),
        True,
    )
    assert (step.retry.attempts, step.retry.delay, step.retry.backoff, step.retry.max_delay, step.retry.jitter) == (
        2,
        1.0,
        "exponential",
        30.0,
        True,
    )
    assert (step.until.every, step.until.timeout, step.until.on_timeout) == ("30s", "10m", "fail")
    assert (step.for_each.items, step.for_each.name, step.for_each.key, step.for_each.max_parallel, step.for_each.fail_fast) == (
        [1],
        "one",
        "{{ one }}",
        3,
        False,
    )


def test_everything_of_a_runbook(read):
    runbook = read("""
        description: What it is for.
        owners: [sre@example.com]
        labels: {area: x}
        inputs: {n: {type: integer}}
        concurrency: {group: g}
        timeout: 1h
        defaults: {timeout: 1m, retry: {attempts: 7}}
        vars: {a: 1}
        checks: [{that: inputs.n > 0, message: no}]
        steps: [{wait: 1s}]
        finally: [{wait: 1s}]
        outputs: {n: {type: integer, value: 1}}
    """)
    assert (runbook.name, runbook.owners, runbook.default_timeout, runbook.default_retry.attempts) == (
        "test",
        ("sre@example.com",),
        60.0,
        7,
    )
    assert (runbook.concurrency.group, runbook.concurrency.on_conflict, runbook.timeout) == ("g", "queue", "1h")
    assert [step.id for step in runbook.every_step()] == ["steps_1", "finally_1"]
    assert len(runbook.sha256) == 64


def test_made_ids_never_clash_with_given_ones(read):
    runbook = read("steps: [{id: steps_2, wait: 1s}, {wait: 1s}]")
    assert [step.id for step in runbook.steps] == ["steps_2", "steps_2_"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: [{uses: fake.sya}]", ("3:16", "RB103", "there is no step 'fake.sya'", "did you mean fake.say?")),
        ("steps: [{uses: nowhere.say}]", ("3:16", "RB103", "there is no step 'nowhere.say'", "opsbook steps list shows every step")),
        ("steps: [{uses: fake.typed}]", ("3:16", "RB104", "fake.typed needs with: n", None)),
        ("steps: [{uses: fake.say, wait: 1m}]", ("3:26", "RB102", "a step is one thing: found uses and wait", "make two steps of it")),
        ("steps: [{wait: 1m, with: {a: 1}}]", ("3:20", "RB102", "with stands without uses", None)),
        ("steps: [{wait: 1m, rescue: [{wait: 1m}]}]", ("3:20", "RB102", "rescue stands without block", None)),
        ("steps: [{wait: 1m, key: x}]", ("3:20", "RB102", "key stands without for_each", None)),
        (
            "steps: [{wait: soon}]",
            ("3:16", "RB101", "steps[0].wait: not a valid duration", "write a number and a unit, such as 90s, 10m, 1h30m or 7d"),
        ),
        ("stesp: [{wait: 1m}]\nsteps: [{wait: 1m}]", ("3:1", "RB101", "stesp: unknown key 'stesp'", "did you mean steps?")),
        ("steps: [{uses: fake.typed, with: {n: 1, colour: green}}]", ("3:49", "RB104", "steps[0].with.colour: not one of red, blue", None)),
    ],
)
def test_a_finding_says_where_and_what(findings, text, expected):
    found = findings(text)
    assert expected[:3] in [one[:3] for one in found]
    if expected[3]:
        assert expected[3] in [one[3] for one in found]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("when", "it is called if here"),
        ("loop", "it is called for_each here"),
        ("with_items", "it is called for_each here"),
        ("register", "it is called id here"),
        ("ignore_errors", "it is called continue_on_error here"),
        ("needs", "steps run in the order they are written: put it after what it needs"),
        ("shell", "write uses: core.command with: {argv: [program, argument]}"),
        ("switch", "there is no switch in this version: give each step an if"),
        ("untill", "did you mean until?"),
    ],
)
def test_words_from_elsewhere_are_told_what_they_are_called_here(findings, key, hint):
    assert ("3:20", "RB101", f"steps[0].{key}: unknown key '{key}'", hint) in findings(f"steps: [{{wait: 1m, {key}: x}}]")


def test_an_empty_file_is_said_to_be_empty(fake):
    with pytest.raises(Invalid, match="the file is empty"):
        loader.read(source.read("# nothing yet\n", "b.yaml"), Catalog(project.PROVIDERS).find)


@pytest.fixture
def examine(fake):
    catalog = Catalog(project.PROVIDERS)
    return lambda text: loader.examine(source.read(HEAD + textwrap.dedent(text), "b.yaml"), catalog.find)


def test_what_breaks_the_grammar_hides_nothing_of_sound_steps(examine):
    runbook, found = examine("""
        labels: 5
        steps:
          - {uses: fake.sya}
          - {uses: fake.typed, with: {n: many}}
          - 5
          - {block: [7, {uses: fake.typed, wait: 1m}], rescue: {}}
          - {uses: [], with: 7}
    """)
    assert runbook is None
    assert sorted({finding.id for finding in found}) == ["RB101", "RB102", "RB103", "RB104"]


def test_keys_that_are_unknown_are_corrected_for_the_checks_that_follow(examine):
    runbook, found = examine("""
        colour: red
        inptus: {a: {type: string}}
        steps:
          - {wait: 1m, register: first, switch: x, wiht: {}}
    """)
    assert [finding.id for finding in found] == ["RB101"] * 5 + ["RB102"]
    assert runbook is None
    runbook, found = examine("inptus: {a: {type: string}}\nsteps: [{wait: 1m, register: first, switch: x}]")
    assert [finding.id for finding in found] == ["RB101"] * 3
    assert (list(runbook.inputs), runbook.steps[0].id) == (["a"], "first")


def test_an_unknown_key_that_an_alias_shows_twice_is_corrected_once(examine):
    runbook, found = examine("steps: [{wait: 1m, retry: &r {attemps: 2}}, {wait: 1m, retry: *r}]")
    assert len(found) == 2
    assert [step.retry.attempts for step in runbook.steps] == [2, 2]


def test_whole_numbers_are_taken_however_they_are_written(read):
    (step,) = read("steps: [{wait: 1m, for_each: [1], max_parallel: 2.0, retry: {attempts: 3.0}}]").steps
    assert repr((step.for_each.max_parallel, step.retry.attempts)) == "(2, 3)"


def test_every_finding_at_once(findings):
    found = findings("""
        steps:
          - {uses: fake.typed, with: {n: many, color: red}}
          - block: [{uses: fake.nope}]
            rescue: [{uses: fake.typed, with: {}}]
        finally: [{wait: 1m, connection: x}]
    """)
    assert [id_ for _, id_, _, _ in found].count("RB104") == 3
    assert {"RB103", "RB102"} <= {id_ for _, id_, _, _ in found}


@pytest.mark.parametrize(
    "field",
    [
        "apiVersion: runbook/v2\nname: x\nsteps: [{wait: 1m}]",
        "name: x\nsteps: [{wait: 1m}]",
        "apiVersion: runbook/v1\nname: Not A Slug\nsteps: [{wait: 1m}]",
        "[]",
        "text",
        "",
    ],
)
def test_what_is_no_runbook(fake, field):
    with pytest.raises(Invalid):
        loader.read(source.read(field, "b.yaml"), Catalog(project.PROVIDERS).find)
