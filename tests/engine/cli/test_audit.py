"""`audit` on the command line."""

from __future__ import annotations

import json

import pytest

BOOK = "steps: [{id: a, uses: opsgenie.alert.create, with: {message: m}}, {id: b, uses: fake.say}]"


@pytest.fixture
def ran(command, fake):
    """The document of a run."""
    return json.loads(command("run", command.runbook(BOOK), "--emulator", "--json").out)


def verify(command, *arguments):
    done = command("audit", "verify", "--json", *arguments)
    return done.code, json.loads(done.out), done.err


def test_all_is_whole(command, ran):
    code, document, _ = verify(command)
    assert (code, document["ok"], document["events"], document["problems"]) == (0, True, ran["audit"]["events"], [])
    done = command("audit", "verify")
    assert done.code == 0 and document["head"] in done.out


def test_the_head_that_was_printed_is_asked_for(command, ran):
    head = ran["audit"]["head"]
    for given in (head, head[:16]):
        assert verify(command, "--run", ran["run_id"], "--expect-head", given)[0] == 0
        assert verify(command, "--expect-head", given)[0] == 0
    assert verify(command, "--expect-head", "f" * 64)[0] == 12
    code, document, _ = verify(command, "--run", ran["run_id"], "--expect-head", "f" * 64)
    assert (code, document["ok"]) == (12, False)


@pytest.mark.parametrize("given", ["", "0", "f" * 7, "g" * 8, "f" * 65])
def test_a_head_that_any_log_could_have_is_refused(command, ran, given):
    done = command("audit", "verify", "--expect-head", given)
    assert (done.code, done.out) == (2, "")
    assert "first 8 hexadecimal digits" in done.err
    assert command("audit", "verify", "--expect-head", ran["audit"]["head"][:8].upper()).code == 0


@pytest.mark.parametrize("arguments", [[], ["--run", "20261123T064213-7801c016"], ["--json"]])
@pytest.mark.parametrize("there", [True, False])
def test_where_nothing_was_written_down_nothing_holds(command, arguments, there):
    if there:
        (command.folder / "state").mkdir()
    done = command("audit", "verify", *arguments)
    assert (done.code, "ok" in done.out) == (2, False)
    assert f"nothing to verify in {command.folder / 'state'}" in done.err


def test_a_cut_tail_is_found_though_every_line_that_is_left_is_whole(command, ran):
    log = command.folder / ran["audit"]["path"]
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    for arguments in ((), ("--run", ran["run_id"]), ("--run", ran["run_id"], "--expect-head", ran["audit"]["head"])):
        code, document, err = verify(command, *arguments)
        assert code == 12 and str(log) in err
        assert document["problems"][0]["line"] == ran["audit"]["events"] - 1


def test_a_bad_line_is_named_as_file_and_line(command, ran):
    log = command.folder / ran["audit"]["path"]
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"seq":3', b'"seq":4'), *lines[3:]]))
    done = command("audit", "verify")
    assert done.code == 12 and f"{log}:3: " in done.err


def test_every_event_is_shown(command, ran):
    shown = json.loads(command("audit", "show", "--json").out)
    assert len(shown) == ran["audit"]["events"]
    assert [event["seq"] for event in shown] == list(range(1, len(shown) + 1))
    assert command("audit", "show", "--since", "2100-01-01").out == ""
    text = command("audit", "show", "--run", ran["run_id"]).out
    assert "step.intent" in text and "POST" in text and len(text.splitlines()) == len(shown)


def test_events_are_found_by_key_and_by_alert(command, ran):
    alert = ran["steps"][0]["outputs"]["alertId"]
    keys = json.loads(command("audit", "show", "--key", "integration", "--json").out)
    assert {event["event"] for event in keys} == {"step.intent"}
    assert json.loads(command("audit", "show", "--key", "nobody", "--json").out) == []
    assert all(alert in event["ids"].values() for event in json.loads(command("audit", "show", "--alert", alert, "--json").out))
