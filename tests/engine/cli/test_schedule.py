"""`schedule`: listing, installing, and a line that does its work where nothing is set."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim

from engine.schedule import cron

CRONTAB = """\
#!/bin/sh
case "$1" in
  -l) if [ -f {file} ]; then cat {file}; else echo "no crontab for me" >&2; exit 1; fi ;;
  -) cat > {file} ;;
esac
"""
NIGHTLY = """\
apiVersion: runbook/v1
name: nightly
inputs: {days: {type: integer}}
triggers:
  - {cron: "30 2 * * *", timezone: Europe/Berlin, inputs: {days: 30}}
  - {cron: "* * * * *", inputs: {days: 1}}
steps:
  - {uses: core.log, with: {message: "{{ inputs.days }} days"}}
"""


@pytest.fixture
def crontab(tmp_path, monkeypatch):
    """A crontab of our own, by a program on PATH."""
    kept, folder = tmp_path / "crontab.kept", tmp_path / "bin"
    folder.mkdir()
    (folder / "crontab").write_text(CRONTAB.format(file=kept))
    (folder / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return kept


@pytest.fixture
def nightly(command):
    return command.write("runbooks/nightly.yaml", NIGHTLY)


def document(done):
    assert done.err == ""
    return json.loads(done.out)


def test_the_list(command, nightly):
    rows = document(command("schedule", "list", "--json"))
    assert [(row["runbook"], row["cron"], row["timezone"], row["inputs"]) for row in rows] == [
        ("nightly", "30 2 * * *", "Europe/Berlin", {"days": 30}),
        ("nightly", "* * * * *", "UTC", {"days": 1}),
    ]
    assert datetime.fromisoformat(rows[0]["next"]) > datetime.now(UTC)
    told = command("schedule", "list", "runbooks/nightly.yaml").out
    assert "30 2 * * *  Europe/Berlin  next 20" in told


def test_nothing_to_list(command):
    assert command("schedule", "list").code == 2
    command.runbook("steps: [{uses: core.log, with: {message: a}}]")
    assert "no runbook here has triggers" in command("schedule", "list", ".").out
    assert document(command("schedule", "next", "book.yaml", "--json")) == []


def test_a_runbook_that_is_named_twice_is_installed_once(command, nightly, crontab):
    ways = ("runbooks", "runbooks/nightly.yaml", "./runbooks/../runbooks/nightly.yaml")
    assert len(document(command("schedule", "list", *ways, "--json"))) == 2
    assert command("schedule", "install", *ways).code == 0
    once = crontab.read_text()
    assert once.count("--scheduled") == 2
    assert command("schedule", "install", "runbooks/../runbooks").out.endswith("nothing to change\n")
    assert crontab.read_text() == once


def test_the_next_moments_are_those_of_cronsim_over_a_change_of_clocks(command, nightly):
    flags = ("--count", "4", "--from", "2027-03-26T12:00:00Z", "--json")
    command.write("one.yaml", NIGHTLY.replace('  - {cron: "* * * * *", inputs: {days: 1}}\n', ""))
    rows = document(command("schedule", "next", "one.yaml", *flags))
    start = datetime(2027, 3, 26, 12, tzinfo=UTC).astimezone(cron.zone("Europe/Berlin"))
    assert [row["time"] for row in rows] == [moment.isoformat() for moment in islice(CronSim("30 2 * * *", start), 4)]
    assert rows[1]["utc"] == "2027-03-28T01:00:00.000Z" and rows[1]["time"] == "2027-03-28T03:00:00+02:00"


def test_the_next_moments_of_several_triggers_are_in_order(command, nightly):
    told = command("schedule", "next", "--count", "4", "--from", "2026-11-23T01:28:30").out.splitlines()
    assert [line.split()[0] for line in told] == [
        "2026-11-23T01:29:00+00:00",
        "2026-11-23T02:30:00+01:00",
        "2026-11-23T01:30:00+00:00",
        "2026-11-23T01:31:00+00:00",
    ]
    assert command("schedule", "next", "--from", "tomorrow").code == 2
    assert command("schedule", "next", "--from", "9999-12-31T00:00:00Z").code == 2


def test_a_runbook_that_is_wrong_is_said(command, crontab):
    book = command.runbook('triggers: [{cron: "0 25 * * *"}]\nsteps: [{uses: core.log, with: {message: a}}]')
    for verb in ("list", "next", "install", "status"):
        done = command("schedule", verb, book)
        assert (done.code, "RB220" in done.err) == (3, True)
    assert not crontab.exists()


def test_installing_twice_changes_nothing_and_removing_leaves_the_users_lines(command, nightly, crontab):
    crontab.write_bytes(b"MAILTO=ops@example.com\r\n# no end")
    done = document(command("schedule", "install", "--json"))
    assert done["changed"] and len(done["installed"]) == 2
    before = crontab.read_bytes()
    assert document(command("schedule", "install", "--json"))["changed"] is False
    assert crontab.read_bytes() == before
    assert "nothing to change" in command("schedule", "install").out
    assert len(document(command("schedule", "remove", "--json"))["removed"]) == 2
    assert crontab.read_bytes() == b"MAILTO=ops@example.com\r\n# no end"
    assert "nothing to change" in command("schedule", "remove").out


def test_only_some_of_it(command, nightly, crontab):
    command.write("other/second.yaml", NIGHTLY.replace("nightly", "second"))
    command("schedule", "install", "runbooks", "other")
    command("schedule", "remove", "runbooks")
    assert "second.yaml" in crontab.read_text() and "nightly.yaml" not in crontab.read_text()
    command.write("other/second.yaml", NIGHTLY.replace("nightly", "second").replace("30 2", "40 2"))
    command("schedule", "install", "other")
    assert "'40 2 * * * Europe/Berlin'" in crontab.read_text() and "30 2" not in crontab.read_text()


def test_what_would_be_written_is_only_shown(command, nightly, crontab, tmp_path):
    shown = command("schedule", "install", "--print").out
    assert shown.startswith("# BEGIN opsbook schedule\n") and shown.endswith("# END opsbook schedule\n")
    assert document(command("schedule", "install", "--print", "--json"))["print"] == shown
    units = command("schedule", "install", "--print", "--systemd").out
    assert "OnCalendar=*-*-* 02:30:00 Europe/Berlin" in units
    assert not crontab.exists() and not (tmp_path / "state" / "schedule").exists()


@pytest.mark.parametrize("wrong", [("install", "--user"), ("remove", "--user"), ("remove", "--print"), ("install", "nowhere/")])
def test_wrong_words(command, nightly, crontab, wrong):
    assert command("schedule", *wrong).code in (2, 3)
    assert not crontab.exists()


def test_a_key_that_cron_will_not_have_is_noted(command, crontab):
    command.write("opsbook.yaml", 'connections: {opsgenie: {keys: [{kind: integration, secret: "env:OPS_KEY"}]}}\n')
    book = command.runbook('triggers: [{cron: "* * * * *"}]\nsteps: [{uses: opsgenie.alert.create, with: {message: a}}]')
    (note,) = document(command("schedule", "install", book, "--json"))["notes"]
    assert "cron does not set env:OPS_KEY" in note and "file:" in note


def in_nothing(line):
    """Carries a crontab line's command out as cron would, with nothing set and no terminal."""
    text = line.split(None, 5)[5].replace("\\%", "%")
    return subprocess.run(
        ["env", "-i", "/bin/sh", "-c", text],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )


