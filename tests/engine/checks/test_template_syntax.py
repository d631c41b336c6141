import pytest

from engine.checks import template_syntax


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ('{uses: fake.say, with: {message: "{{ run.id | uper }}"}}', ["uper!"]),
        ('{uses: fake.say, with: {message: "{{ run.id.upper() }}"}}', ["(!"]),
        ('{uses: fake.say, with: {message: "{{ run.id | uper }} {{ run.id is evn }} {{ run.id | uper }}"}}', ["uper!", "evn!"]),
        ('{uses: core.set, with: {"{{ run.id }}": 1, plain: {"a{% b": [{"{{c}}": 1}]}}}', ['"{{ run.id }}"!', '"a{% b"!', '"{{c}}"!']),
        ('{uses: fake.say, with: {message: "{% set x = 1 %}"}}', ["set!"]),
        ('{uses: fake.say, with: {message: "{{ run.__class__ }} {{ run.id | upper }}"}}', [".__class__!"]),
        ('{if: "{{ run.id }}", uses: fake.say, with: {message: hello}}', ["{{!"]),
        ("{if: run.id = 1, uses: fake.say, with: {message: hello}}", ["=!"]),
        ('{for_each: "{{ x", key: "{{ y", timeout: "{{ z", uses: fake.say, with: {message: hello}}', ['"{{ x"!', '"{{ y"!', '"{{ z"!']),
        ('{uses: fake.rules, with: {shape: {any: "{{ broken"}}}', []),
        ('{uses: fake.say, with: {message: "{{ run.id | upper }}"}}', []),
    ],
)
def test_templates_of_a_step(marked, text, marks):
    assert marked(template_syntax, f"steps:\n  - {text}\n") == marks


def test_a_template_that_cannot_be_read_hides_no_other_finding(marked):
    text = """
        vars: {a: "{{ x"}
        outputs: {b: {value: "{{ y"}}
        steps:
          - {uses: fake.say, with: {message: "{{ z"}}
          - fail: "{{ w"
    """
    assert marked(template_syntax, text) == ['"{{ x"!', '"{{ y"!', '"{{ z"!', '"{{ w"!']
