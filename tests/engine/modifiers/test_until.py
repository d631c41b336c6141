"""`until`: polling."""

import pytest


def test_it_polls_until_the_condition_holds(carry_out):
    run = carry_out("""
        steps:
          - {id: s, uses: fake.count, until: {condition: result.n >= 4, every: 30s, timeout: 10m}, expect: [result.n == 4]}
          - {id: after, uses: fake.say, with: {value: "{{ steps.s.outputs.n }}"}}
    """)
    assert (run.status, run.elapsed, run.seen) == ("succeeded", 90, [4])
    assert [action.key for action in run.backend.actions] == ["s#1", "s#2", "s#3", "s#4", "after"]


def test_it_asks_once_when_the_condition_holds_at_first(carry_out):
    run = carry_out("steps: [{id: s, uses: fake.count, until: {condition: result.n >= 1}}]")
    assert (len(run.attempts), run.elapsed) == (1, 0)


def test_the_defaults_are_30s_and_10m_and_fail(carry_out):
    run = carry_out("steps: [{id: s, uses: fake.count, until: {condition: result.n < 0}}]")
    assert (run.status, run.elapsed, len(run.attempts)) == ("failed", 600, 21)
    assert run.step("s")["error"]["code"] == "timeout"
    assert run.error.message == "the condition did not hold within 10m: result.n < 0"


def test_on_timeout_continue_leaves_the_last_result(carry_out):
    run = carry_out("""
        steps:
          - {id: s, uses: fake.count, until: {condition: result.n > 99, every: 1m, timeout: 150s, on_timeout: continue}}
    """)
    assert (run.status, run.step("s")["outputs"], run.elapsed) == ("succeeded", {"n": 3}, 150)


def test_expect_is_about_the_last_result(carry_out):
    run = carry_out("""
        steps: [{id: s, uses: fake.count, until: {condition: result.n > 99, timeout: 1m, on_timeout: continue}, expect: [result.n > 99]}]
    """)
    assert run.error.code == "expectation"


def test_retry_inside_is_about_one_poll(carry_out):
    run = carry_out("""
        steps:
          - id: s
            uses: fake.fail
            with: {times: 2}
            retry: {attempts: 3, delay: 5s, backoff: constant, jitter: false}
            until: {condition: result.attempts >= 5, every: 1m}
    """)
    assert run.status == "succeeded"
    assert [(action.key, action.attempt) for action in run.backend.actions] == [("s#1", 1), ("s#1", 2), ("s#1", 3), ("s#2", 1), ("s#3", 1)]
    assert run.elapsed == 5 + 5 + 60 + 60


def test_a_poll_that_fails_ends_the_polling(carry_out):
    run = carry_out("steps: [{id: s, uses: fake.fail, with: {message: gone}, until: {condition: 1 == 1}}]")
    assert (run.error.message, len(run.attempts)) == ("gone", 1)


def test_times_may_be_templates(carry_out):
    run = carry_out("""
        steps: [{id: s, uses: fake.count, until: {condition: result.n > 99, every: "{{ inputs.every }}", timeout: "{{ inputs.most }}", on_timeout: continue}}]
    """, {"every": "20s", "most": "1m"})  # fmt: skip
    assert (run.elapsed, len(run.attempts)) == (60, 4)


def test_a_time_that_is_none_is_a_failure_that_says_so(carry_out):
    run = carry_out('steps: [{id: s, uses: fake.count, until: {condition: 1 == 1, every: "{{ inputs.every }}"}}]', {"every": "often"})
    assert "until: not a duration" in run.error.message


def test_no_runbook_can_hammer_a_service(carry_out):
    run = carry_out("steps: [{id: s, uses: fake.count, until: {condition: result.n > 999, every: 0s, timeout: 5s}}]")
    assert len(run.attempts) == 6


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
def test_the_runs_limit_ends_the_polling(carry_out, on_timeout):
    run = carry_out(
        f"timeout: 1m\nsteps: [{{id: s, uses: fake.count, until: {{condition: result.n < 0, every: 40s, on_timeout: {on_timeout}}}}}]"
    )
    assert (run.status, run.elapsed, run.error.message) == ("failed", 60, "the time limit ran out while polling")


def test_a_block_may_be_polled(carry_out):
    run = carry_out("""
        steps: [{id: b, block: [{id: c, uses: fake.count}], until: {condition: result.c.n == 3, every: 1m}}]
    """)
    assert (run.step("b")["outputs"], run.elapsed) == ({"c": {"n": 3}}, 120)
