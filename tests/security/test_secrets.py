"""The runbook's own secrets, from every source into every field that takes one: shown nowhere, rotated and revoked in mid-run."""

from __future__ import annotations

import json
import os

import keyring
import pytest

from engine import secrets
from engine.redaction import Redactor
from tests.engine.secrets.test_keyring import Kept
from tests.security.canaries import KEY, ROTATED, leaks, left

LOGINS = {
    "bearer": '{bearer: "{{ secrets.A_TOKEN }}"}',
    "basic": '{basic: {username: ops, password: "{{ secrets.A_TOKEN }}"}}',
    "header": '{header: {name: X-Api-Key, value: "{{ secrets.A_TOKEN }}"}}',
}
LOGGED = ("--log-level", "debug", "--log-format", "json", "--log-file", "run.log")
PRINTS = """env | grep TOKEN; echo "$A_TOKEN" | base64; echo "$A_TOKEN" | rev; echo "$A_TOKEN" >&2"""


@pytest.fixture
def keep(project, monkeypatch):
    """Puts a secret where a source finds it; gives the reference."""
    path = project.folder / "the.key"
    ring, before = Kept(), keyring.get_keyring()
    keyring.set_keyring(ring)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(project.folder))
    references = {
        "cmd": f"cmd:cat {path}", "env": "env:KEPT_HERE", "file": f"file:{path}", "keyring": "keyring:ops/ana", "systemd": "systemd:the.key",
    }  # fmt: skip

    def keep(source, value):
        if source == "env":
            monkeypatch.setenv("KEPT_HERE", value)
        elif source == "keyring":
            ring.set_password("ops", "ana", value)
        else:
            path.write_text(value + "\n")
            path.chmod(0o600)
        return references[source]

    yield keep
    keyring.set_keyring(before)


@pytest.fixture
def configured(project, echoing, keep):
    """A project whose one secret, and whose one key, live in a source; gives the reference as it is told."""

    def configured(source, value=KEY):
        reference = keep(source, value)
        project.write("opsbook.yaml", f"""\
            connections: {{opsgenie: {{url: "{echoing.url}", keys: [{{kind: integration, secret: "{reference}"}}]}}}}
            secrets: {{A_TOKEN: "{reference}"}}
            http: {{allow: ["{echoing.url}"]}}
            """)  # fmt: skip
        return "cmd:cat …" if source == "cmd" else reference

    return configured


@pytest.fixture
def book(project, echoing):
    def book(*steps, rest=""):
        lines = "\n".join(f"  - {step.replace('URL', echoing.url)}" for step in steps)
        return project.runbook(f"secrets: [A_TOKEN]\nsteps:\n{lines}\n{rest}")

    return book


def web(name, login="bearer", method="GET"):
    return f'{{id: {name}, uses: core.http, with: {{method: {method}, url: "URL/v2/alerts/a-1", auth: {LOGINS[login]}, parse: text}}}}'


def nothing_leaks(project, *told, keys=(KEY,)):
    for key in keys:
        found = {f"printed {number}": leaks(text, key) for number, text in enumerate(told)}
        found |= {name: leaks(text, key) for name, text in left(project.folder).items()}
        assert {name: names for name, names in found.items() if names} == {}


def test_the_sources_are_all_here(keep):
    assert [source for source in secrets.SOURCES if not keep(source, KEY).startswith(f"{source}:")] == []


