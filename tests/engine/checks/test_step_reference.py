import pytest

from engine.checks import step_reference


def test_only_what_ran_before_can_be_read(marked):
    text = """
        steps:
          - {uses: fake.say, with: {message: "{{ steps.later.status }}"}}
          - {id: later, uses: fake.say, with: {message: hello}}
          - {uses: fake.say, with: {message: "{{ steps.later.status }} {{ steps.nowhere.status }}"}}
        outputs:
          a: {value: "{{ steps.later.status }}"}
          b: {value: "{{ steps.last.status }}"}
        finally:
          - {uses: fake.say, with: {message: "{{ steps.later.status }} {{ steps.last.status }}"}}
          - {id: last, uses: fake.say, with: {message: hello}}
    """
    assert marked(step_reference, text) == ["steps.later.status!", "steps.nowhere.status!", "steps.last.status!", "steps.last.status!"]


def test_blocks_rescue_and_always(marked):
    text = """
        steps:
          - id: all
            block:
              - {id: one, uses: fake.say, with: {message: "{{ error.message }}"}}
            rescue:
              - {id: two, uses: fake.say, with: {message: "{{ error.message }} {{ steps.one.status }} {{ steps.three.status }}"}}
            always:
              - {id: three, uses: fake.say, with: {message: "{{ steps.one.status }} {{ steps.two.status }} {{ error.message }}"}}
          - {uses: fake.say, with: {message: "{{ steps.one.status }} {{ steps.two.status }} {{ steps.three.status }} {{ steps.all.status }}"}}
    """
    assert marked(step_reference, text) == ["error.message!", "steps.three.status!", "error.message!"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("steps.self.status", "step `self` reads itself before it has ended"),
        ("steps.around.status", "step `around` is around this place and has not ended"),
        ("steps.after.status", "step `after` runs after this place"),
        ("steps.slef.status", "there is no step `slef`"),
        ("result.closed", "there is no `result` here"),
        ("itm.closed", "there is no `itm` here"),
    ],
)
def test_it_says_why(subject, expression, message):
    text = f"""
        steps:
          - id: around
            block:
              - {{id: self, uses: fake.say, with: {{message: "{{{{ {expression} }}}}"}}}}
          - {{id: after, uses: fake.say, with: {{message: hello}}}}
    """
    assert [finding.message for finding in step_reference.check(subject(text))] == [message]


def test_names_that_are_there_in_some_places_only(marked):
    text = """
        timeout: "{{ now }}"
        vars: {at: "{{ now }}"}
        concurrency: {group: "{{ run.id }}{{ vars.at }}"}
        checks: [{that: steps.a.status == "x", message: "{{ run.id }}"}]
        defaults: {retry: {if: error.status == 404}}
        steps:
          - id: a
            for_each: "{{ item }}"
            if: item != loop.index
            uses: fake.find
            with: {query: "{{ item }} {{ now }} {{ result }}"}
            until: {condition: result.count > 0, every: "{{ result.count }}"}
            expect: [result.count > loop.length]
            retry: {if: error.status == 4 and result.count > 0}
          - {uses: fake.say, with: {message: "{{ item }}"}}
    """
    expected = ["now!", "run.id!", "vars.at!", "steps.a.status!", "item!", "result!", "result.count!", "result.count!", "item!"]
    assert marked(step_reference, text) == expected
