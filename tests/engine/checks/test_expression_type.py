import pytest

from engine.checks import expression_type

HEAD = "inputs: {text: {type: string}, size: {type: integer}, list: {type: array, items: {type: integer}}, any: {}}\nsteps:\n"


@pytest.mark.parametrize(
    ("step", "marks"),
    [
        ('{uses: fake.open, with: {message: "{{ inputs.size }}"}}', ['"{{ inputs.size }}"!']),
        ('{uses: fake.open, with: {message: hello, size: "{{ inputs.text }}"}}', ['"{{ inputs.text }}"!']),
        ('{uses: fake.open, with: {message: hello, tags: "{{ inputs.list }}"}}', ['"{{ inputs.list }}"!']),
        ('{uses: fake.open, with: {message: hello, tags: ["{{ inputs.size }}"]}}', ['"{{ inputs.size }}"!']),
        ('{for_each: "{{ inputs.text }}", uses: fake.say, with: {message: hello}}', ['"{{ inputs.text }}"!']),
        ('{wait: "{{ inputs.size }}"}', ['"{{ inputs.size }}"!']),
        ('{uses: fake.find, until: {condition: result.count > 0, every: "{{ inputs.size }}"}}', ['"{{ inputs.size }}"!']),
        ('{uses: fake.find, timeout: "{{ inputs.size }}"}', ['"{{ inputs.size }}"!']),
        ("{for_each: inputs.list, uses: fake.say, with: {message: hello}}", ["inputs.list!"]),
        ("{if: inputs.size > inputs.text, wait: 1s}", ["inputs.size!"]),
        ('{uses: fake.open, with: {message: "size {{ inputs.size }}", size: "{{ inputs.size }}", priority: "{{ inputs.text }}"}}', []),
        ('{uses: fake.open, with: {message: "{{ inputs.any }}", size: "{{ inputs.text | int }}", tags: "{{ inputs.any }}"}}', []),
        ('{for_each: "{{ inputs.list }}", uses: fake.open, with: {message: hello, size: "{{ item }}"}}', []),
        ('{wait: "{{ inputs.text }}"}', []),
    ],
)
def test_values_and_fields(marked, step, marks):
    assert marked(expression_type, HEAD + f"  - {step}\n") == marks


def test_outputs_are_what_they_say(marked):
    text = """
        inputs: {text: {type: string}}
        steps: [{uses: fake.say, with: {message: hello}}]
        outputs:
          size: {type: integer, value: "{{ inputs.text }}"}
          text: {type: string, value: "{{ inputs.text }}"}
    """
    assert marked(expression_type, text) == ['"{{ inputs.text }}"!']


def test_it_says_which_field(subject):
    (finding,) = expression_type.check(subject(HEAD + '  - {uses: fake.open, with: {message: hello, tags: ["{{ inputs.size }}"]}}\n'))
    assert finding.message == "with.tags[0] is integer, and string is needed"


@pytest.mark.parametrize(
    ("items", "hint"),
    [
        ("inputs.list", 'write "{{ inputs.list }}"'),
        ("steps.a.outputs.b", 'write "{{ steps.a.outputs.b }}"'),
        ("a, b", "write a list, or a "),
    ],
)
def test_a_loop_over_plain_text_is_told_how_to_name_a_list(subject, items, hint):
    (finding,) = expression_type.check(subject(HEAD + f'  - {{for_each: "{items}", wait: 1s}}\n'))
    assert finding.hint.startswith(hint)
