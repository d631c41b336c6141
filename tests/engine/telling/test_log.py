"""The log of operators: when there is one, where it goes, what stands in it, and that it decides nothing."""

import json
import os
import socket

import pytest

from engine.secret import Secret
from engine.telling.lines import journald

STEPS = "steps: [{id: l, uses: core.log, with: {message: hello}}, {id: s, uses: fake.write, with: {n: 1}}]"
FAILS = "steps: [{id: l, uses: core.log, with: {message: hello}}, {id: s, uses: fake.fail, with: {message: no room}}]"


@pytest.fixture(autouse=True)
def _steps(fake):
    pass


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_nobody_is_told_unless_asked(command):
    done = command("run", command.runbook(STEPS), "--emulator")
    assert (done.code, done.err) == (0, "")


def test_each_line_has_the_run_the_runbook_the_step_and_the_item(command):
    book = command.runbook("steps: [{id: s, for_each: [a, b], key: '{{ item }}', uses: fake.write}]")
    done = command("--json", "run", book, "--emulator", "--log-level", "debug", "--log-format", "json")
    told, document = lines(done.err), json.loads(done.out)
    assert {line["run"] for line in told} == {document["run_id"]} and {line["runbook"] for line in told} == {"test"}
    assert {(line["step"], line["item"]) for line in told} == {(None, None), ("s", None), ("s", "a"), ("s", "b")}
    assert all(list(line)[:8] == ["time", "level", "event", "message", "run", "runbook", "step", "item"] for line in told)
    assert [line["event"] for line in told].count("step.intent") == 2
    assert (told[0]["event"], told[-1]["event"], told[-1]["status"]) == ("run.started", "run.ended", "succeeded")


@pytest.mark.parametrize(("level", "events"), [("warning", {"step.ended", "run.ended"}), ("info", {"run.started", "step.started", "said"})])
def test_a_level_leaves_out_what_is_less_grave(command, level, events):
    done = command("run", command.runbook(FAILS), "--emulator", "--log-level", level, "--log-format", "json")
    told = {line["event"] for line in lines(done.err)}
    assert events <= told and "step.intent" not in told
    assert ("said" in told) is (level == "info")


def test_quiet_holds_the_log_back_until_something_is_wrong(command):
    assert command("-q", "run", command.runbook(STEPS), "--emulator", "--log-format", "json").both == ""
    failed = command("-q", "run", command.runbook(FAILS), "--emulator", "--log-format", "json")
    assert [line["event"] for line in lines(failed.err)][-2:] == ["step.ended", "run.ended"]


def test_a_file_takes_the_lines_of_run_after_run_and_standard_error_none(command):
    for _ in range(2):
        assert command("-q", "run", command.runbook(STEPS), "--emulator", "--log-file", "run.log").both == ""
    path = command.folder / "run.log"
    assert [line["event"] for line in lines(path.read_text())].count("run.ended") == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_moved_away_is_made_again_for_the_next_run(command, fake):
    from engine.app import App, Options

    app = App(Options(config="", emulator=True, log={"file": "run.log"}))
    app.run(command.runbook(STEPS))
    os.rename("run.log", "run.log.1")
    app.run(command.runbook(STEPS))
    assert [line["event"] for line in lines((command.folder / "run.log").read_text())][0] == "run.started"


def test_a_log_that_cannot_be_written_is_said_once_and_fails_nothing(command):
    done = command("-q", "run", command.runbook(STEPS), "--emulator", "--log-file", "absent/run.log")
    assert (done.code, done.out) == (0, "")
    assert done.err == "warning: the log absent/run.log cannot be written: No such file or directory; what is done goes on without it\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_under_the_log_fails_nothing(command):
    done = command("run", command.runbook(STEPS), "--emulator", "--log-file", "/dev/full")
    assert done.code == 0 and done.err.count("No space left on device") == 1


