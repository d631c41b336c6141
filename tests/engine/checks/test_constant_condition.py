import pytest

from engine.checks import constant_condition

HEAD = "inputs: {priority: {type: string, enum: [P1, P2]}, only: {type: string, enum: [a]}}\nsteps:\n  - {id: found, uses: fake.find}\n"


@pytest.mark.parametrize(
    ("condition", "marks"),
    [
        ("inputs.priority == 'P9'", ["'P9'!"]),
        ("inputs.priority in ['P1', 'P9']", ["'P9'!"]),
        ("steps.found.status == 'success'", ["'success'!"]),
        ("'false'", ["false!"]),
        ("'true'", ["true"]),
        ("inputs.only == 'a'", ["inputs.only == 'a'"]),
        ("inputs.priority == 'P1'", []),
        ("steps.found.status == 'succeeded'", []),
        ("run.status == 'failed'", []),
    ],
)
def test_conditions(marked, condition, marks):
    written = condition if condition in ("'true'", "'false'") else f'"{condition}"'
    assert marked(constant_condition, HEAD + f"  - if: {written}\n    uses: fake.say\n    with: {{message: hello}}\n") == marks


def test_a_fixed_var_is_a_setting_and_no_constant(marked):
    text = """
        vars: {stage: prod}
        steps:
          - {if: vars.stage == "test", uses: fake.say, with: {message: hello}}
    """
    assert marked(constant_condition, text) == []
