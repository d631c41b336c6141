"""What surrounds the constructs: vars, checks, outputs, finally, conditions, expectations, time limits, `now`."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_steps_run_in_order_and_see_what_came_before(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.say, with: {value: 1}}
          - {id: b, uses: fake.say, with: {value: "{{ steps.a.outputs.value + 1 }}"}}
    """)
    assert run.statuses == {"a": "succeeded", "b": "succeeded"}
    assert run.seen == [1, 2]
    assert run.status == "succeeded"


def test_a_failed_step_ends_the_run_and_later_steps_stay_pending(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.fail, with: {message: no room, code: full, status: 422, again: never}}
          - {id: b, uses: fake.say, with: {value: 2}}
    """)
    assert run.statuses == {"a": "failed", "b": "pending"}
    assert run.step("a")["error"] == {"message": "no room", "code": "full", "status": 422}
    assert (run.status, run.error.message, run.seen) == ("failed", "no room", [])


def test_a_condition_that_does_not_hold_skips(carry_out):
    run = carry_out("""
        steps:
          - {id: a, if: inputs.go, uses: fake.say, with: {value: 1}}
          - {id: b, if: steps.a.status == "skipped", uses: fake.say, with: {value: 2}}
    """, {"go": False})  # fmt: skip
    assert run.statuses == {"a": "skipped", "b": "succeeded"}
    assert "outputs" not in run.step("a")
    assert ("step.skipped", "a", {"step": "a", "item": None, "condition": "inputs.go"}) in run.backend.told


def test_the_output_of_a_skipped_step_is_absent_not_empty(carry_out):
    run = carry_out("""
        steps:
          - {id: a, if: inputs.go, uses: fake.say, with: {value: 1}}
          - {id: b, uses: fake.say, with: {value: "{{ steps.a.outputs.value }}"}}
    """, {"go": False})  # fmt: skip
    assert run.statuses == {"a": "skipped", "b": "failed"}
    assert "steps.a.outputs" in run.error.message
    assert run.seen == []


def test_a_condition_that_is_no_boolean_fails_the_step(carry_out):
    run = carry_out("steps:\n  - {id: a, if: inputs.n, uses: fake.say}", {"n": 3})
    assert run.step("a")["status"] == "failed"
    assert "true or false" in run.error.message


def test_continue_on_error_goes_on_and_keeps_the_status(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.fail, continue_on_error: true}
          - {id: b, uses: fake.say, with: {value: "{{ steps.a.status }} {{ steps.a.error.message }}"}}
    """)
    assert run.step("a")["status"] == "failed"
    assert run.step("a")["continued"] is True
    assert run.seen == ["failed it broke"]
    assert run.status == "succeeded"


def test_a_doubt_stops_everything_at_once(carry_out):
    run = carry_out("""
        steps:
          - id: whole
            block: [{id: a, uses: fake.doubt, continue_on_error: true}]
            rescue: [{id: rescued, uses: fake.say}]
            always: [{id: always, uses: fake.say}]
          - {id: b, uses: fake.say}
        finally: [{id: last, uses: fake.say}]
    """)
    assert run.statuses == {
        "whole": "in_doubt",
        "a": "in_doubt",
        "rescued": "pending",
        "always": "pending",
        "b": "pending",
        "last": "pending",
    }
    assert (run.status, run.error.exit_status) == ("in_doubt", 7)


