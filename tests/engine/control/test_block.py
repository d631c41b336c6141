"""`block`, `rescue`, `always`."""

import pytest


def test_a_block_gives_its_steps_outputs_under_their_ids(carry_out):
    run = carry_out("""
        steps:
          - {id: b, block: [{id: one, uses: fake.say, with: {value: 1}}, {id: two, uses: fake.say, with: {value: 2}}], expect: [result.two.value == 2]}
          - {id: after, uses: fake.say, with: {value: "{{ steps.one.outputs.value }}"}}
    """)
    assert run.step("b") == {"status": "succeeded", "outputs": {"one": {"value": 1}, "two": {"value": 2}}}
    assert run.seen == [1, 2, 1]


def test_a_rescued_block_succeeds_and_the_failed_step_keeps_its_error(carry_out):
    run = carry_out("""
        steps:
          - id: b
            block:
              - {id: bad, uses: fake.fail, with: {message: no room, code: full, status: 507}}
              - {id: never, uses: fake.say}
            rescue: [{id: r, uses: fake.say, with: {value: "{{ error.code }}: {{ error.message }} ({{ error.status }})"}}]
            always: [{id: a, uses: fake.say, with: {value: always}}]
          - {id: after, uses: fake.say, with: {value: "{{ steps.bad.error.message }}"}}
    """)
    assert run.statuses == {"b": "succeeded", "bad": "failed", "never": "pending", "r": "succeeded", "a": "succeeded", "after": "succeeded"}
    assert run.step("bad")["error"] == {"message": "no room", "status": 507, "code": "full"}
    assert run.seen == ["full: no room (507)", "always", "no room"]


def test_without_rescue_a_block_fails_with_its_steps_error(carry_out):
    run = carry_out("""
        steps:
          - {id: b, block: [{id: bad, uses: fake.fail, with: {message: no}}], always: [{id: a, uses: fake.say, with: {value: always}}]}
          - {id: after, uses: fake.say}
    """)
    assert run.statuses == {"b": "failed", "bad": "failed", "a": "succeeded", "after": "pending"}
    assert (run.step("b")["error"]["message"], run.error.message, run.seen) == ("no", "no", ["always"])


def test_a_rescue_that_fails_fails_the_block_with_its_own_error(carry_out):
    run = carry_out("""
        steps:
          - id: b
            block: [{id: bad, uses: fake.fail, with: {message: first}}]
            rescue: [{id: worse, uses: fake.fail, with: {message: second}}]
            always: [{id: a, uses: fake.say, with: {value: always}}]
    """)
    assert (run.status, run.error.message, run.seen) == ("failed", "second", ["always"])


def test_a_failing_always_fails_a_block_that_had_succeeded(carry_out):
    run = carry_out("""
        steps: [{id: b, block: [{id: ok, uses: fake.say}], always: [{id: a, uses: fake.fail, with: {message: last}}]}]
    """)
    assert (run.status, run.error.message, run.statuses["b"]) == ("failed", "last", "failed")


def test_a_failing_always_never_hides_an_earlier_failure(carry_out):
    run = carry_out("""
        steps: [{id: b, block: [{id: bad, uses: fake.fail, with: {message: first}}], always: [{id: a, uses: fake.fail, with: {message: last}}]}]
    """)
    assert (run.error.message, run.statuses["a"]) == ("first", "failed")


@pytest.mark.parametrize("where", ["block", "rescue"])
def test_always_is_done_before_return_leaves_the_block(carry_out, where):
    block = {"block": "[{return: {n: 1}}]", "rescue": "[{uses: fake.fail}]\n    rescue: [{return: {n: 1}}]"}[where]
    run = carry_out(f"""
steps:
  - id: b
    block: {block}
    always: [{{id: a, uses: fake.say, with: {{value: always}}}}]
  - {{id: after, uses: fake.say}}
""")
    assert (run.status, run.outputs, run.seen) == ("succeeded", {"n": 1}, ["always"])


def test_error_is_known_in_the_rescue_only(carry_out):
    run = carry_out("""
        steps:
          - id: b
            block: [{id: bad, uses: fake.fail}]
            rescue: [{id: r, uses: fake.say}]
            always: [{id: a, uses: fake.say, with: {value: "{{ error.message }}"}}]
    """)
    assert "`error` is not there" in run.error.message


def test_a_block_may_be_tried_again_as_a_whole(carry_out):
    run = carry_out("""
        steps:
          - id: b
            retry: {attempts: 3, delay: 10s, backoff: constant, jitter: false, if: error.code == "twice"}
            block:
              - {id: one, uses: fake.say, with: {value: one}}
              - {id: two, uses: fake.fail, with: {times: 2, code: twice, again: never}}
    """)
    assert (run.status, run.seen, run.elapsed) == ("succeeded", ["one"] * 3, 20)
    assert run.statuses == {"b": "succeeded", "one": "succeeded", "two": "succeeded"}
    keys = [action.key for action in run.backend.actions]
    assert len(set(keys)) == len(keys), "each attempt is journalled under a key of its own"


def test_blocks_nest_and_the_nearest_rescue_takes_the_error(carry_out):
    run = carry_out("""
        steps:
          - id: outer
            block:
              - id: inner
                block: [{id: bad, uses: fake.fail, with: {message: deep}}]
                rescue: [{id: near, uses: fake.say, with: {value: "near {{ error.message }}"}}]
            rescue: [{id: far, uses: fake.say, with: {value: far}}]
    """)
    assert run.seen == ["near deep"]
    assert run.statuses["far"] == "pending"


def test_a_skipped_block_skips_everything_inside(carry_out):
    run = carry_out("""
        steps:
          - {id: b, if: 1 > 2, block: [{id: one, uses: fake.say}], rescue: [{id: r, uses: fake.say}], always: [{id: a, uses: fake.say}]}
    """)
    assert run.statuses == {"b": "skipped", "one": "skipped", "r": "skipped", "a": "skipped"}