def test_a_line_runs_quietly_in_an_empty_environment_and_says_everything_when_it_is_broken(command, nightly, crontab, tmp_path):
    command.write("opsbook.yaml", "write: {allow: [/srv]}\n")
    document(command("schedule", "install", "--json"))
    minutely = next(line for line in crontab.read_text().splitlines() if "'* * * * * UTC'" in line and not line.startswith("#"))
    done = in_nothing(minutely)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (row,) = document(command("runs", "list", "--json"))
    assert (row["runbook"], row["trigger"], row["status"], row["scheduled"]["trigger"]) == ("nightly", "cron", "succeeded", "* * * * * UTC")
    broken = {
        "steps:": ("stesp:", 3, "RB101"),
        "core.log, with: {message": ("core.assert, with: {that: inputs.days == 99, message", 1, "1 days"),
        "days: 1}": ("days: many}", 3, "RB221"),
        "* * * * *": ("5 * * * *", 3, "opsbook schedule install"),
    }
    for found, (instead, code, words) in broken.items():
        command.write("runbooks/nightly.yaml", NIGHTLY.replace(found, instead))
        done = in_nothing(minutely)
        assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done
    command.write("runbooks/nightly.yaml", NIGHTLY)
    command.write("opsbook.yaml", "wirte: {}\n")
    done = in_nothing(minutely)
    assert (done.returncode, "RB120" in done.stderr) == (3, True)
    (tmp_path / "runbooks" / "nightly.yaml").unlink()
    assert in_nothing(minutely).returncode == 3


