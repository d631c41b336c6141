"""`for_each`: items, keys, order, and what is left after the loop."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_each_item_in_order_with_its_place(carry_out):
    run = carry_out("""
        steps:
          - {id: s, for_each: "{{ inputs.people }}", as: person, key: "{{ person.name }}", uses: fake.say,
             with: {value: "{{ loop.index }}/{{ loop.length }} {{ person.name }}"}}
    """, {"people": [{"name": "ana"}, {"name": "bo"}]})  # fmt: skip
    assert run.seen == ["1/2 ana", "2/2 bo"]
    assert run.step("s") == {
        "status": "succeeded",
        "outputs": [{"value": "1/2 ana"}, {"value": "2/2 bo"}],
        "items": {"total": 2, "succeeded": 2, "failed": 0, "skipped": 0, "cancelled": 0},
    }
    assert [action.item for action in run.backend.actions] == ["ana", "bo"]


def test_items_may_be_written_out_and_are_called_item(carry_out):
    run = carry_out('steps: [{id: s, for_each: [a, "{{ inputs.b }}", 3], uses: fake.say, with: {value: "{{ item }}"}}]', {"b": [1]})
    assert run.seen == ["a", [1], 3]
    assert [action.item for action in run.backend.actions] == ["0", "1", "2"]


def test_no_items_is_a_success(carry_out):
    run = carry_out('steps: [{id: s, for_each: [], uses: fake.say}, {uses: fake.say, with: {value: "{{ steps.s.outputs | length }}"}}]')
    assert (run.status, run.step("s")["outputs"], run.seen) == ("succeeded", [], [0])


@pytest.mark.parametrize(
    ("value", "said"), [("text", "text"), ({"a": 1}, "a mapping"), (3, "a number"), (None, "null"), (True, "true or false")]
)
def test_anything_but_a_list_is_refused(carry_out, value, said):
    run = carry_out('steps: [{id: s, for_each: "{{ inputs.x }}", uses: fake.say}]', {"x": value})
    assert run.error.message == f"for_each needs a list, not {said}"


def test_equal_keys_are_refused_before_the_first_item(carry_out):
    run = carry_out('steps: [{id: s, for_each: [a, b, a], key: "{{ item }}", uses: fake.say}]')
    assert (run.seen, run.error.code) == ([], "loop")
    assert "items 1 and 3" in run.error.message


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_a_key_must_be_fit_for_a_log(carry_out, key):
    run = carry_out('steps: [{id: s, for_each: "{{ inputs.x }}", key: "{{ item }}", uses: fake.say}]', {"x": ["ok", key]})
    assert (run.seen, run.error.code) == ([], "loop")
    assert "item 2" in run.error.message


def test_places_of_nested_items_never_read_the_same(carry_out):
    run = carry_out("""
        steps:
          - {id: o, for_each: "{{ inputs.x }}", as: outer, key: "{{ outer.k }}", block: [
              {id: i, for_each: "{{ outer.l }}", as: inner, key: "{{ inner }}", uses: fake.say}]}
    """, {"x": [{"k": "a/b", "l": ["c"]}, {"k": "a", "l": ["b/c"]}, {"k": "a]/i[b", "l": ["c"]}, {"k": "a%2F", "l": ["b]/i[c"]}]})  # fmt: skip
    assert len({action.key for action in run.backend.actions}) == 4
    assert len({(action.step, action.item) for action in run.backend.actions}) == 4


def test_a_condition_about_the_item_is_asked_for_each(carry_out):
    run = carry_out("""
        steps: [{id: s, for_each: [1, 2, 3], if: item != 2, uses: fake.say, with: {value: "{{ item }}"}}]
    """)
    assert run.step("s")["outputs"] == [{"value": 1}, None, {"value": 3}]
    assert run.step("s")["items"]["skipped"] == 1


def test_a_condition_about_the_loop_is_asked_once(carry_out):
    run = carry_out("""
        steps: [{id: s, for_each: "{{ inputs.absent }}", if: inputs.go, uses: fake.say}]
    """, {"go": False})  # fmt: skip
    assert run.step("s") == {"status": "skipped"}
    assert run.status == "succeeded"


def test_fail_fast_starts_no_further_item(carry_out):
    run = carry_out("""
        steps: [{id: s, for_each: [1, 2, 3], uses: fake.typed, with: {n: "{{ item if item != 2 else 'two' }}"}}, {id: after, uses: fake.say}]
    """)
    assert run.step("s")["items"] == {"total": 3, "succeeded": 1, "failed": 1, "skipped": 0, "cancelled": 1}
    assert run.step("s")["outputs"] == [{"n": 1}, None, None]
    assert run.statuses == {"s": "failed", "after": "pending"}
    assert run.error.message.startswith("1 of 3 items failed; the first: with.n")


def test_without_fail_fast_every_item_is_tried_and_the_loop_fails(carry_out):
    run = carry_out("""
        steps: [{id: s, for_each: [1, 2, 3], fail_fast: false, uses: fake.typed, with: {n: "{{ item if item != 2 else 'two' }}"}}]
    """)
    assert run.step("s")["items"] == {"total": 3, "succeeded": 2, "failed": 1, "skipped": 0, "cancelled": 0}
    assert run.status == "failed"


def test_continue_on_error_tries_every_item_and_goes_on(carry_out):
    run = carry_out("""
        steps:
          - {id: s, for_each: [1, 2, 3], continue_on_error: true, uses: fake.typed, with: {n: "{{ item if item != 2 else 'two' }}"}}
          - {id: after, uses: fake.say, with: {value: "{{ steps.s.status }} {{ steps.s.outputs[0].n }},{{ steps.s.outputs[2].n }}"}}
    """)
    assert run.step("s")["status"] == "failed"
    assert run.step("s")["continued"] is True
    assert run.status == "succeeded"
    assert run.seen[-1] == "failed 1,3"


def test_ids_inside_read_as_lists_after_the_loop(carry_out):
    run = carry_out(
        """
        steps:
          - id: b
            for_each: [1, 2]
            block:
              - {id: one, uses: fake.say, with: {value: "{{ item }}"}}
              - {id: two, if: item == 2, uses: fake.say, with: {value: "{{ steps.one.outputs.value * 1 if false else steps.one.outputs.value + 10 }}"}}
          - {id: after, uses: fake.say, with: {value: "{{ steps.one.outputs | map(attribute='value') | join(',') }}"}}
    """.replace("steps.one.outputs.value * 1 if false else ", "")
    )
    assert run.step("one") == {"status": "succeeded", "outputs": [{"value": 1}, {"value": 2}]}
    assert run.step("two") == {"status": "succeeded", "outputs": [None, {"value": 12}]}
    assert run.seen[-1] == "1,2"


def test_loops_nest_and_inner_ids_read_as_lists_of_lists(carry_out):
    run = carry_out("""
        steps:
          - id: outer
            for_each: [a, b]
            as: x
            block:
              - {id: inner, for_each: [1, 2], as: y, uses: fake.say, with: {value: "{{ x }}{{ y }}"}}
              - {id: sum, uses: fake.say, with: {value: "{{ steps.inner.outputs | map(attribute='value') | join('+') }}"}}
    """)
    assert run.step("inner")["outputs"] == [[{"value": "a1"}, {"value": "a2"}], [{"value": "b1"}, {"value": "b2"}]]
    assert run.step("sum")["outputs"] == [{"value": "a1+a2"}, {"value": "b1+b2"}]
    assert [action.key for action in run.backend.actions][:3] == ["outer[0]/inner[0]/inner", "outer[0]/inner[1]/inner", "outer[0]/sum"]


def test_siblings_do_not_see_each_other(carry_out):
    run = carry_out("""
        steps:
          - for_each: [1, 2]
            block:
              - {id: seen, uses: fake.say, with: {value: "{{ steps.late.status }}"}}
              - {id: late, uses: fake.say}
    """)
    assert [state["value"] for state in run.step("seen")["outputs"]] == ["pending", "pending"]


def test_items_side_by_side_wait_at_the_same_time(carry_out):
    text = "steps: [{{for_each: [1, 2, 3, 4], max_parallel: {n}, wait: 1m}}]"
    assert [carry_out(text.format(n=n)).elapsed for n in (1, 2, 3, 4, 9)] == [240, 120, 120, 60, 60]


@given(seed=st.integers(0, 2**32), count=st.integers(0, 12), parallel=st.integers(1, 8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_stand_in_item_order_whatever_the_parallelism(carry_out, seed, count, parallel):
    chance = random.Random(seed)
    items = [{"n": number, "wait": f"{chance.randrange(1000)}s"} for number in range(count)]
    run = carry_out(f"""
        steps:
          - id: loop
            for_each: "{{{{ inputs.items }}}}"
            max_parallel: {parallel}
            block:
              - wait: "{{{{ item.wait }}}}"
              - {{id: s, uses: fake.say, with: {{value: "{{{{ item.n }}}}"}}}}
    """, {"items": items})  # fmt: skip
    assert [state["value"] for state in run.step("s")["outputs"]] == list(range(count))
    assert sorted(run.seen) == list(range(count))
    if parallel == 1:
        assert run.elapsed == sum(int(item["wait"][:-1]) for item in items)


def test_a_bad_condition_fails_the_item(carry_out):
    run = carry_out("steps: [{id: s, for_each: [{a: 1}, {}], if: item.a == 1, uses: fake.say}]")
    assert run.step("s")["items"]["failed"] == 1
    assert "item.a" in run.error.message


def test_a_doubt_in_one_item_puts_the_loop_in_doubt(carry_out):
    run = carry_out(
        "steps: [{id: s, for_each: [1, 2], fail_fast: false, continue_on_error: true, uses: fake.doubt}, {id: after, uses: fake.say}]"
    )
    assert (run.status, run.statuses) == ("in_doubt", {"s": "in_doubt", "after": "pending"})
    assert len(run.backend.actions) == 1
