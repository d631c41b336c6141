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

    from engine.audit import events

    validator = Draft7Validator(events.schema())
    found = json.loads(command("--json", "audit", "show").out)
    assert [(event["event"], error.message) for event in found for error in validator.iter_errors(event)] == []


def test_verify_covers_everything_or_one_run(command, done):
    whole = json.loads(command("--json", "audit", "verify").out)
    one = json.loads(command("--json", "audit", "verify", "--run", done[0]).out)
    assert whole["ok"] is one["ok"] is True
    assert whole["events"] > one["events"] > 0
    assert command("audit", "verify").out.startswith("ok: ")


def pruned(command, *flags):
    done = command("--json", "runs", "prune", *flags)
    return done.code, json.loads(done.out)


def test_runs_are_pruned_and_the_log_still_holds(command, done):
    bad, good = done
    heads = {run: json.loads(command("--json", "audit", "verify", "--run", run).out)["head"] for run in done}
    code, document = pruned(command, "--keep", "0", "--dry-run")
    assert (code, document["dry_run"], document["kept"], len(document["pruned"])) == (0, True, 0, 2)
    assert "2 runs would be pruned; 0 would be left" in command("runs", "prune", "--keep", "0", "--dry-run").out
    assert pruned(command, "--older-than", "1d")[1]["pruned"] == []
    assert set(rows(command)) == {bad, good}
    code, document = pruned(command, "--keep", "0", "--status", "failed")
    assert ([row["run_id"] for row in document["pruned"]], document["kept"]) == ([bad], 1)
    assert rows(command) == [good]
    for head in heads.values():
        assert command("audit", "verify", "--expect-head", head).code == 0
    for words in (
        ["runs", "show", bad],
        ["audit", "verify", "--run", bad],
        ["audit", "show", "--run", bad],
        ["audit", "export", "--run", bad],
    ):
        gone = command(*words)
        assert gone.code == 2 and f"the run {bad} was pruned at 20" in gone.err and heads[bad][:16] in gone.err
    assert "no run that begins" in command("runs", "show", "1999").err
    assert command("runs", "prune", "--keep", "0").out == "1 run pruned; 0 left\n"
    assert command("audit", "verify", "--expect-head", heads[bad]).code == 0
    assert command("audit", "verify", "--expect-head", "0" * 64).code == 12


def test_the_configuration_says_what_is_kept(command, done):
    refused = command("runs", "prune")
    assert refused.code == 2 and "--older-than 90d" in refused.err
    command.write("opsbook.yaml", "runs: {keep: 1}\n")
    assert pruned(command, "--keep", "9")[1]["pruned"] == []
    assert len(pruned(command)[1]["pruned"]) == 1
    assert len(rows(command)) == 1
    command.write("opsbook.yaml", "runs: {older_than: 90d}\n")
    assert pruned(command)[1]["pruned"] == []


@pytest.mark.parametrize("flags", [["--keep", "-1"], ["--older-than", "soon"], ["--keep", "0", "--status", "waiting"]])
def test_what_cannot_be_pruned_is_said(command, done, flags):
    assert command("runs", "prune", *flags).code == 2
    assert len(rows(command)) == 2


def test_a_changed_run_stays_and_is_said(command, done):
    log = next(command.folder.glob(f"state/runs/{done[0]}/audit.jsonl"))
    log.write_bytes(log.read_bytes().replace(b"no room", b"no doom", 1))
    refused = command("runs", "prune", "--keep", "0")
    assert refused.code == 12 and f"the run {done[0]} stays: {log}:" in refused.err
    assert rows(command) == [done[0]]
