"""`resume` on the command line."""

from __future__ import annotations

import json

import pytest

from engine.audit.journal import Journal

BOOK = "steps: [{id: a, uses: fake.write, with: {n: 1}}, {id: b, uses: fake.say, with: {value: 2}}]"


class Killed(BaseException):
    """Nothing catches it."""


@pytest.fixture
def interrupted(command, fake, monkeypatch):
    """Leaves a run that was killed after its first step; gives its id."""

    def interrupted(text=BOOK):
        append = Journal.append

        def dying(log, name, **fields):
            written = append(log, name, **fields)
            if name == "step.ended":
                raise Killed
            return written

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Journal, "append", dying)
            command("run", command.runbook(text), "--emulator")
        waiting = json.loads(command("runs", "list", "--status", "interrupted", "--json").out)
        return waiting[0]["run_id"]

    return interrupted


def test_a_run_is_gone_on_with(command, fake, interrupted):
    run = interrupted()
    done = command("resume", run)
    assert done.code == 0
    assert "succeeded" in done.out and run in done.out
    assert fake.seen == [{"n": 1}, 2]
    assert command("audit", "verify").code == 0
    over = command("resume", run)
    assert over.code == 2 and "there is nothing to go on with" in over.err


def test_as_one_document(command, interrupted):
    run = interrupted()
    document = json.loads(command("resume", run, "--json").out)
    assert (document["run_id"], document["status"]) == (run, "succeeded")


def test_every_run_that_waits(command, interrupted):
    assert command("resume", "--all").out == "no run waits to be gone on with\n"
    assert json.loads(command("resume", "--all", "--json").out) == []
    runs = sorted([interrupted(), interrupted()])
    documents = json.loads(command("resume", "--all", "--json").out)
    assert [document["run_id"] for document in documents] == sorted(documents[i]["run_id"] for i in range(2))
    assert {document["status"] for document in documents} == {"succeeded"} and set(runs) <= {document["run_id"] for document in documents}


def test_one_that_cannot_go_on_does_not_stop_the_others(command, interrupted):
    run = interrupted()
    log = next(command.folder.glob(f"state/runs/{run}/audit.jsonl"))
    log.write_bytes(log.read_bytes().replace(b"fake", b"evil", 1))
    interrupted()
    done = command("resume", "--all")
    assert done.code == 12
    assert f"{run}: the audit log" in done.out and "(succeeded)" in done.out
    (command.folder / "x").mkdir()
    quiet = command("resume", "--all", "-q")
    assert quiet.code == 12 and run in quiet.err
    assert json.loads(command("resume", "--all", "--json").out)[0]["error"]["code"] == "chain_broken"


@pytest.mark.parametrize("arguments", [(), ("x", "--all"), ("nothing-like-it",), ("../x",), ("x", "--on-doubt", "guess")])
def test_wrong_usage(command, arguments):
    assert command("resume", *arguments).code == 2


def test_a_run_that_is_not_in_doubt_needs_no_decision(command, interrupted):
    done = command("resume", interrupted(), "--on-doubt", "skip")
    assert done.code == 2 and "is in doubt" in done.err


def test_a_failure_is_told_even_when_quiet(command, interrupted):
    run = interrupted("steps: [{id: a, uses: fake.write, with: {n: 1}}, {fail: on purpose}]")
    done = command("resume", run, "-q")
    assert done.code == 1 and "on purpose" in done.err


UP = """
    steps:
      - {id: made, uses: opsgenie.alert.create, with: {message: "Disk full"}}
      - {id: up, uses: opsgenie.alert.escalate, with: {identifier: "{{ steps.made.outputs.alertId }}", escalation: {name: dba}}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.up.outputs.alertId }}", note: "It is up"}}
      - {id: logs, uses: opsgenie.alert.list_logs, with: {identifier: "{{ steps.made.outputs.alertId }}"}}
    outputs:
      up: {value: "{{ steps.up.outputs }}"}
      alert: {value: "{{ steps.made.outputs.alertId }}"}
      logs: {value: "{{ steps.logs.outputs.items | map(attribute='log') }}"}
"""


def test_a_call_that_is_taken_for_done_gives_the_step_its_outputs_and_is_not_sent_again(command):
    state = command.write("state.yaml", "escalations: [{name: dba}]")
    done = command(
        "--json", "run", command.runbook(UP), "--emulator", "--emulator-state", state, "--faults", "opsgenie.alert.escalate=lost"
    )
    assert done.code == 7, done.both
    gone_on = command("--json", "resume", json.loads(done.out)["run_id"], "--on-doubt", "skip")
    assert gone_on.code == 0, gone_on.both
    outputs = json.loads(gone_on.out)["outputs"]
    assert outputs["up"]["alertId"] == outputs["alert"]
    assert outputs["up"]["status"] == "Taken for done by a person"
    assert sum("scalated" in log for log in outputs["logs"]) == 1


def test_what_was_taken_for_done_stays_so_in_a_retry(command):
    state = command.write("state.yaml", "escalations: [{name: dba}]")
    path = command.runbook(UP.replace("    outputs:", "      - {fail: on purpose}\n    outputs:"))
    done = command("--json", "run", path, "--emulator", "--emulator-state", state, "--faults", "opsgenie.alert.escalate=lost")
    run = json.loads(done.out)["run_id"]
    assert command("resume", run, "--on-doubt", "skip").code == 1
    again = command("retry", run, "-v")
    assert again.code == 1, again.both
    assert "up  opsgenie.alert.escalate  kept" in again.both


ROUTED = """
    steps:
      - id: route
        uses: opsgenie.alert.route
        with: {identifier: disk, identifierType: alias, rules: [{to: [{type: escalation, name: dba}, {type: team, name: sre}]}]}
      - {id: get, uses: opsgenie.alert.get, with: {identifier: "{{ steps.route.outputs.alertId }}"}}
    outputs: {there: {value: "{{ steps.get.outputs.responders | map(attribute='type') }}"}, rule: {value: "{{ steps.route.outputs.rule }}"}}
"""


def test_a_step_of_several_calls_goes_on_after_the_one_that_is_taken_for_done(command):
    state = command.write("state.yaml", "escalations: [{name: dba}]\nteams: [{name: sre}]\nalerts: [{message: Disk full, alias: disk}]")
    done = command(
        "--json", "run", command.runbook(ROUTED), "--emulator", "--emulator-state", state, "--faults", "opsgenie.alert.escalate=lost"
    )
    assert done.code == 7, done.both
    gone_on = command("--json", "resume", json.loads(done.out)["run_id"], "--on-doubt", "skip")
    assert gone_on.code == 0, gone_on.both
    outputs = json.loads(gone_on.out)["outputs"]
    assert (sorted(outputs["there"]), outputs["rule"]) == (["escalation", "team"], 0)