@pytest.mark.parametrize("flags", [(), ("-v",), ("--json",), ("-q",), LOGGED], ids=str)
@pytest.mark.parametrize("source", secrets.SOURCES)
def test_no_sink_shows_it(project, echoing, configured, book, source, flags):
    configured(source)
    command = f"{{id: command, uses: core.command, with: {{argv: [sh, -c, {json.dumps(PRINTS)}], env: {{A_TOKEN: '{{{{ secrets.A_TOKEN }}}}'}}}}}}"
    path = book(
        *(web(name, name) for name in LOGINS),
        web("put", "basic", "PUT"),
        command,
        '{id: log, uses: core.log, with: {message: "{{ steps.bearer.outputs.text }} {{ steps.command.outputs }}"}}',
        '{id: file, uses: core.write, with: {path: all.json, json: "{{ steps }}"}}',
        rest="outputs: {all: {value: '{{ steps.basic.outputs }}'}, more: {value: '{{ steps.command.outputs }}'}}",
    )
    planned = project(*flags, "plan", path)
    assert planned.code == 0, planned.both
    done = project(*flags, "run", path, "--report", "report.html")
    assert done.code == 0, done.both
    run = next((project.folder / "state" / "runs").iterdir()).name
    shown = [project("runs", "show", run), project("--json", "audit", "show"), project("--json", "runs", "show", run)]
    nothing_leaks(project, *[text for one in (planned, done, *shown) for text in (one.out, one.err)])
    assert set(echoing.keys) == {KEY}
    assert (project.folder / "run.log").exists() is (flags == LOGGED)
    if flags == ("--json",):
        assert json.loads(done.out)["outputs"]["more"]["stdout"].count("***") >= 3


@pytest.mark.parametrize("login", LOGINS)
def test_each_login_is_sent_as_the_service_wants_it(project, echoing, configured, book, login):
    configured("env")
    assert project("run", book(web("one", login))).code == 0
    assert echoing.keys == [KEY]


@pytest.mark.parametrize("source", secrets.SOURCES)
def test_the_audit_log_says_once_what_was_resolved(project, echoing, configured, book, source):
    reference = configured(source)
    path = book(web("one"), web("two", "header"), "{id: three, uses: opsgenie.alert.get, with: {identifier: a-1}}")
    assert project("run", path).code == 0
    events = _events(project)
    [resolved] = [event for event in events if event["event"] == "secret.resolved"]
    assert resolved["reference"] == reference
    used = [event["key_used"] for event in events if "key_used" in event]
    assert {(one["reference"], one["fingerprint"]) for one in used} == {(reference, resolved["fingerprint"])}
    assert {one["kind"] for one in used} == {"bearer", "header", "integration"}


