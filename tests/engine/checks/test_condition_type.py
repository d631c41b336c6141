import pytest

from engine.checks import condition_type

STEPS = "inputs: {team: {type: string}, on: {type: boolean}, any: {}}\nsteps:\n  - {id: found, uses: fake.find}\n"


@pytest.mark.parametrize(
    ("condition", "marks"),
    [
        ("inputs.team", ["inputs.team!"]),
        ("inputs.on and steps.found.outputs.count", ["steps.found.outputs.count!"]),
        ("not inputs.team", ["inputs.team!"]),
        ("inputs.team | length", ["inputs.team | length!"]),
        ("inputs.on", []),
        ("inputs.any", []),
        ("inputs.team != 'x' or inputs.on", []),
    ],
)
def test_conditions(marked, condition, marks):
    assert marked(condition_type, STEPS + f"  - if: {condition}\n    uses: fake.say\n    with: {{message: hello}}\n") == marks


def test_every_place_of_a_condition(marked):
    text = """
        inputs: {team: {type: string}}
        checks: [{if: inputs.team, that: inputs.team, message: no}]
        defaults: {retry: {if: error.code}}
        steps:
          - uses: fake.rules
            with: {that: run.id, rules: [{if: alert.title}]}
            until: {condition: inputs.team}
            expect: [inputs.team]
            retry: {if: error.message}
    """
    expected = ["inputs.team!", "inputs.team!", "error.code!", "run.id!", "alert.title!", "inputs.team!", "inputs.team!", "error.message!"]
    assert marked(condition_type, text) == expected