def test_expect_fails_a_step_that_succeeded(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.say, with: {value: 3}, expect: [result.value > 2, result.value > 5]}
    """)
    assert run.step("a")["error"] == {"message": "expected result.value > 5", "code": "expectation", "status": None}


def test_an_expectation_is_not_tried_again(carry_out):
    run = carry_out("steps:\n  - {id: a, uses: fake.count, expect: [result.n > 5], retry: {attempts: 9, delay: 1s}}")
    assert len(run.attempts) == 1


# -- vars, checks, outputs -----------------------------------------------------------------------------------------------


def test_vars_are_computed_once_and_in_order(carry_out):
    run = carry_out("""
        vars: {a: "{{ inputs.n + 1 }}", b: "{{ vars.a + 1 }}", id: "{{ run.id }}", list: [1, "{{ vars.b }}"]}
        steps: [{id: s, uses: fake.say, with: {value: "{{ vars }}"}}]
    """, {"n": 1})  # fmt: skip
    assert run.seen == [{"a": 2, "b": 3, "id": "run-1", "list": [1, 3]}]


def test_a_var_cannot_use_a_later_one(carry_out):
    run = carry_out("""
        vars: {a: "{{ vars.b }}", b: 1}
        steps: [{id: s, uses: fake.say}]
    """)
    assert (run.status, run.statuses) == ("failed", {"s": "pending"})
    assert "vars.b" in run.error.message


def test_what_a_value_says_is_never_a_template(carry_out):
    run = carry_out("""
        vars: {copy: "{{ inputs.text }}"}
        steps: [{id: s, uses: fake.say, with: {value: "{{ vars.copy }}"}}]
    """, {"text": "{{ run.id }}"})  # fmt: skip
    assert run.seen == ["{{ run.id }}"]


@pytest.mark.parametrize(("n", "status"), [(1, "failed"), (5, "succeeded"), (-1, "succeeded")])
def test_checks_hold_before_the_first_step(carry_out, n, status):
    run = carry_out("""
        checks: [{if: inputs.n > 0, that: inputs.n > 2, message: "{{ inputs.n }} is too small"}]
        steps: [{id: s, uses: fake.say, with: {value: 1}}]
    """, {"n": n})  # fmt: skip
    assert run.status == status
    assert run.seen == ([] if status == "failed" else [1])
    if status == "failed":
        assert (run.error.message, run.error.code) == ("a check does not hold: 1 is too small", "check")


def test_outputs_keep_their_types_and_must_meet_them(carry_out):
    text = """
        steps: [{{id: s, uses: fake.say, with: {{value: 3}}}}]
        outputs: {{n: {{type: {type}, value: "{{{{ steps.s.outputs.value }}}}"}}}}
    """
    assert carry_out(text.format(type="integer")).outputs == {"n": 3}
    wrong = carry_out(text.format(type="string"))
    assert (wrong.status, wrong.outputs, wrong.error.code) == ("failed", {}, "outputs")
    assert "outputs.n" in wrong.error.message


def test_a_run_that_failed_has_no_outputs(carry_out):
    run = carry_out("""
        steps: [{id: s, uses: fake.fail}]
        outputs: {n: {value: 1}}
    """)
    assert run.outputs == {}


# -- finally ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "status"), [("fake.say", "succeeded"), ("fake.fail", "failed")])
def test_finally_always_runs_and_sees_how_the_run_went(carry_out, step, status):
    run = carry_out(f"""
        steps: [{{id: s, uses: {step}, with: {{value: 1, again: never}}}}]
        finally: [{{id: last, uses: fake.say, with: {{value: "{{{{ run.status }}}} {{{{ run.id }}}}"}}}}]
    """)
    assert run.seen[-1] == f"{status} run-1"
    assert run.status == status


def test_a_failing_finally_fails_a_run_that_had_succeeded(carry_out):
    run = carry_out("""
        steps: [{id: s, uses: fake.say}]
        finally: [{id: last, uses: fake.fail, with: {message: last words}}]
        outputs: {n: {value: 1}}
    """)
    assert (run.status, run.error.message, run.outputs) == ("failed", "last words", {})


def test_a_failing_finally_never_hides_an_earlier_error(carry_out):
    run = carry_out("""
        steps: [{id: s, uses: fake.fail, with: {message: first}}]
        finally: [{id: last, uses: fake.fail, with: {message: last}}]
    """)
    assert (run.status, run.error.message) == ("failed", "first")


def test_finally_has_time_after_the_runs_limit_is_used_up(carry_out):
    run = carry_out("""
        timeout: 5m
        steps: [{id: s, wait: 10m}]
        finally: [{id: last, uses: fake.say, with: {value: done}}]
    """)
    assert (run.status, run.seen, run.elapsed) == ("failed", ["done"], 300)


def test_a_check_that_does_not_hold_comes_before_everything(carry_out):
    run = carry_out("""
        checks: [{that: inputs.n > 2, message: no}]
        steps: [{id: s, uses: fake.say}]
        finally: [{id: last, uses: fake.say, with: {value: "{{ steps.s.status }}"}}]
    """, {"n": 1})  # fmt: skip
    assert (run.seen, run.ending.error.exit_status) == ([], 3)


# -- time ------------------------------------------------------------------------------------------------------------------


def test_each_attempt_gets_its_own_the_default_or_what_is_left(carry_out, fake):
    carry_out("""
        timeout: 100s
        defaults: {timeout: 20s}
        steps:
          - {uses: fake.say}
          - {uses: fake.say, timeout: 5s}
          - {uses: fake.say, timeout: "{{ inputs.limit }}"}
          - {wait: 90s}
          - {uses: fake.say}
    """, {"limit": "1m"})  # fmt: skip
    assert fake.timeouts == [20, 5, 60, 10]


def test_no_attempt_begins_after_the_runs_limit(carry_out):
    run = carry_out("""
        timeout: 10s
        steps:
          - {id: w, wait: 10s}
          - {id: s, uses: fake.say, with: {value: 1}}
    """)
    assert run.statuses == {"w": "succeeded", "s": "failed"}
    assert (run.error.code, run.seen) == ("timeout", [])


@pytest.mark.parametrize(
    "where", ["timeout: '{{ inputs.limit }}'\nsteps: [{uses: fake.say}]", "steps: [{uses: fake.say, timeout: '{{ inputs.limit }}'}]"]
)
def test_a_limit_that_is_no_duration_is_a_failure_that_says_so(carry_out, where):
    run = carry_out(where, {"limit": "soon"})
    assert run.status == "failed"
    assert "timeout: not a duration" in run.error.message


def test_a_blocks_limit_is_about_its_steps_and_leaves_time_to_rescue(carry_out):
    run = carry_out("""
        steps:
          - id: b
            timeout: 1m
            block: [{id: one, wait: 40s}, {id: two, wait: 40s}, {id: three, uses: fake.say}]
            rescue: [{id: r, uses: fake.say, with: {value: "{{ error.code }}"}}]
            always: [{id: a, uses: fake.say, with: {value: done}}]
    """)
    assert (run.statuses["two"], run.statuses["b"]) == ("failed", "succeeded")
    assert run.elapsed == 60
    assert run.seen == ["timeout", "done"]


def test_now_is_one_moment_for_the_whole_step(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.say, with: {value: ["{{ now }}", "{{ now }}"]}}
          - {wait: 90s}
          - {id: b, uses: fake.say, with: {value: "{{ now }}"}}
    """)
    assert run.seen == [["2026-03-01T12:00:00.000Z"] * 2, "2026-03-01T12:01:30.000Z"]


