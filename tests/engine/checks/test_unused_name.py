from engine.checks import unused_name


def test_what_nothing_reads(marked):
    text = """
        inputs: {used: {type: string}, unused: {type: string}, key: {type: string}, quoted: {type: string}}
        vars: {a: "{{ inputs.used }}", b: fixed}
        steps:
          - for_each: ["{{ vars.a }}"]
            key: "{{ inputs.key }}"
            uses: fake.say
            with: {message: inputs.quoted}
    """
    assert marked(unused_name, text) == ["unused", "quoted", "b"]


def test_every_place_counts(marked):
    text = """
        inputs: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}}
        checks: [{that: inputs.a == 1, message: "{{ inputs.b }}"}]
        concurrency: {group: "{{ inputs.c }}"}
        timeout: "{{ inputs.d }}"
        outputs: {x: {value: "{{ inputs.e }}"}}
        steps:
          - {uses: fake.rules, with: {rules: [{if: alert.title == inputs.f}]}}
        finally:
          - fail: "{{ inputs.g }}"
    """
    assert marked(unused_name, text) == []


def test_reading_all_of_them_reads_each(marked):
    assert marked(unused_name, 'inputs: {a: {}, b: {}}\nvars: {all: "{{ inputs }}"}\nconcurrency: {group: a}\n') == ["all"]


def test_a_template_that_cannot_be_read_may_read_what_it_names(marked):
    assert marked(unused_name, 'inputs: {team: {}, other: {}}\nsteps:\n  - fail: "{{ inputs.team"\n') == ["other"]


def test_a_secret_that_nothing_takes(marked):
    text = """
        secrets: [A_TOKEN, OTHER]
        steps:
          - {uses: fake.login, with: {key: "{{ secrets.A_TOKEN }}"}}
    """
    assert marked(unused_name, text) == ["OTHER"]
