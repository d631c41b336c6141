"""What a key did, and what touched an alert."""

from __future__ import annotations

import json

import pytest

from engine.state import calls

BOOK = """
steps:
  - {id: create, uses: opsgenie.alert.create, with: {message: m, alias: db-down}}
  - {id: other, uses: opsgenie.alert.create, with: {message: n, alias: other}}
  - {id: ack, uses: opsgenie.alert.acknowledge, with: {identifier: "{{ steps.create.outputs.alertId }}"}}
  - {id: tiny, uses: opsgenie.alert.add_tags, with: {identifier: "1", identifierType: tiny, tags: [x]}}
  - {id: raw, uses: opsgenie.request, with: {method: GET, path: "/v2/alerts/{{ steps.create.outputs.alertId }}"}}
  - {id: users, uses: opsgenie.user.create, with: {username: ana@example.com, fullName: db-down, role: {name: User}}}
  - {id: gone, uses: opsgenie.alert.get, continue_on_error: true, with: {identifier: gone}}
  - {id: close, uses: opsgenie.alert.close, with: {identifier: db-down, identifierType: alias}}
"""


@pytest.fixture
def ran(command):
    """Two runs: the second raises an alert of the same alias anew."""
    first = json.loads(command("run", command.runbook(BOOK), "--emulator", "--json").out)
    assert first["status"] == "succeeded"
    again = command.runbook("steps: [{id: again, uses: opsgenie.alert.create, with: {message: m, alias: db-down}}]", "again.yaml")
    assert command("run", again, "--emulator", "--json").code == 0
    return next(step["outputs"]["alertId"] for step in first["steps"] if step["id"] == "create")


def rows(command, *flags):
    return json.loads(command("audit", "show", "--json", *flags).out)


def steps(found):
    return sorted({row["step"] for row in found})


def test_by_its_id_an_alert_is_found_from_the_moment_it_was_asked_for(command, ran):
    found = rows(command, "--alert", ran)
    assert steps(found) == ["ack", "close", "create", "raw", "tiny"]
    writes = [(row["step"], row["method"], row["outcome"], row["answer"]["status"]) for row in found if row["effect"] == "write"]
    assert writes == [(step, "POST", "succeeded", 202) for step in ("create", "ack", "tiny", "close")]


def test_by_its_alias_every_alert_that_had_it_is_found_in_all_runs(command, ran):
    found = rows(command, "--alert", "db-down")
    assert steps(found) == ["ack", "again", "close", "create", "raw", "tiny"]
    assert len({row["run"] for row in found}) == 2


def test_by_its_short_id(command, ran):
    assert steps(rows(command, "--alert", "1")) == ["ack", "close", "create", "raw", "tiny"]


@pytest.mark.parametrize("name", ["nobody", "close", "v2", "alerts", "emulator.invalid", ""])
def test_what_names_no_alert_finds_nothing(command, ran, name):
    assert rows(command, "--alert", name) == []


def test_a_key_is_found_by_reference_kind_and_fingerprint(command, ran):
    every = rows(command, "--key", "emulator:integration")
    print_of = {row["key_used"]["fingerprint"] for row in every}
    assert len(print_of) == 1 and all(row["event"] == "step.intent" for row in every)
    assert rows(command, "--key", "integration") == rows(command, "--key", print_of.pop()) == every
    assert rows(command, "--key", "env:OTHER") == []
    both = rows(command, "--key", "integration", "--alert", "other")
    assert steps(both) == ["other"]


def test_people_see_one_line_a_request_with_what_came_of_it(command, ran):
    text = command("audit", "show", "--alert", ran).out.splitlines()
    assert len(text) == len(rows(command, "--alert", ran))
    assert any(f"POST /v2/alerts/{ran}/acknowledge → 202  integration key emulator:integration" in line for line in text)
    (failed,) = command("audit", "show", "--alert", "gone").out.splitlines()
    assert "GET /v2/alerts/gone → 404  integration key" in failed


def test_time_and_run_narrow_it_down(command, ran):
    run = rows(command, "--alert", ran)[0]["run"]
    assert rows(command, "--alert", "db-down", "--run", run) == rows(command, "--alert", ran)
    assert rows(command, "--key", "integration", "--since", "2100-01-01") == []


def test_a_call_whose_answer_was_lost_says_so(command):
    book = command.runbook("steps: [{id: a, uses: opsgenie.alert.create, with: {message: m, alias: x}}]")
    assert command("run", book, "--emulator", "--faults", "opsgenie.alert.create=lost", "--json").code == 0
    found = rows(command, "--alert", "x")
    assert found[0]["outcome"] == "in doubt" and found[0]["error"]["message"]


def test_a_call_that_a_crash_cut_off_is_unknown(command, tmp_path):
    from engine.state import calls
    from engine.audit.journal import Journal

    place = tmp_path / "run-1"
    place.mkdir()
    log = Journal(place / "audit.jsonl")
    log.append("step.result", key="never@1.1", outcome="succeeded")
    log.append("step.intent", key="a@1.1", action="core.command", effect="write", attempt=1)
    log.close()
    (call,) = calls.every([place])
    assert call["outcome"] == "unknown"
    assert calls.chosen([call], alert="a") == []


@pytest.mark.parametrize(
    ("asked", "reference"),
    [
        ("file:keys/dba", "file:/srv/ops/keys/dba"),
        ("file:./keys/dba", "file:/srv/ops/keys/dba"),
        ("cmd:op read op://ops/key", "cmd:op …"),
        ("cmd:op …", "cmd:op …"),
        ("dba", None),
        ("file:ba", None),
    ],
)
def test_a_key_is_asked_for_as_the_configuration_has_it(asked, reference):
    made = [{"key_used": {"reference": one, "kind": "integration"}} for one in ("file:/srv/ops/keys/dba", "cmd:op …")]
    assert [call["key_used"]["reference"] for call in calls.chosen(made, key=asked)] == [reference] * (reference is not None)
