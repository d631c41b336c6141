"""Second places for the audit log, as a run uses them."""

from __future__ import annotations

import json
import os

import pytest

from engine.audit import sinks

BOOK = "steps: [{id: a, uses: fake.write, with: {a: 1}}, {id: b, uses: fake.write, with: {a: 2}}]"


@pytest.fixture
def run(command, fake):
    """Carries two writes out, with sinks as written in the configuration."""

    def run(written, *flags):
        command.write("opsbook.yaml", f"audit: {{sinks: {written}}}\n")
        return command("run", command.runbook(BOOK), "--emulator", *flags)

    return run


class Failing:
    """A sink that fails at its nth write."""

    def __init__(self, number, at="write"):
        self._left, self._at = number, at

    def write(self, line):
        self._left -= 1
        if self._left <= 0 and self._at == "write":
            raise OSError(28, "No space left on device")

    catch_up = write

    def sync(self):
        if self._left <= 0 and self._at == "sync":
            raise TimeoutError("timed out")

    def close(self):
        pass


@pytest.fixture
def failing(monkeypatch):
    def failing(number, at="write"):
        monkeypatch.setitem(sinks.SINKS, "syslog", lambda _target: Failing(number, at))

    return failing


def log(command):
    (path,) = command.folder.glob("state/runs/*/audit.jsonl")
    return path


def test_a_second_file_gets_the_very_lines(run, command):
    done = run("[{file: copy.jsonl, required: true}]", "--json")
    assert done.code == 0
    assert (command.folder / "copy.jsonl").read_bytes() == log(command).read_bytes()
    assert command("audit", "verify", "copy.jsonl", "--expect-head", json.loads(done.out)["audit"]["head"]).code == 0


def test_a_resumed_run_and_a_second_run_are_added(run, command):
    for _ in range(2):
        assert run("[{file: copy.jsonl}]").code == 0
    verified = json.loads(command("audit", "verify", "copy.jsonl", "--json").out)
    assert verified["ok"] and verified["events"] == json.loads(command("audit", "verify", "--json").out)["events"]


@pytest.mark.parametrize("number", range(1, 9))
def test_what_a_full_disk_left_out_of_a_copy_is_made_good_by_the_resume(run, command, fake, monkeypatch, number):
    real, left = sinks.file.disk.write_whole, [number]

    def full(file, data):
        if "copy.jsonl" in os.readlink(f"/proc/self/fd/{file}"):
            left[0] -= 1
            if not left[0]:
                real(file, data[: len(data) // 2])
                raise OSError(28, "No space left on device")
        real(file, data)

    with monkeypatch.context() as failing:
        failing.setattr(sinks.file.disk, "write_whole", full)
        assert run("[{file: copy.jsonl, required: true}]").code == 13
    assert command("resume", "--all", "--on-doubt", "resend").code in (0, 7)
    copied = (command.folder / "copy.jsonl").read_bytes()
    assert copied == log(command).read_bytes() and command("audit", "verify", "copy.jsonl").code == 0


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("at", ["write", "sync"])
def test_a_required_sink_that_fails_stops_the_run_before_anything_is_sent(run, command, fake, failing, number, at):
    failing(number, at)
    done = run("[{syslog: local, required: true}]")
    assert done.code == 13
    assert "its sink syslog local: " in done.err and "Traceback" not in done.both
    sent = len(fake.seen)
    synced = [json.loads(line) for line in log(command).read_bytes().splitlines()]
    assert sent <= sum(event["event"] == "step.intent" for event in synced)
    assert command("audit", "verify").code == 0
    failing(10**6)
    assert command("resume", "--all").code in (0, 7)


def test_a_required_sink_that_cannot_be_opened_stops_the_run_before_it_begins(run, command, fake):
    done = run("[{file: missing/copy.jsonl, required: true}]")
    assert (done.code, fake.seen) == (13, [])
    assert "missing/copy.jsonl cannot be opened: No such file or directory" in done.err and "audit.sinks" in done.err
    assert not (command.folder / "state" / "ledger.jsonl").exists()


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize("at", ["write", "sync"])
def test_any_other_is_said_once_and_the_run_goes_on(run, command, fake, failing, number, at):
    failing(number, at)
    done = run("[{syslog: local}, {file: copy.jsonl}, {file: missing/copy.jsonl}]")
    assert (done.code, len(fake.seen)) == (0, 2)
    assert done.err.count("warning: the audit log's sink syslog local has failed") == 1
    assert done.err.count("missing/copy.jsonl has failed") == 1
    assert (command.folder / "copy.jsonl").read_bytes() == log(command).read_bytes()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[{syslog: nowhere}]", "write local, udp://host:514 or tcp://host:601"),
        ("[{file: a, syslog: local}]", "write {file: /path} or {syslog: local}"),
        ("[{required: true}]", "write {file: /path} or {syslog: local}"),
        ("[{fiel: a}]", "write {file: /path} or {syslog: local}"),
        ("[{file: ''}]", "shorter than 1"),
        ("[{file: a, required: maybe}]", "expected true or false"),
        ("[file]", "write {file: /path} or {syslog: local}"),
        ("file", "expected a list"),
    ],
)
def test_what_is_written_wrongly_is_said_and_nothing_is_sent(run, fake, written, said):
    done = run(written)
    assert (done.code, fake.seen) == (3, [])
    assert said in done.err and "opsbook.yaml:1:" in done.err


def test_nothing_else_is_asked_for():
    assert sinks.opened([], print) is None
