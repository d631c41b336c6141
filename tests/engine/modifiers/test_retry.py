"""`retry`: how often, how far apart, and which errors deserve it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def pauses(run):
    moments = [moment for _, moment in run.attempts]
    return [(later - earlier).total_seconds() for earlier, later in zip(moments, moments[1:], strict=False)]


def failing(retry, **given):
    return f"steps: [{{id: s, uses: fake.fail, retry: {retry}, with: {given}}}]".replace("'", '"')


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("backoff: constant, delay: 10s", [10, 10, 10, 10]),
        ("backoff: linear, delay: 10s", [10, 20, 30, 30]),
        ("backoff: linear, delay: 10s, max_delay: 5m", [10, 20, 30, 40]),
        ("backoff: exponential, delay: 2s", [2, 4, 8, 16]),
        ("backoff: exponential, delay: 2s, max_delay: 5s", [2, 4, 5, 5]),
        ("delay: 2s", [2, 4, 8, 16]),
        ("backoff: constant, delay: 10s, max_delay: 1s", [1, 1, 1, 1]),
    ],
)
def test_the_shapes_of_the_delay(carry_out, policy, expected):
    run = carry_out(failing(f"{{attempts: 5, jitter: false, {policy}}}"))
    assert pauses(run) == expected
    assert [attempt for attempt, _ in run.attempts] == [1, 2, 3, 4, 5]
    assert run.status == "failed"


def test_it_ends_with_the_first_success(carry_out):
    run = carry_out(failing("{attempts: 5, delay: 1s, jitter: false}", times=2))
    assert (run.status, run.step("s")["outputs"], pauses(run)) == ("succeeded", {"attempts": 3}, [1, 2])


@given(chance=st.floats(0, 1, exclude_max=True))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_jitter_spreads_a_delay_between_none_and_all_of_it(carry_out, chance):
    run = carry_out(failing("{attempts: 4, delay: 8s}"), chance=chance)
    assert pauses(run) == pytest.approx([8 * chance, 16 * chance, 30 * chance], abs=1e-5)


def test_what_the_service_asks_to_wait_is_waited_at_least(carry_out):
    run = carry_out(failing("{attempts: 3, delay: 40s, max_delay: 1h, jitter: false}", retry_after=60))
    assert pauses(run) == [60, 80]


@pytest.mark.parametrize(
    ("again", "asked", "attempts"),
    [("safe", False, 4), ("maybe", False, 1), ("never", False, 1), ("safe", True, 3), ("maybe", True, 3), ("never", True, 1)],
)
def test_what_deserves_another_attempt_without_and_with_being_asked(carry_out, again, asked, attempts):
    retry = "retry: {attempts: 3, delay: 1s}, " if asked else ""
    run = carry_out(f"steps: [{{id: s, uses: fake.fail, {retry}with: {{again: {again}}}}}]")
    assert len(run.attempts) == attempts


@pytest.mark.parametrize(("code", "attempts"), [("busy", 3), ("full", 1)])
def test_the_authors_condition_decides_alone(carry_out, code, attempts):
    run = carry_out(failing('{attempts: 3, delay: 1s, if: error.code == "busy"}', code=code, again="never"))
    assert len(run.attempts) == attempts


def test_a_condition_that_cannot_be_computed_is_a_failure(carry_out):
    run = carry_out(failing("{attempts: 3, if: error.colour == 1}"))
    assert "error.colour" in run.error.message
    assert len(run.attempts) == 1


def test_a_doubt_is_never_tried_again(carry_out):
    run = carry_out("steps: [{id: s, uses: fake.doubt, retry: {attempts: 5, if: 1 == 1}}]")
    assert run.status == "in_doubt"
    assert len(run.backend.actions) == 1


def test_the_runbooks_default_is_for_operations_alone(carry_out):
    run = carry_out("""
        defaults: {retry: {attempts: 3, delay: 1s, jitter: false}}
        steps:
          - {id: b, continue_on_error: true, block: [{id: s, uses: fake.fail, with: {again: safe}}]}
    """)
    assert len(run.attempts) == 3


def test_a_steps_own_policy_wins_over_the_default(carry_out):
    run = carry_out("""
        defaults: {retry: {attempts: 9}}
        steps: [{id: s, uses: fake.fail, with: {again: safe}, retry: {attempts: 2}}]
    """)
    assert len(run.attempts) == 2


def test_no_pause_goes_beyond_the_time_limit(carry_out):
    run = carry_out("timeout: 1m\n" + failing("{attempts: 9, delay: 40s, max_delay: 40s, jitter: false}", message="still broken"))
    assert len(run.attempts) == 2
    assert run.error.message == "still broken", "the failure itself says more than the limit"
