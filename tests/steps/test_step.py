"""What every step that is no single operation has in common."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from engine.contracts import Need
from engine.errors import KeyProblem
from engine.template.unknown import Unknown
from steps.core import PROVIDER, STEPS
from steps.operation import OperationStep
from steps.opsgenie.composites import COMPOSITES
from steps.opsgenie.operations import OPERATIONS
from steps.step import known

ALL = {**STEPS, **COMPOSITES}


@pytest.mark.parametrize("name", ALL)
def test_a_step_says_what_it_is(name):
    step = ALL[name]
    row = step.listing()
    assert (step.name, row["name"], row["summary"], row["effect"]) == (name, name, step.summary, step.effect)
    assert row.keys() == OperationStep(OPERATIONS["opsgenie.alert.get"]).listing().keys()
    Draft7Validator.check_schema(step.inputs)
    Draft7Validator.check_schema(step.outputs({}))


@pytest.mark.parametrize("table", [STEPS, COMPOSITES])
def test_tables_are_sorted(table):
    assert list(table) == sorted(table)


@pytest.mark.parametrize("step", COMPOSITES.values(), ids=lambda step: step.name)
def test_a_composite_needs_what_its_operations_need(step):
    assert set(step.needs) == {need for name in step.operations for need in OperationStep(OPERATIONS[name]).needs}
    row = step.listing()
    assert row["keys"]
    assert all(set(row["keys"]) <= set(need.kinds) and set(need.right.split("+")) <= set(row["right"].split("+")) for need in step.needs)


def test_core_steps_need_no_key_and_open_no_connection():
    assert {step.needs for step in STEPS.values()} == {()}
    assert {(tuple(row["keys"]), row["right"], row["rate_limit_domain"]) for row in (step.listing() for step in STEPS.values())} == {
        ((), None, None)
    }
    assert PROVIDER.steps() is STEPS
    assert (PROVIDER.key_findings({}, Need((), "read")), list(PROVIDER.commands())) == (None, [])
    with pytest.raises(KeyProblem):
        PROVIDER.connect("x", {}, None)


@pytest.mark.parametrize("value", [None, 1, "x", [1, {"a": [True]}], {}])
def test_plain_values_are_known(value):
    assert known(value)
    assert not known({"a": [value, Unknown("x")]})
