from engine.checks import input_name


def test_names_that_are_not_declared(marked):
    text = """
        inputs: {team: {type: string}}
        vars: {a: "{{ vars.b }}", b: "{{ inputs.taem }}"}
        checks: [{that: inputs.tem != "", message: no}]
        concurrency: {group: "{{ inputs.group }}"}
        steps:
          - {uses: fake.say, with: {message: "{{ vars.b }} {{ inputs.team }} {{ vars.c }}"}}
    """
    assert marked(input_name, text) == ["vars.b!", "inputs.taem!", "inputs.tem!", "inputs.group!", "vars.c!"]


def test_a_later_var_is_told_from_an_unknown_one(subject):
    text = 'vars: {a: "{{ vars.b }} {{ vars.x }}", b: fixed}\n'
    assert [finding.message for finding in input_name.check(subject(text))] == [
        "vars.b is computed after this place",
        "there is no var `x`",
    ]


def test_the_nearest_name_is_offered(subject):
    found = list(input_name.check(subject('inputs: {service: {type: string}}\nvars: {a: "{{ inputs.servce }}"}\n')))
    assert [finding.hint for finding in found] == ["did you mean service?"]
