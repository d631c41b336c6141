"""`on_success` and `on_failure` as they are written: what they ask for, and what is found wrong with them before a run."""

import json

import jsonschema
import pytest

from engine import published
from engine.language import notices
from engine.project import PROVIDERS
from engine.catalog import Catalog
from engine.model import Runbook

FIND = Catalog(PROVIDERS).find
STEPS = "steps: [{id: s, uses: fake.say}]\n"


def runbook(**raw):
    return Runbook("f", "", "", "nightly", **raw)


def test_each_becomes_a_step_of_the_provider_that_serves_it():
    own = runbook(on_success={"heartbeat": "night", "connection": "ops"}, on_failure={"alert": {"message": "m"}})
    found = {one.key: one.step for one in notices.written(own, FIND)}
    ping, alert = found["on_success"], found["on_failure"]
    assert (ping.body.name, ping.body.given, ping.connection) == ("opsgenie.heartbeat.ping", {"name": "night"}, "ops")
    assert (alert.body.name, alert.connection) == ("opsgenie.alert.create", None)
    assert alert.body.given == {"message": "m", "alias": "opsbook-nightly-failed"}, "each night's failure is about the same alert"


def test_an_alias_of_the_authors_own_stays():
    (found,) = notices.written(runbook(on_failure={"alert": {"message": "m", "alias": "mine"}}), FIND)
    assert found.step.body.given["alias"] == "mine"


@pytest.mark.parametrize(
    ("own", "configured", "name"),
    [
        (None, {"heartbeat": "all"}, "all"),
        ({"heartbeat": "own"}, {"heartbeat": "all"}, "own"),
        ({}, {"heartbeat": "all"}, None),
        (None, None, None),
    ],
)
def test_the_runbook_is_stronger_than_the_configuration_and_may_want_nothing(own, configured, name):
    settings = {} if configured is None else {"on_success": configured}
    found = notices.wanted(runbook(on_success=own), settings, FIND)
    assert [one.step.body.given["name"] for one in found.values()] == ([] if name is None else [name])


def test_where_nobody_serves_it_nothing_is_wanted():
    assert notices.wanted(runbook(on_success={"heartbeat": "x"}), {}, lambda _: None) == {}


def test_its_id_is_none_that_an_author_can_give():
    (found,) = notices.written(runbook(on_success={"heartbeat": "x"}), FIND)
    assert "." in found.step.id


@pytest.fixture
def findings(command, fake):
    def findings(text, config=None):
        if config:
            command.write("opsbook.yaml", config)
        return [
            (finding["id"], finding["line"]) for finding in json.loads(command("--json", "validate", command.runbook(text)).out)["findings"]
        ]

    return findings


@pytest.mark.parametrize(
    "notice",
    [
        'on_success: {heartbeat: "{{ runbook }}-{{ run.trigger }}"}',
        'on_failure: {alert: {message: "{{ runbook }}: {{ run.status }} {{ error.message }} {{ error.code }}", priority: P1}}',
        "on_failure: {}",
    ],
)
def test_what_is_sound(findings, notice):
    assert findings(f"{STEPS}{notice}\n") == []


@pytest.mark.parametrize(
    ("notice", "found"),
    [
        ("on_failure: {alert: {mesage: m}}", ["RB104", "RB104"]),
        ("on_failure: {alert: {message: m, priority: P9}}", ["RB104"]),
        ("on_failure: {alert: {message: '{{ eror.message }}'}}", ["RB202"]),
        ("on_failure: {alert: {message: '{{ steps.s.status }}'}}", ["RB202"]),
        ("on_failure: {alert: {message: '{{ inputs.x }}'}}", ["RB202"]),
        ("on_failure: {alert: {message: '{{ error.mesage }}'}}", ["RB201"]),
        ("on_failure: {alert: {message: '{{ error.message '}}", ["RB210"]),
        ("on_failure: {alert: {message: m, tags: '{{ run.id }}'}}", ["RB208"]),
        ("on_success: {heartbeat: '{{ error.message }}'}", ["RB202"]),
        ("on_success: {heartbeat: 1}", ["RB101"]),
        ("on_success: {connection: ops}", ["RB101"]),
        ("on_success: {hartbeat: x}", ["RB101"]),
    ],
)
def test_what_is_not(findings, notice, found):
    told = findings(f"{STEPS}{notice}\n")
    assert [id for id, _ in told] == found and {line for _, line in told} == {4}


def test_keys_and_rights_are_those_of_a_step(findings, monkeypatch):
    config = "connections: {opsgenie: {keys: [{kind: integration, rights: [read], secret: 'env:K'}]}}"
    assert findings(f"{STEPS}on_failure: {{alert: {{message: m}}}}\n", config) == [("RB204", 4)]
    assert findings(f"{STEPS}on_success: {{heartbeat: h, connection: absent}}\n", config) == [("RB204", 4)]


@pytest.mark.parametrize(
    ("notice", "found"),
    [
        ("on_failure: {alert: {message: '{{ error.mesage }}'}}", "RB201"),
        ("on_failure: {alert: {mesage: m, message: m}}", "RB104"),
        ("on_success: {heartbeat: '{{ steps.s.status }}'}", "RB202"),
        ("on_success: {hartbeat: x}", "RB120"),
    ],
)
def test_those_of_the_configuration_are_checked_alike(command, fake, notice, found):
    command.write("opsbook.yaml", notice)
    document = json.loads(command("--json", "validate", command.runbook(STEPS)).out)
    told = document["findings"] if "findings" in document else document["error"]
    assert [(finding["id"], finding["file"].rpartition("/")[2], finding["line"]) for finding in told] == [(found, "opsbook.yaml", 1)]
    assert command("run", command.runbook(STEPS), "--emulator").code == 3


def test_what_was_found_clean_is_not_looked_at_again(command, fake, monkeypatch):
    from engine import reading

    command.write("opsbook.yaml", "on_failure: {alert: {message: '{{ error.message }}'}}")
    book = command.runbook("steps: [{uses: core.log, with: {message: m}}]")
    assert command("run", book, "--emulator").code == 0
    monkeypatch.setattr(reading.source, "read", lambda *_: pytest.fail("read again"))
    assert command("run", book, "--emulator").code == 0


def test_editors_know_the_fields_of_the_alert():
    catalog = Catalog(PROVIDERS)
    good = {"apiVersion": "runbook/v1", "name": "x", "steps": [{"wait": "1s"}], "on_failure": {"alert": {"message": "{{ error.message }}"}}}
    schema = jsonschema.Draft7Validator(published.document("runbook", catalog))
    assert schema.is_valid(good)
    assert not schema.is_valid({**good, "on_failure": {"alert": {"mesage": "x"}}})
    config = jsonschema.Draft7Validator(published.document("config", catalog))
    assert config.is_valid({"on_success": {"heartbeat": "x"}, "on_failure": {"alert": {"message": "x", "priority": "P1"}}})
    assert not config.is_valid({"on_failure": {"alert": {"message": "x", "priority": "P7"}}})


def test_a_word_stands_for_the_step_that_serves_it():
    assert FIND("alert").name == "opsgenie.alert.create" and FIND("heartbeat").name == "opsgenie.heartbeat.ping"
    assert FIND("nonsense") is None
