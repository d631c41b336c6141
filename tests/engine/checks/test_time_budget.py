import pytest

from engine.checks import time_budget


@pytest.mark.parametrize(
    ("steps", "marks"),
    [
        ("- wait: 11m", ["10m"]),
        ("- wait: 6m\n  - {uses: fake.find, until: {condition: result.count > 0, timeout: 5m}}", ["10m"]),
        ("- block: [{wait: 6m}]\n    always: [{wait: 5m}]", ["10m"]),
        ("- {timeout: 1m, block: [{wait: 2m}]}", ["1m"]),
        ("- wait: 10m", []),
        ("- {if: run.id != '', wait: 11m}", []),
        ("- block: [{wait: 6m}]\n    rescue: [{wait: 5m}]", []),
        ('- wait: "{{ run.id }}"', []),
        ("- wait: {until: '2030-01-01T00:00:00Z'}", []),
    ],
)
def test_sums(marked, steps, marks):
    assert marked(time_budget, f"timeout: 10m\nsteps:\n  {steps}\n") == marks


def test_without_a_timeout_there_is_no_budget(marked):
    assert marked(time_budget, "steps:\n  - wait: 7d\n") == []
