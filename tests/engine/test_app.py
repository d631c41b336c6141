"""The library's public face: what validate, plan and run give and raise; and no runbook, however odd, is a fault of ours."""

import pytest

from engine import reading
from engine.app import App, Options
from engine.errors import Invalid, KeyProblem, StepError

SAY = "steps: [{id: s, uses: fake.say, with: {value: 1}}]"


@pytest.fixture
def app(command, fake):
    return lambda **options: App(Options(config="", emulator=True, **options))


def test_a_run_is_a_document_and_an_exit_status(app, command):
    result = app(trigger="cron").run(command.runbook(SAY))
    assert (result.exit_status, result.error, result.document["status"], result.document["trigger"]) == (0, None, "succeeded", "cron")
    failed = app().run(command.runbook("steps: [{uses: fake.fail}]"))
    assert (failed.exit_status, type(failed.error)) == (1, StepError)


def test_a_listener_hears_each_event_and_what_steps_say(command, fake, ears):
    app = App(Options(config="", emulator=True), ears)
    app.run(command.runbook("steps: [{id: l, uses: core.log, with: {message: hello, level: warning}}, {id: s, if: 1 > 2, wait: 1s}]"))
    assert [event for event, _ in ears] == [
        "run.started", "step.started", "said", "step.ended", "step.skipped", "run.ended",
    ]  # fmt: skip
    assert {fields["run"] for _, fields in ears} == {ears[0][1]["run"]} and ears.flushed == 1
    assert dict(ears)["said"].items() >= {"message": "hello", "level": "warning", "step": "l", "runbook": "test"}.items()


def test_checking_gives_the_runbook_and_its_inputs_or_everything_that_is_wrong(app, command):
    book = command.runbook(
        "inputs: {n: {type: integer}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.m }}', other: '{{ inputs.n }}'}}]"
    )
    with pytest.raises(Invalid) as caught:
        app().check(book, ["n=x", "o=1"], None)
    assert len(caught.value.findings) == 3
    good = command.runbook("inputs: {n: {type: integer}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.n }}'}}]")
    assert app().check(good, ["n=3"], None).inputs == {"n": 3}


def test_warnings_stop_no_run(app, command):
    book = command.runbook("vars: {unused: 1}\n" + SAY)
    findings, files = app().validate([book])
    assert [finding.severity for finding in findings] == ["warning"]
    assert files == [book]
    assert app().run(book).exit_status == 0


def test_a_key_that_may_not_do_it_is_a_key_problem_with_its_place(command, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    command.write("opsbook.yaml", "connections: {opsgenie: {keys: [{kind: integration, rights: [read], secret: 'env:SOME_KEY'}]}}")
    with pytest.raises(KeyProblem) as caught:
        App(Options()).check(command.runbook("steps: [{uses: opsgenie.alert.create, with: {message: x}}]"), [], None)
    assert [finding.id for finding in caught.value.findings] == ["RB204"]


def test_another_connection_may_be_asked_for(command, emulators):
    command.write(
        "opsbook.yaml",
        "connections: {opsgenie: {service: emulator}, other: {service: emulator, keys: [{kind: account, secret: 'env:NONE'}]}}",
    )
    book = command.runbook("steps: [{uses: opsgenie.alert.list}]")
    App(Options(connection="other", emulator=True)).run(book)
    App(Options(emulator=True)).run(book)
    assert [[line.key_kind for line in one.requests] for one in emulators] == [["account"], ["integration"]]


def test_runbooks_of_a_folder(command):
    for name in ("b/a.yaml", "b/c.yml", "b/a.test.yaml", "b/opsbook.yaml", "b/n.txt", "b/d/e.yaml"):
        command.write(name, "")
    assert [name.split("/b/")[1] for name in reading.files([str(command.folder / "b")])] == ["a.yaml", "c.yml", "d/e.yaml"]
    assert reading.files(["as/given.txt"]) == ["as/given.txt"]


ODD = [
    "inputs: {x: {$ref: 'http://127.0.0.1:9/x'}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.x }}'}}]",
    "inputs: {x: {type: strin}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.x }}'}}]",
    "inputs: {x: {pattern: '('}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.x }}'}}]",
    "inputs: {x: {type: string, default: 5}}\nsteps: [{uses: fake.say, with: {value: '{{ inputs.x }}'}}]",
    "outputs: {x: {$ref: '#/nowhere', value: 1}}\nsteps: [{wait: 1s}]",
    "concurrency: {group: 'a-{{ run.id }}'}\nsteps: [{wait: 1s}]",
    "defaults: {timeout: '{{ inputs.x }}'}\nsteps: [{wait: 1s}]",
    "defaults: {retry: {delay: '{{ inputs.x }}'}}\nsteps: [{wait: 1s}]",
    "steps: [{wait: 1s, retry: {max_delay: '1s{{ 1 }}'}}]",
    "steps: [{wait: 1s, for_each: [1], as: steps}]",
    "steps: [{wait: {until: 5}}]",
    "steps: [{fail: 5}]",
    "steps: [{uses: fake.say, with: null}]",
    "steps: [null]",
    "steps: {a: 1}",
    "steps: [{block: []}]",
    "vars: [1]\nsteps: [{wait: 1s}]",
    "steps: [{if: true, wait: 1s}]",
    "steps: [{uses: 5}]",
]


@pytest.mark.parametrize("text", ODD)
def test_what_makes_no_sense_is_a_finding(command, fake, text):
    book = command.runbook(text)
    checked, done = command("validate", book), command("run", book, "--emulator", "-i", "x=1")
    assert (checked.code, done.code) == (1, 3)
    assert "has a fault" not in checked.both + done.both


@pytest.mark.parametrize(
    "text",
    [
        "timeout: '{{ vars.x }}'\nvars: {x: soon}\nsteps: [{wait: 1s}]",
        "steps: [{wait: 1s, for_each: [1], as: self}]",
        "steps: [{wait: 1s, for_each: [1], as: ran}]",
        "steps: [{id: items, wait: 1s}, {id: keys, wait: 1s, if: steps.items.status == 'succeeded'}]",
        "timeout: 0s\nsteps: [{wait: 1s}]",
        "steps: [{wait: 400d}, {wait: 400d}]",
    ],
)
def test_odd_names_and_times_are_no_fault(command, text):
    book = command.runbook(text)
    for done in (command("validate", book), command("run", book, "--emulator"), command("plan", book, "--emulator")):
        assert done.code in (0, 1)
        assert "has a fault" not in done.both


def test_a_connection_that_is_not_configured_is_a_finding_and_the_emulator_answers_for_any(command, fake):
    book = command.runbook("steps: [{uses: fake.say, with: {value: 1}, connection: nope}]")
    config = command.write("opsbook.yaml", "connections: {opsgenie: {region: eu}}")
    findings, _ = App(Options(config=config)).validate([book])
    assert [finding.id for finding in findings] == ["RB204"]
    assert App(Options(config=config, emulator=True)).validate([book])[0] == []
    assert App(Options(config="")).validate([book])[0] == []


def test_the_line_of_a_missing_input_is_not_shown_where_a_secret_stands_on_it(app, command):
    book = command.runbook("inputs: {password: {type: string, default: hunter2hunter2}, m: {type: string}}\n" + SAY)
    with pytest.raises(Invalid) as caught:
        app().check(book, [], None)
    missing = [finding for finding in caught.value.findings if finding.id == "RB110"]
    assert [(finding.place.line, finding.source) for finding in missing] == [(3, None)]
    assert "hunter2" not in repr(caught.value.findings)
