"""`fail`."""


def test_fail_ends_the_run_badly_with_its_message(carry_out):
    run = carry_out('steps: [{id: f, fail: "no {{ inputs.what }}"}, {id: never, uses: fake.say}]', {"what": "teams"})
    assert run.statuses == {"f": "failed", "never": "pending"}
    assert run.step("f")["error"] == {"message": "no teams", "code": "fail", "status": None}
    assert (run.status, run.error.exit_status) == ("failed", 1)


def test_a_rescue_may_catch_it(carry_out):
    run = carry_out('steps: [{block: [{fail: no}], rescue: [{uses: fake.say, with: {value: "{{ error.code }}"}}]}]')
    assert (run.status, run.seen) == ("succeeded", ["fail"])


def test_it_is_not_tried_again_unless_asked(carry_out):
    assert carry_out("steps: [{fail: no, retry: {attempts: 3, delay: 5s}}]").elapsed == 0