def test_flags_are_stronger_than_the_environment_than_the_configuration(command, monkeypatch):
    command.write("opsbook.yaml", "log: {level: error, file: logs.txt, format: people}")
    book = command.runbook(STEPS)
    command("run", book, "--emulator")
    assert not (command.folder / "logs.txt").exists()
    monkeypatch.setenv("OPSBOOK_LOG_LEVEL", "info")
    command("run", book, "--emulator")
    assert "run started" in (command.folder / "logs.txt").read_text()
    command("--log-level", "warning", "run", book, "--emulator", "--log-file", "other.txt")
    assert not (command.folder / "other.txt").exists()


def test_the_file_of_a_configuration_lies_beside_it(command, monkeypatch):
    book = command.runbook(STEPS)
    command.write("deep/er/opsbook.yaml", "log: {file: logs.txt}")
    command("run", book, "--emulator", "--config", "deep/er/opsbook.yaml")
    assert (command.folder / "deep" / "er" / "logs.txt").exists()


def test_a_word_that_means_nothing_is_refused_with_those_that_do(command, monkeypatch):
    monkeypatch.setenv("OPSBOOK_LOG_LEVEL", "loud")
    done = command("run", command.runbook(STEPS), "--emulator")
    assert done.code == 2 and "write debug, info, warning, error" in done.err


def test_why_nothing_was_done_is_logged_in_place_of_being_said(command):
    book = command.runbook("steps: [{uses: fake.absent}]")
    (line,) = lines(command("run", book, "--log-format", "json").err)
    assert (line["event"], line["level"], line["runbook"]) == ("command.failed", "error", book)
    assert [finding["id"] for finding in line["findings"]] == ["RB103"]
    done = command("run", book, "--log-file", "run.log")
    assert "RB103" in done.err and "command.failed" in (command.folder / "run.log").read_text()


def test_no_secret_and_no_control_character_reaches_the_log(command, fake, ears):
    from engine.app import App, Options

    class Learning(type(ears)):
        def __call__(self, event, fields):
            app.redactor.learn(Secret("canary-value", "env:X"))

    app = App(Options(config="", emulator=True, log={"file": "run.log", "format": "people"}), Learning())
    app.run(command.runbook('steps: [{uses: fake.fail, with: {message: "it said canary-value, Y2FuYXJ5LXZhbHVl \\e[31m"}}]'))
    text = (command.folder / "run.log").read_text()
    assert "canary" not in text and "Y2FuYXJ5" not in text
    assert r"it said ***, *** \x1b[31m" in text


def test_a_resumed_run_logs_only_what_is_new(command, fake):
    command("run", command.runbook("steps: [{id: a, uses: fake.write}, {id: b, uses: fake.doubt}]"), "--emulator")
    (run,) = os.listdir(command.folder / "state" / "runs")
    told = lines(command("resume", run, "--log-format", "json").err)
    assert [(line["event"], line["step"]) for line in told if line["step"] != "b"] == [("run.resumed", None), ("run.parked", None)]


def test_under_systemd_the_journal_gets_fields(command, monkeypatch, tmp_path):
    monkeypatch.setenv("JOURNAL_STREAM", "{0.st_dev}:{0.st_ino}".format(os.fstat(2)))
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        journal.setblocking(False)
        done = command("-q", "run", command.runbook("steps: [{id: s, uses: fake.say}]"), "--emulator", "--log-level", "info")
        sent = [journal.recv(4096).decode() for _ in range(4)]
    assert (done.code, done.both) == (0, "")
    assert all("OPSBOOK_RUN=" in entry and "PRIORITY=6\n" in entry for entry in sent)
    assert "OPSBOOK_STEP=s\n" in sent[1]


def test_the_journal_without_its_socket_gets_priorities(command, monkeypatch, tmp_path):
    monkeypatch.setattr(journald, "SOCKET", str(tmp_path / "absent"))
    done = command("run", command.runbook(FAILS), "--emulator", "--log-format", "journald")
    assert [line[:3] for line in done.err.splitlines()] == ["<6>"] * 5 + ["<3>"] * 2