# -- with ------------------------------------------------------------------------------------------------------------------


def test_what_is_rendered_must_still_meet_the_steps_schema(carry_out):
    run = carry_out('steps: [{id: a, uses: fake.typed, with: {n: "{{ inputs.n }}"}}]', {"n": "many"})
    assert run.error.code == "invalid_input"
    assert run.error.message == "with.n: found text, expected a whole number"
    assert run.seen == []


def test_an_optional_field_that_comes_to_null_is_left_out(carry_out):
    run = carry_out('steps: [{id: a, uses: fake.typed, with: {n: 1, note: "{{ inputs.note }}"}}]', {"note": None})
    assert run.step("a")["outputs"] == {"n": 1}


def test_a_required_field_that_comes_to_null_is_refused(carry_out):
    run = carry_out('steps: [{id: a, uses: fake.typed, with: {n: "{{ inputs.n }}"}}]', {"n": None})
    assert run.error.message == "with.n: found null, expected a whole number"


def test_steps_without_an_id_are_named_by_their_place(carry_out):
    run = carry_out("""
        steps:
          - uses: fake.say
          - block: [{uses: fake.fail}]
            rescue: [{uses: fake.say}]
        finally: [{uses: fake.say}]
    """)
    assert run.statuses == {
        "steps_1": "succeeded",
        "steps_2": "succeeded",
        "steps_2_block_1": "failed",
        "steps_2_rescue_1": "succeeded",
        "finally_1": "succeeded",
    }


@given(plan=st.lists(st.tuples(st.integers(1, 10_000), st.booleans()), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sequences_run_in_order_and_waits_add_up(carry_out, plan):
    steps = [
        f"  - {{id: w{i}, wait: {amount}s, if: 1 == {1 if runs else 2}}}\n  - {{id: s{i}, uses: fake.say, with: {{value: {i}}}}}"
        for i, (amount, runs) in enumerate(plan)
    ]
    run = carry_out("steps:\n" + "\n".join(steps))
    assert run.seen == list(range(len(plan)))
    assert run.elapsed == sum(amount for amount, runs in plan if runs)
    assert [key for event, key, _ in run.backend.told if event == "step.ended" and key[0] == "s"] == [f"s{i}" for i in range(len(plan))]


# -- cancelled ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["succeeds", "fails"])
def test_a_run_cancelled_during_its_last_step_still_runs_finally(command, fake, last):
    """SIGINT in mid-step: the step goes on to its end, and then `finally` has its say."""
    command.write(
        "r.yaml",
        f"""
        apiVersion: runbook/v1
        name: r
        steps:
          - id: slow
            uses: core.command
            with: {{argv: [sh, -c, "kill -INT $PPID; sleep 0.3; {"true" if last == "succeeds" else "false"}"]}}
        finally:
          - {{id: last, uses: core.log, with: {{message: "ended {{{{ run.status }}}}"}}}}
          - {{id: more, uses: core.log, with: {{message: really}}}}
    """,
    )
    done = command("run", "r.yaml")
    assert done.code == 130
    assert "ended cancelled" in done.out and "really" in done.out
