"""`runs` and `audit`: what was carried out."""

import json

import pytest


@pytest.fixture
def done(command, fake):
    """Two runs: one that failed, one that succeeded."""
    bad = command(
        "--json",
        "run",
        command.runbook(
            "steps: [{id: one, uses: fake.write, with: {a: 1}}, {id: two, uses: fake.fail, with: {message: no room}}]", "bad.yaml"
        ),
        "--emulator",
    )
    good = command(
        "--json",
        "run",
        command.runbook("steps: [{id: one, uses: opsgenie.alert.create, with: {message: x, alias: db}}]", "good.yaml"),
        "--emulator",
        "--trigger",
        "cron",
    )
    return json.loads(bad.out)["run_id"], json.loads(good.out)["run_id"]


def rows(command, *flags):
    return [row["run_id"] for row in json.loads(command("--json", "runs", "list", *flags).out)]


def test_the_list_is_newest_first_and_can_be_narrowed(command, done):
    bad, good = done
    assert set(rows(command)) == {bad, good}
    assert rows(command, "--status", "failed") == [bad]
    assert rows(command, "--status", "succeeded") == [good]
    assert len(rows(command, "--limit", "1")) == 1
    assert rows(command, "--since", "2999-01-01") == []
    assert len(rows(command, "--since", "1h")) == 2
    assert {row["trigger"] for row in json.loads(command("--json", "runs", "list").out)} == {"cli", "cron"}


def test_a_run_is_shown_with_its_steps_and_requests(command, done):
    bad, good = done
    shown = command("runs", "show", bad)
    assert (shown.code, "no room" in shown.out) == (0, True)
    document = json.loads(command("--json", "runs", "show", good).out)
    assert "opsgenie.alert.create" in json.dumps(document)
    assert "/v2/alerts" in command("runs", "show", good).out


def test_people_see_a_list(command, done):
    out = command("runs", "list").out
    assert all(run in out for run in done)


def test_the_audit_log_is_shown_and_can_be_narrowed(command, done):
    bad, good = done
    events = json.loads(command("--json", "audit", "show").out)
    assert {event["run"] for event in events} == {bad, good}
    only = json.loads(command("--json", "audit", "show", "--run", good).out)
    assert {event["run"] for event in only} == {good}
    by_key = json.loads(command("--json", "audit", "show", "--key", "emulator:integration").out)
    assert by_key
    assert {event["event"] for event in by_key} == {"step.intent"}
    text = command("audit", "show", "--run", bad)
    assert "POST" in text.out
    assert "no room" in text.out


def test_the_events_keep_to_their_published_schema(command, done):
    from jsonschema import Draft7Validator

    from engine import events

    validator = Draft7Validator(events.schema())
    found = json.loads(command("--json", "audit", "show").out)
    assert [(event["event"], error.message) for event in found for error in validator.iter_errors(event)] == []


def test_verify_covers_everything_or_one_run(command, done):
    whole = json.loads(command("--json", "audit", "verify").out)
    one = json.loads(command("--json", "audit", "verify", "--run", done[0]).out)
    assert whole["ok"] is one["ok"] is True
    assert whole["events"] > one["events"] > 0
    assert command("audit", "verify").out.startswith("ok: ")
