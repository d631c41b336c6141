"""`return`."""


def test_return_ends_the_run_well_with_its_outputs(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.say, with: {value: [1, 2]}}
          - {id: r, if: steps.a.outputs.value | length == 2, return: {n: "{{ steps.a.outputs.value }}", text: "got {{ steps.a.outputs.value | length }}"}}
          - {id: never, uses: fake.say}
        finally: [{id: last, uses: fake.say, with: {value: "{{ run.status }}"}}]
        outputs: {other: {value: 1}}
    """)
    assert (run.status, run.outputs) == ("succeeded", {"n": [1, 2], "text": "got 2"})
    assert run.statuses["never"] == "pending"
    assert run.seen == [[1, 2], "succeeded"]


def test_a_return_whose_condition_does_not_hold_is_passed(carry_out):
    run = carry_out("""
        steps:
          - {id: r, if: 1 > 2, return: {}}
          - {id: a, uses: fake.say, with: {value: 1}}
    """)
    assert (run.seen, run.statuses["r"]) == ([1], "skipped")


def test_return_in_a_loop_ends_the_run(carry_out):
    run = carry_out("""
        steps:
          - for_each: [1, 2, 3]
            block:
              - {uses: fake.say, with: {value: "{{ item }}"}}
              - {if: item == 2, return: {found: "{{ item }}"}}
    """)
    assert (run.status, run.outputs, run.seen) == ("succeeded", {"found": 2}, [1, 2])


def test_a_return_and_what_it_leaves_have_succeeded(carry_out):
    run = carry_out("steps: [{id: b, block: [{id: l, for_each: [1], block: [{id: r, return: {}}]}]}]")
    assert (run.statuses["b"], run.statuses["l"]) == ("succeeded", "succeeded")
    assert [(key, fields["status"]) for event, key, fields in run.backend.told if event == "step.ended"] == [
        ("l[0]/r", "succeeded"), ("l[0]/l", "succeeded"), ("l", "succeeded"), ("b", "succeeded"),
    ]  # fmt: skip
