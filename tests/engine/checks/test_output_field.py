import pytest

from engine.checks import output_field

OPEN = "steps:\n  - {id: made, uses: fake.open, with: {message: hello}}\n  - {id: found, uses: fake.find}\n"


@pytest.mark.parametrize(
    ("template", "marks"),
    [
        ("steps.made.outputs.ID", ["steps.made.outputs.ID!"]),
        ("steps.made.state", ["steps.made.state!"]),
        ("steps.made.error.text", ["steps.made.error.text!"]),
        ("steps.found.outputs.items[0].name", ["steps.found.outputs.items[0].name!"]),
        ("run.name", ["run.name!"]),
        ("steps.made.outputs.id", []),
        ("steps.found.outputs.items[0].title", []),
        ("steps.made.continued", []),
        ("steps.absent.outputs.any", []),
        ("inputs.absent", []),
    ],
)
def test_fields_of_steps(marked, template, marks):
    assert marked(output_field, OPEN + f'  - {{uses: fake.say, with: {{message: "{{{{ {template} }}}}"}}}}\n') == marks


def test_names_bound_by_a_field(marked):
    text = """
        steps:
          - uses: fake.rules
            with:
              shape: {any: "{{ alert.nothing }}"}
              rules:
                - {if: alert.closd, note: "{{ alert.titel }}"}
                - {if: alert.closed, note: "{{ alert.title }}"}
    """
    assert marked(output_field, text) == ["alert.closd!", "alert.titel!"]


def test_result_error_item_and_loop(marked):
    text = """
        steps:
          - for_each: [{mail: a}, {mail: b}]
            key: "{{ item.male }} {{ loop.length }}"
            uses: fake.find
            until: {condition: result.cont > 0}
            retry: {if: error.sattus == 4}
            expect: [loop.indx > 0]
    """
    assert marked(output_field, text) == ["item.male!", "loop.length!", "result.cont!", "error.sattus!", "loop.indx!"]


def test_after_a_loop_outputs_are_a_list(marked):
    text = """
        steps:
          - id: all
            for_each: [a]
            block:
              - {id: made, uses: fake.open, with: {message: "{{ item }}"}}
              - {uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
          - {uses: fake.say, with: {message: "{{ steps.made.outputs.id }} {{ steps.made.outputs[0].id }} {{ steps.all.outputs[0].made.id }}"}}
          - {uses: fake.say, with: {message: "{{ steps.all.items.failed }} {{ steps.all.items.lost }}"}}
    """
    assert marked(output_field, text) == ["steps.made.outputs.id!", "steps.all.items.lost!"]


def test_what_set_gives_back_is_typed(marked):
    text = """
        steps:
          - {id: made, uses: fake.open, with: {message: hello}}
          - {id: facts, uses: core.set, with: {made: "{{ steps.made.outputs }}", fixed: {a: 1}}}
          - {uses: fake.say, with: {message: "{{ steps.facts.outputs.made.idd }} {{ steps.facts.outputs.fixed.b }} {{ steps.facts.outputs.made.id }}"}}
    """
    assert marked(output_field, text) == ["steps.facts.outputs.made.idd!", "steps.facts.outputs.fixed.b!"]
