import pytest

from engine.checks import secret_use


def listed(step):
    return f"secrets: [A_TOKEN, OTHER]\nsteps:\n  - {step}\n"


def found(subject, text):
    return [(finding.message, finding.hint) for finding in secret_use.check(subject(text))]


@pytest.mark.parametrize(
    "given",
    ['key: "{{ secrets.A_TOKEN }}"', 'key: " {{secrets.OTHER}} "', 'env: {A: "{{ secrets.A_TOKEN }}", B: text, C: "{{ run.id }}"}'],
)
def test_a_whole_secret_in_a_field_that_takes_one(marked, given):
    assert marked(secret_use, listed(f"{{uses: fake.login, with: {{{given}}}}}")) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('key: "Bearer {{ secrets.A_TOKEN }}"', "secrets.A_TOKEN!"),
        ('key: "{{ secrets.A_TOKEN }}{{ secrets.OTHER }}"', "secrets.A_TOKEN!"),
        ('key: "{{ secrets.A_TOKEN | upper }}"', "secrets.A_TOKEN!"),
        ("key: \"{{ secrets['A_TOKEN'] }}\"", "secrets['A_TOKEN']!"),
        ('key: "{{ secrets }}"', "secrets!"),
        ('key: "{{ secrets.A_TOKEN.x }}"', "secrets.A_TOKEN.x!"),
        ('key: "{% if true %}{{ secrets.A_TOKEN }}{% endif %}"', "secrets.A_TOKEN!"),
        ('env: {A: "x{{ secrets.A_TOKEN }}"}', "secrets.A_TOKEN!"),
        ('key: "{{ secrets.A_TOKN }}"', "secrets.A_TOKN!"),
        ('key: "{{ run.id }}"', '"{{ run.id }}"!'),
    ],
)
def test_anything_else_there(marked, given, shown):
    assert marked(secret_use, listed(f"{{uses: fake.login, with: {{{given}}}}}")) == [shown]


@pytest.mark.parametrize(
    "text",
    [
        listed('{uses: fake.say, with: {message: "{{ secrets.A_TOKEN }}"}}'),
        listed('{uses: fake.say, if: secrets.A_TOKEN == "x", with: {message: a}}'),
        listed('{uses: fake.say, timeout: "{{ secrets.A_TOKEN }}", with: {message: a}}'),
        listed('{uses: fake.say, for_each: ["{{ secrets.A_TOKEN }}"], key: "{{ item }}", with: {message: a}}'),
        listed("{uses: fake.say, until: {condition: result.message == secrets.A_TOKEN, every: 1s, timeout: 2s}, with: {message: a}}"),
        listed('{uses: fake.rules, with: {rules: [{note: "{{ secrets.A_TOKEN }}"}]}}'),
        listed('{uses: core.set, with: {x: {y: ["{{ secrets.A_TOKEN }}"]}}}'),
        listed('{wait: "{{ secrets.A_TOKEN }}"}'),
        listed('{fail: "{{ secrets.A_TOKEN }}"}'),
        listed('{return: {x: "{{ secrets.A_TOKEN }}"}}'),
        'secrets: [A_TOKEN]\nvars: {x: "{{ secrets.A_TOKEN }}"}\n',
        'secrets: [A_TOKEN]\noutputs: {x: {value: "{{ secrets.A_TOKEN }}"}}\n',
        'secrets: [A_TOKEN]\nchecks: [{that: secrets.A_TOKEN != "", message: no}]\n',
        'secrets: [A_TOKEN]\nconcurrency: {group: "{{ secrets.A_TOKEN }}"}\n',
    ],
)
def test_a_secret_in_a_field_that_takes_none(marked, text):
    assert marked(secret_use, text) == ["secrets.A_TOKEN!"]


def test_an_unlisted_name_gets_advice(subject):
    text = listed('{uses: fake.login, with: {key: "{{ secrets.A_TOKN }}"}}')
    assert found(subject, text) == [("there is no `A_TOKN` under secrets:", "did you mean A_TOKEN?")]
    text = 'steps: [{uses: fake.login, with: {key: "{{ secrets.GRAFANA }}"}}]\n'
    assert found(subject, text) == [("there is no `GRAFANA` under secrets:", "write secrets: [GRAFANA] at the top")]


def test_a_field_for_secrets_alone_says_so(subject):
    text = listed('{uses: fake.login, with: {key: "{{ run.id }}"}}')
    assert found(subject, text) == [("key takes a secret and nothing else", "write {{ secrets.NAME }}")]


def test_a_loop_of_a_template_may_call_its_item_so(marked):
    text = listed('{uses: fake.say, with: {message: "{% for secrets in [1] %}{{ secrets }}{% endfor %}"}}')
    assert marked(secret_use, text) == []
