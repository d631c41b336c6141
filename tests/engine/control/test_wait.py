"""`wait`."""

import pytest


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ("10m", 600),
        ('"{{ inputs.length }}"', 90),
        ('{until: "2026-03-01T12:05:00Z"}', 300),
        ('{until: "2026-03-01T14:05:00+02:00"}', 300),
        ('{until: "2026-03-01T12:05:00"}', 300),
        ('{until: "{{ inputs.moment }}"}', 60),
        ('{until: "2025-01-01T00:00:00Z"}', 0),
    ],
)
def test_it_waits_for_a_time_or_until_one(carry_out, wait, seconds):
    run = carry_out(f"steps: [{{id: w, wait: {wait}}}]", {"length": "1m30s", "moment": "2026-03-01T12:01:00.000Z"})
    assert (run.status, run.elapsed) == ("succeeded", seconds)
    assert run.step("w")["outputs"]["until"].endswith("Z")


@pytest.mark.parametrize(
    ("wait", "said"),
    [('"{{ inputs.bad }}"', "not a duration"), ('{until: "{{ inputs.bad }}"}', "not a time"), ('{until: "{{ inputs.n }}"}', "not a time")],
)
def test_what_is_no_time_fails_and_says_so(carry_out, wait, said):
    run = carry_out(f"steps: [{{id: w, wait: {wait}}}]", {"bad": "soon", "n": 5})
    assert run.status == "failed"
    assert said in run.error.message


def test_the_runs_limit_ends_a_wait(carry_out):
    run = carry_out("timeout: 1m\nsteps: [{id: w, wait: 10m}]")
    assert (run.elapsed, run.error.code, run.error.message) == (60, "timeout", "the time limit ran out while waiting")
