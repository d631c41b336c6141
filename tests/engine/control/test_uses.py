"""`uses`: what reaches the backend."""


def test_an_action_says_where_what_and_with_which_connection(carry_out):
    run = carry_out("""
        steps:
          - {id: a, uses: fake.say, with: {value: "{{ inputs.n }}"}, connection: other, timeout: 7s}
    """, {"n": 2})  # fmt: skip
    (action,) = run.backend.actions
    assert (action.key, action.step, action.item, action.attempt, action.uses) == ("a", "a", None, 1, "fake.say")
    assert (action.given, action.connection, action.timeout) == ({"value": 2}, "other", 7)


def test_no_with_is_an_empty_one(carry_out):
    (action,) = carry_out("steps: [{id: a, uses: fake.say}]").backend.actions
    assert action.given == {}
