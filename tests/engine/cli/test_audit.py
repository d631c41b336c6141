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
    assert command("audit", "show", "--since", "2100-01-01").out == "nothing in the audit log fits\n"
    text = command("audit", "show", "--run", ran["run_id"]).out
    assert "step.intent" in text and "POST" in text and len(text.splitlines()) == len(shown)
    who = shown[0]["actor"]
    assert text.splitlines()[0].endswith(f" by {who['user']} (cli)")


def test_which_secret_was_asked_for_is_shown(command, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary-81f2c7")
    command.write("opsbook.yaml", 'secrets: {TOKEN: "env:TOKEN"}')
    book = command.runbook(
        """
        secrets: [TOKEN]
        steps: [{id: a, uses: core.command, with: {argv: ["true"], env: {T: "{{ secrets.TOKEN }}"}}}]
        """
    )
    assert command("run", book).code == 0
    shown = command("audit", "show").out
    assert "secret.resolved" in shown and "env:TOKEN" in shown and "canary" not in shown


def test_events_are_found_by_key_and_by_alert(command, ran):
    alert = ran["steps"][0]["outputs"]["alertId"]
    keys = json.loads(command("audit", "show", "--key", "integration", "--json").out)
    assert {event["event"] for event in keys} == {"step.intent"}
    assert json.loads(command("audit", "show", "--key", "nobody", "--json").out) == []
    about = json.loads(command("audit", "show", "--alert", alert, "--json").out)
    assert [(event["method"], event["answer"].get("names", {}).get("alertId")) for event in about] == [("POST", None), ("GET", alert)]


def test_an_export_is_checked_elsewhere(command, ran):
    done = command("audit", "export")
    manifest, *lines = map(json.loads, done.out.splitlines())
    assert (done.code, manifest["event"], manifest["problems"], manifest["filter"]) == (0, "export.manifest", [], {})
    assert len(lines) == sum(log["lines"] for log in manifest["logs"]) == ran["audit"]["events"] + 2
    assert command("audit", "export", "--output", "all.jsonl").out == f"{len(lines) + 1} lines in all.jsonl\n"
    assert (command.folder / "all.jsonl").stat().st_mode & 0o777 == 0o600
    for expected in ([], ["--expect-head", ran["audit"]["head"]]):
        code, document, _ = verify(command, "all.jsonl", *expected)
        assert (code, document["ok"], document["events"]) == (0, True, len(lines))
    assert verify(command, "all.jsonl", "--expect-head", "f" * 64)[0] == 12
    cut = (command.folder / "all.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    (command.folder / "all.jsonl").write_bytes(b"".join(cut))
    done = command("audit", "verify", "all.jsonl")
    assert done.code == 12 and "all.jsonl:1: " in done.err


@pytest.mark.parametrize(
    ("flags", "count"),
    [(["--since", "1h"], None), (["--since", "2100-01-01"], 0), (["--key", "integration"], 4), (["--key", "nobody"], 0)],
)
def test_a_part_is_exported(command, ran, flags, count):
    done = command("audit", "export", *flags)
    manifest, *lines = map(json.loads, done.out.splitlines())
    assert (done.code, manifest["filter"]) == (0, {flags[0][2:]: flags[1]})
    assert len(lines) == (ran["audit"]["events"] if count is None else count)
    command.write("part.jsonl", done.out)
    assert command("audit", "verify", "part.jsonl").code == (0 if lines else 2)


def test_one_run_is_exported_whole(command, ran):
    command.write("run.jsonl", command("audit", "export", "--run", ran["run_id"]).out)
    code, document, _ = verify(command, "run.jsonl")
    assert (code, document["events"], document["head"]) == (0, ran["audit"]["events"], ran["audit"]["head"])


def test_a_table_for_people(command, ran):
    done = command("audit", "export", "--format", "csv", "--alert", ran["steps"][0]["outputs"]["alertId"])
    rows = done.out.splitlines()
    assert done.code == 0 and rows[0].startswith("time,run,") and any("POST" in row for row in rows)


def test_what_is_broken_is_exported_and_said(command, ran):
    log = command.folder / ran["audit"]["path"]
    log.write_bytes(log.read_bytes().replace(b'"outcome":"succeeded"', b'"outcome":"forgotten"', 1))
    done = command("audit", "export", "--output", "all.jsonl")
    assert done.code == 12 and f"{log}:4: was changed" in done.err
    exported = (command.folder / "all.jsonl").read_text()
    assert "forgotten" in exported and len(exported.splitlines()) == ran["audit"]["events"] + 3
    code, document, _ = verify(command, "all.jsonl")
    assert code == 12 and {problem["line"] for problem in document["problems"]} == {1, 7}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "missing.jsonl"], "missing.jsonl cannot be read: No such file"),
        (["verify", "empty.jsonl"], "nothing to verify in empty.jsonl"),
        (["verify", "empty.jsonl", "--run", "x"], "not both"),
        (["export", "--output", "missing/all.jsonl"], "missing/all.jsonl cannot be written: No such file"),
        (["export", "--run", "20990101"], "no run that begins"),
        (["export", "--since", "yesterday"], "--since yesterday"),
    ],
)
def test_wrong_usage_is_said(command, ran, arguments, said):
    command.write("empty.jsonl", "")
    done = command("audit", *arguments)
    assert done.code == 2 and said in done.err


def test_without_a_log_there_is_nothing_to_export(command):
    assert command("audit", "export").code == 2


def test_a_log_of_several_files_is_one_to_every_command(command, fake):
    command.write("opsbook.yaml", "audit: {segment: 1KiB}\n")
    ran = json.loads(command("run", command.runbook(BOOK), "--emulator", "--json").out)
    first = command.folder / ran["audit"]["path"]
    assert first.is_file() and len(list(first.parent.glob("audit.*.jsonl"))) == 3
    code, document, _ = verify(command, "--expect-head", ran["audit"]["head"])
    assert (code, document["events"]) == (0, ran["audit"]["events"])
    assert verify(command, "--run", ran["run_id"], "--expect-head", ran["audit"]["head"])[1]["head"] == ran["audit"]["head"]
    shown = json.loads(command("audit", "show", "--json").out)
    assert [event["seq"] for event in shown] == list(range(1, ran["audit"]["events"] + 1))
    assert "log.continued" in command("audit", "show").out
    (row,) = json.loads(command("runs", "list", "--json").out)
    assert (row["status"], row["events"]) == ("succeeded", ran["audit"]["events"])
    assert len(json.loads(command("runs", "show", ran["run_id"], "--json").out)["steps"]) == 2
    for part in sorted(first.parent.glob("audit*.jsonl")):
        kept = part.read_bytes()
        part.unlink()
        done = command("audit", "verify")
        assert done.code == 12 and done.err == f"{part}:1: is missing\n"
        part.write_bytes(kept)
    assert command("audit", "verify").code == 0