def _events(project):
    [log] = (project.folder / "state" / "runs").glob("*/audit.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("source", secrets.SOURCES)
def test_a_rotated_secret_is_asked_for_once_more(project, echoing, configured, keep, book, source, number):
    """Wherever it lives, whoever uses it: the run goes on with the new one, which all of them then have."""
    configured(source)

    def rotate():
        if len(echoing.asked) == number:
            echoing.accepts = ROTATED
            keep(source, ROTATED)

    echoing.on_request = rotate
    key = "{{id: {}, uses: opsgenie.alert.get, with: {{identifier: a-1}}}}"
    done = project("--json", "run", book(web("a"), key.format("b"), web("c", "basic"), key.format("d")))
    assert done.code == 0, done.both
    assert echoing.keys == [KEY] * number + [ROTATED] * (5 - number)
    assert sum(event["event"] == "secret.resolved" for event in _events(project)) == 2
    nothing_leaks(project, done.out, done.err, keys=(KEY, ROTATED))


@pytest.mark.parametrize("login", [*LOGINS, "key"])
@pytest.mark.parametrize("source", secrets.SOURCES)
def test_a_revoked_secret_is_tried_once_and_named_by_its_reference(project, echoing, configured, book, source, login):
    reference = configured(source)
    echoing.accepts = "another"
    step = "{id: a, uses: opsgenie.alert.get, with: {identifier: a-1}}" if login == "key" else web("a", login)
    done = project("run", book(step, web("b")))
    assert done.code == 4, done.both
    assert echoing.keys == [KEY]
    assert reference in done.both
    assert sum(event["event"] == "secret.resolved" for event in _events(project)) == 2
    nothing_leaks(project, done.out, done.err)


@pytest.mark.parametrize("source", ["cmd", "file", "systemd"])
def test_a_secret_that_went_away_sends_nothing_more(project, echoing, configured, book, source):
    configured(source)

    def revoke():
        echoing.accepts = "another"
        (project.folder / "the.key").unlink()

    echoing.on_request = revoke
    done = project("run", book(web("a")))
    assert done.code == 4, done.both
    assert echoing.keys == [KEY]
    nothing_leaks(project, done.out, done.err)


def test_ten_threads_ask_a_program_once(project, echoing, keep, book):
    count = project.folder / "count"
    keep("file", KEY)
    script = project.write("tell.sh", f"#!/bin/sh\necho x >> {count}\ncat {project.folder}/the.key\n")
    os.chmod(script, 0o700)
    project.write("opsbook.yaml", f'secrets: {{A_TOKEN: "cmd:{script}"}}\nhttp: {{allow: ["{echoing.url}"]}}\n')
    loop = web("each")[:-1] + ', for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], key: "{{ item }}", max_parallel: 10}'
    path = book(loop)
    assert project("validate", path).code == 0
    assert project("plan", "--offline", path).code == 0
    assert not count.exists()
    done = project("run", path)
    assert done.code == 0, done.both
    assert (count.read_text(), len(echoing.keys)) == ("x\n", 10)

    echoing.accepts = ROTATED
    keep("file", ROTATED)
    assert project("run", path).code == 0
    assert count.read_text() == "x\n" * 2


PLACES = {
    "a message": '{id: a, uses: core.log, with: {message: "{{ secrets.A_TOKEN }}"}}  # noqa',
    "a condition": '{id: a, if: secrets.A_TOKEN != "x", uses: core.log, with: {message: a}}  # noqa',
    "an address": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2/{{ secrets.A_TOKEN }}"}}  # noqa',
    "a query": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", query: {q: "{{ secrets.A_TOKEN }}"}}}  # noqa',
    "a header": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", headers: {X-It: "{{ secrets.A_TOKEN }}"}}}  # noqa',
    "a body": '{id: a, uses: core.http, with: {method: PUT, url: "URL/v2", json: {t: ["{{ secrets.A_TOKEN }}"]}}}  # noqa',
    "a name": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {basic: {username: "{{ secrets.A_TOKEN }}", password: "{{ secrets.A_TOKEN }}"}}}}  # noqa',
    "a prefix": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {bearer: "x {{ secrets.A_TOKEN }}"}}}  # noqa',
    "a filter": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {bearer: "{{ secrets.A_TOKEN | upper }}"}}}  # noqa',
    "brackets": """{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {bearer: "{{ secrets['A_TOKEN'] }}"}}}  # noqa""",
    "an argument": '{id: a, uses: core.command, with: {argv: [echo, "{{ secrets.A_TOKEN }}"]}}  # noqa',
    "stdin": '{id: a, uses: core.command, with: {argv: [cat], stdin: "{{ secrets.A_TOKEN }}"}}  # noqa',
    "a file": '{id: a, uses: core.write, with: {path: x, json: "{{ secrets }}"}}  # noqa',
    "a value": '{id: a, uses: core.set, with: {x: {y: "{{ secrets.A_TOKEN | default(1) }}"}}}  # noqa',
    "a note": '{id: a, uses: opsgenie.alert.add_note, with: {identifier: x, note: "{{ secrets.A_TOKEN }}"}}  # noqa',
    "a loop": '{id: a, for_each: "{{ [secrets.A_TOKEN] }}", key: "{{ item }}", uses: core.log, with: {message: "{{ item }}"}}  # noqa',
    "another's name": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {bearer: "{{ secrets.NOT_LISTED }}"}}}  # noqa',
    "an input": '{id: a, uses: core.http, with: {method: GET, url: "URL/v2", auth: {bearer: "{{ inputs.it }}"}}}  # noqa',
}


@pytest.mark.parametrize("name", PLACES)
def test_a_secret_is_refused_elsewhere_in_a_run_too(project, echoing, configured, book, name):
    """Even where an author has silenced the check."""
    configured("env")
    path = book(PLACES[name], rest="inputs: {it: {type: string, default: '{{ secrets.A_TOKEN }}'}}")
    assert project("validate", path).code == 0, "noqa silences"
    done = project("run", path, "--report", "report.html")
    assert done.code in (1, 4), done.both
    assert "secret" in done.both
    assert echoing.asked == []
    nothing_leaks(project, done.out, done.err)