def test_whether_it_ran(command, nightly, crontab, tmp_path):
    command("schedule", "install")
    fresh = document(command("schedule", "status", "--json"))
    assert {(row["state"], row["problem"]) for row in fresh} == {("waiting", False)}
    assert command("schedule", "status").code == 0
    for file in (tmp_path / "state" / "schedule").glob("*.json"):
        values = json.loads(file.read_text())
        file.write_text(json.dumps(values | {"since": "2026-01-01T00:00:00+00:00", "moment": None}))
    done = command("schedule", "status", "--json")
    assert done.code == 1 and {row["state"] for row in json.loads(done.out)} == {"missed"}
    assert command("-q", "schedule", "status").err.count("missed") == 2
    (tmp_path / "runbooks" / "nightly.yaml").unlink()
    done = command("schedule", "status", "--json")
    assert done.code == 1 and {row["state"] for row in json.loads(done.out)} == {"gone"}
    command("schedule", "remove")
    assert command("schedule", "status").code == 0


def test_the_last_run_decides(command, nightly, crontab):
    command("schedule", "install")
    command("run", nightly, "--scheduled", "* * * * * UTC", "--trigger", "cron")
    assert {row["state"] for row in document(command("schedule", "status", "--json"))} == {"succeeded", "waiting"}
    command.write(
        "runbooks/nightly.yaml", NIGHTLY.replace("core.log, with: {message", "core.assert, with: {that: inputs.days == 99, message")
    )
    command("run", nightly, "--scheduled", "* * * * * UTC", "--trigger", "cron")
    assert command("schedule", "status").code == 1


def test_run_for_a_trigger(command, nightly):
    assert command("run", nightly, "--if-due").code == 2
    assert command("run", nightly, "--scheduled", "soon").code == 2
    done = command("run", nightly, "--scheduled", "30 2 * * * Europe/Berlin", "-i", "days=7")
    assert done.code == 0 and "7 days" in done.out
    (row,) = json.loads(command("runs", "list", "--json").out)
    moment = datetime.fromisoformat(row["scheduled"]["moment"])
    assert timedelta() <= datetime.now(UTC) - moment < timedelta(hours=25)
    done = command("--json", "run", nightly, "--scheduled", "0 3 * * * UTC")
    assert (done.code, json.loads(done.out)["error"]["code"]) == (3, "invalid")
    command("run", nightly, "--scheduled", "* * * * * UTC", "--if-due")
    done = command("--json", "run", nightly, "--scheduled", "30 2 * * * Europe/Berlin", "--if-due")
    assert (done.code, json.loads(done.out)["status"]) == (0, "not_due")
