import pytest

from engine.checks import trigger_inputs

INPUTS = """\
inputs:
  days: {type: integer, minimum: 1}
  note: {type: string, default: none}
  rows: {type: array, items: {type: object, properties: {n: {type: integer}}}, default: []}
"""


@pytest.mark.parametrize(
    ("given", "marks"),
    [
        ("{days: 3}", []),
        ("{days: 3, note: a, rows: [{n: 1}]}", []),
        ("{days: many}", ["many!"]),
        ("{days: 0}", ["0!"]),
        ("{days: 3, rows: [{n: x}]}", ["x!"]),
        ("{days: 3, dyas: 4}", ["dyas!"]),
        ('{days: 3, note: "{{ now }}"}', ['"{{ now }}"!']),
    ],
)
def test_inputs(marked, given, marks):
    assert marked(trigger_inputs, f'{INPUTS}triggers:\n  - {{cron: "0 3 * * *", inputs: {given}}}\n') == marks


def test_what_is_missing_is_named(subject):
    (finding,) = trigger_inputs.check(subject(f'{INPUTS}triggers:\n  - {{cron: "0 3 * * *"}}\n'))
    assert "does not give days" in finding.message and "days: …" in finding.hint


def test_a_name_that_is_mistyped_gets_advice(subject):
    (finding,) = trigger_inputs.check(subject(f'{INPUTS}triggers:\n  - {{cron: "0 3 * * *", inputs: {{days: 3, notes: a}}}}\n'))
    assert "note" in finding.hint


def test_a_runbook_without_inputs_takes_none(subject):
    (finding,) = trigger_inputs.check(subject('triggers:\n  - {cron: "0 3 * * *", inputs: {a: 1}}\n'))
    assert finding.hint == "the runbook takes no inputs"


def test_a_schema_that_is_none_is_left_to_its_own_check(marked):
    assert marked(trigger_inputs, 'inputs: {a: {type: text}}\ntriggers:\n  - {cron: "0 3 * * *", inputs: {a: 1}}\n') == []