@pytest.mark.parametrize("rest", ['vars: {x: "{{ secrets.A_TOKEN }}"}  # noqa', 'outputs: {x: {value: "{{ secrets.A_TOKEN }}"}}  # noqa'])
def test_a_secret_is_refused_around_the_steps_in_a_run_too(project, configured, book, rest):
    configured("env")
    done = project("run", book("{id: a, uses: core.log, with: {message: a}}", rest=rest))
    assert done.code == 1, done.both
    assert "a secret can only be the whole value" in done.both
    nothing_leaks(project, done.out, done.err)


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_secret_without_a_reference_ends_it_before_anything_is_sent(project, echoing, book, verb):
    project.write("opsbook.yaml", f'secrets: {{B_TOKEN: "env:X"}}\nhttp: {{allow: ["{echoing.url}"]}}\n')
    done = project(verb, book(web("a")))
    assert done.code == 4, done.both
    assert "the secret A_TOKEN has no reference in the configuration" in done.both
    assert echoing.asked == []
    assert list((project.folder / "state").glob("runs/*/audit.jsonl")) == []


def test_a_secret_that_cannot_be_read_ends_it_before_anything_is_sent(project, echoing, configured, book, monkeypatch):
    configured("env")
    monkeypatch.delenv("KEPT_HERE")
    done = project("run", book("{id: a, uses: opsgenie.alert.list}", web("b")))
    assert done.code == 4, done.both
    assert "KEPT_HERE is not set" in done.both
    assert echoing.asked == []


def test_children_see_a_secret_only_when_they_are_given_it(project, configured, book):
    """The configuration's variable itself is not passed on, nor is what another step was given."""
    configured("env")
    done = project("--json", "run", book(
        "{id: given, uses: core.command, with: {argv: [sh, -c, 'printf %s $A_TOKEN$KEPT_HERE | wc -c'], env: {A_TOKEN: '{{ secrets.A_TOKEN }}'}}}",
        "{id: other, uses: core.command, with: {argv: [sh, -c, env]}}",
        rest="outputs: {given: {value: '{{ steps.given.outputs.data }}'}, other: {value: '{{ steps.other.outputs.data }}'}}",
    ))  # fmt: skip
    assert done.code == 0, done.both
    outputs = json.loads(done.out)["outputs"]
    assert outputs["given"].strip() == str(len(KEY))
    assert "TOKEN" not in outputs["other"]
    assert "KEPT_HERE" not in outputs["other"]


def test_an_input_that_holds_a_secret_is_refused(project, echoing, configured, book):
    configured("env")
    path = book(web("a"), '{id: b, uses: core.log, with: {message: "{{ inputs.it }}"}}', rest="inputs: {it: {type: string}}")
    done = project("run", path, "-i", f"it=before {KEY} after")
    assert done.code == 3, done.both
    assert echoing.asked == []
    nothing_leaks(project, done.out, done.err)


def test_a_secret_is_not_sent_over_plain_http_to_another_machine(project, configured, book):
    configured("env")
    project.write(
        "opsbook.yaml",
        (project.folder / "opsbook.yaml").read_text().replace("http: {allow: [", 'http: {allow: ["http://127.example.com", '),
    )
    done = project("run", book(web("a").replace("URL", "http://127.example.com")))
    assert done.code == 1, done.both
    assert "not sent over plain http" in done.both


@pytest.mark.parametrize("login", ["bearer", "header"])
def test_a_literal_where_a_secret_belongs_is_refused_without_echo(project, book, login):
    path = book(web("a", login).replace("{{ secrets.A_TOKEN }}", KEY))
    for verb in (("validate",), ("run",), ("plan",), ("validate", "--format", "sarif")):
        done = project(*verb, path)
        assert done.code in (1, 3), done.both
        assert leaks(done.both) == []


def test_a_run_goes_on_after_a_stop_with_the_secret_of_that_day(project, echoing, configured, keep, book):
    """A lost answer parks it; by the time a person decides, the secret is another."""
    configured("file")
    echoing.modes["/v2/alerts"] = lambda _service, _request, key, headers: (503, headers, {"message": f"down, {key}"})
    path = book("{id: before, uses: core.log, with: {message: a}}", web("post", method="POST"), web("after"))
    done = project("run", path)
    assert done.code == 7, done.both
    echoing.modes.clear()
    echoing.accepts = keep("file", ROTATED) and ROTATED
    run = next((project.folder / "state" / "runs").iterdir()).name
    resumed = project("resume", run, "--on-doubt", "resend")
    assert resumed.code == 0, resumed.both
    assert echoing.keys == [KEY, ROTATED, ROTATED]
    assert len({event["fingerprint"] for event in _events(project) if event["event"] == "secret.resolved"}) == 2
    nothing_leaks(project, done.out, done.err, resumed.out, resumed.err, keys=(KEY, ROTATED))


@pytest.mark.parametrize("step", [web("a", method="POST"), "{id: a, uses: opsgenie.alert.add_note, with: {identifier: a-1, note: x}}"])
def test_a_refused_step_that_was_rescued_is_not_sent_when_the_run_goes_on(project, echoing, configured, keep, book, step):
    """The rescue has run: what was refused then stays refused, whatever the secret is by now."""
    configured("file")
    echoing.accepts = "another"

    def down(_service, _request, _key, headers):
        return 503, headers, {}

    echoing.modes["/doubt"] = down
    doubt = web("doubt", method="POST").replace("/v2/alerts/a-1", "/doubt").replace(f", auth: {LOGINS['bearer']}", "")
    path = book("{id: both, block: [" + step + "], rescue: [{id: mend, uses: core.log, with: {message: mended}}]}", doubt)
    echoing.on_request = lambda: setattr(echoing, "accepts", None if "doubt" in echoing.asked[-1][1] else "another")
    done = project("run", path)
    assert done.code == 7, done.both
    refused = len([one for one in echoing.asked if "doubt" not in one[1]])
    keep("file", ROTATED)
    echoing.modes.clear()
    echoing.on_request = lambda: None
    echoing.accepts = None
    run = next((project.folder / "state" / "runs").iterdir()).name
    resumed = project("--json", "resume", run, "--on-doubt", "resend")
    assert resumed.code == 0, resumed.both
    assert len([one for one in echoing.asked if "doubt" not in one[1]]) == refused
    states = {state["id"]: state["status"] for state in json.loads(resumed.out)["steps"]}
    assert (states["a"], states["mend"]) == ("failed", "succeeded")


def test_a_fault_of_our_own_shows_no_secret(project, configured, book, fake, monkeypatch):
    """An exception whose text is the secret, in a step that was given none: what is told is where it happened."""
    configured("cmd")

    def fault(given, context):
        raise ZeroDivisionError(f"Bearer {KEY}")

    made = fake.steps()
    made["fake.boom"]._perform = fault
    monkeypatch.setattr(fake, "steps", lambda: made)
    done = project("-v", "run", book(web("a"), "{id: boom, uses: fake.boom}"))
    assert done.code == 1
    assert "opsbook itself has a fault: ZeroDivisionError" in done.err
    nothing_leaks(project, done.out, done.err)


def test_the_matrix_would_see_a_leak(project, configured, book, monkeypatch):
    """With the filter off, the secret is found: the tests above can fail."""
    configured("env")
    monkeypatch.setattr(Redactor, "text", lambda _self, text: text)
    monkeypatch.setattr(Redactor, "value", lambda _self, value: value)
    print_it = "{id: c, uses: core.command, with: {argv: [sh, -c, 'echo $T'], env: {T: '{{ secrets.A_TOKEN }}'}}}"
    done = project("--json", "run", book(print_it, rest="outputs: {x: {value: '{{ steps.c.outputs.data }}'}}"))
    assert "plain" in leaks(done.out)
    assert any(leaks(text) for name, text in left(project.folder).items() if name.endswith("results.jsonl"))
