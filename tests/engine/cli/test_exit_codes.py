"""Every exit code of the command line, each through a whole command in this process."""

import json
import os
import signal

import pytest

from engine import app
from engine.errors import Interrupted

SAY = "steps: [{id: s, uses: fake.say, with: {value: 1}}]"


@pytest.fixture(autouse=True)
def _steps(fake):
    pass


def failing(**given):
    return f"steps: [{{id: s, uses: fake.fail, with: {json.dumps(given)}}}]"


def test_0_all_is_well(command):
    assert command("run", command.runbook(SAY), "--emulator").code == 0


def test_0_skipped_since_another_run_holds_the_group(command):
    book = command.runbook(f"concurrency: {{group: g, on_conflict: skip}}\n{SAY}")
    with held(command, "g"):
        done = command("--json", "run", book, "--emulator")
    assert (done.code, json.loads(done.out)["status"]) == (0, "skipped")
    assert "another run of g" in done.err


def test_1_a_step_failed(command):
    done = command("run", command.runbook(failing(message="no room")), "--emulator")
    assert done.code == 1
    assert "no room" in done.out
    assert "opsbook retry " in done.out, "what to type next"


@pytest.mark.parametrize(
    "arguments",
    [
        ["runn"],
        ["run"],
        ["run", "x.yaml", "--no-such"],
        ["runs", "show", "nosuch"],
        ["runs", "list", "--since", "soon"],
        ["steps", "show", "fake.sya"],
        ["run", "book.yaml", "-i", "nameonly"],
        ["schema", "fake.sya"],
        ["runs", "lst"],
    ],
)
def test_2_wrong_usage(command, arguments):
    command.runbook(SAY)
    done = command(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err


@pytest.mark.parametrize(
    "text",
    ["steps: [", "steps: [{uses: fake.sya}]", "steps: [{uses: fake.typed, with: {m: 1}}]", "steps: []", "inputs: {n: {}}\n" + SAY, "steps: [{uses: fake.say, with: {value: '{{ 1 + }}'}}]", "concurrency: {group: '{{ }}'}\n" + SAY],
)  # fmt: skip
def test_3_invalid_and_nothing_was_sent(command, fake, text):
    done = command("run", command.runbook(text), "--emulator")
    assert done.code == 3
    assert "Nothing was sent." in done.err
    assert fake.seen == []


@pytest.mark.parametrize(
    "given",
    [
        ["absent.yaml"],
        ["book.yaml", "--inputs-file", "absent.yaml"],
        ["book.yaml", "--emulator-state", "absent.yaml"],
        ["book.yaml", "--config", "absent.yaml"],
    ],
)
def test_3_a_file_that_is_not_there(command, given):
    command.runbook(SAY)
    done = command("run", *given)
    assert done.code == 3
    assert "absent.yaml" in done.err


OPSGENIE = "steps: [{id: s, uses: opsgenie.alert.list}]"


def test_4_no_connection(command):
    done = command("run", command.runbook(OPSGENIE))
    assert done.code == 4
    assert "--emulator" in done.err


@pytest.mark.parametrize(("keys", "said"), [
    ("[{kind: integration, secret: 'env:NOT_SET_KEY'}]", "NOT_SET_KEY is not set"),
    ("[{kind: heartbeat, secret: 'env:SOME_KEY'}]", ""),
    ("[{kind: account, rights: [delete], secret: 'env:SOME_KEY'}]", "read"),
])  # fmt: skip
def test_4_no_usable_key(command, monkeypatch, keys, said):
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    command.write("opsbook.yaml", f"connections: {{opsgenie: {{url: 'http://127.0.0.1:9', keys: {keys}}}}}")
    done = command("run", command.runbook(OPSGENIE))
    assert done.code == 4
    assert said in done.both
    assert "0123456789abcdef" not in done.both


def test_5_nobody_answers(command, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    command.write(
        "opsbook.yaml", "connections: {opsgenie: {url: 'http://127.0.0.1:9', keys: [{kind: integration, secret: 'env:SOME_KEY'}]}}"
    )
    done = command("run", command.runbook("steps: [{id: s, uses: opsgenie.alert.list, retry: {attempts: 1}}]"))
    assert done.code == 5
    assert "0123456789abcdef" not in done.both


def test_7_in_doubt(command):
    done = command("run", command.runbook("steps: [{id: s, uses: fake.doubt}]"), "--emulator")
    assert done.code == 7


@pytest.mark.parametrize(("text", "code"), [("steps: [{uses: fake.write, with: {}}]", 10), (SAY, 0)])
def test_10_changes_are_pending(command, text, code):
    book = command.runbook(text)
    assert command("plan", book, "--emulator", "--detailed-exitcode").code == code
    assert command("plan", book, "--emulator").code == 0


def test_11_already_running(command):
    book = command.runbook(f"concurrency: {{group: g, on_conflict: fail}}\n{SAY}")
    with held(command, "g"):
        done = command("run", book, "--emulator")
        skipped = command("run", book, "--emulator", "--on-conflict", "skip")
    assert (done.code, skipped.code) == (11, 0)
    assert "another run of g is under way" in done.err
    assert command("run", book, "--emulator").code == 0, "the group is free again"


def test_12_the_audit_log_was_changed(command):
    assert command("run", command.runbook(SAY), "--emulator").code == 0
    assert command("audit", "verify").code == 0
    (log,) = (command.folder / "state" / "runs").glob("*/audit.jsonl")
    log.write_bytes(log.read_bytes().replace(b"fake.say", b"fake.sax", 1))
    done = command("--json", "audit", "verify")
    document = json.loads(done.out)
    assert (done.code, document["ok"]) == (12, False)
    assert {"file", "line", "message"} <= set(document["problems"][0])


def test_12_another_head_than_expected(command):
    command("run", command.runbook(SAY), "--emulator")
    assert command("audit", "verify", "--expect-head", "f" * 16).code == 12


def test_13_the_audit_log_cannot_be_written(command, monkeypatch, fake):
    (command.folder / "occupied").write_text("a file, not a folder")
    monkeypatch.setenv("OPSBOOK_STATE", str(command.folder / "occupied" / "state"))
    done = command("run", command.runbook(SAY), "--emulator")
    assert (done.code, fake.seen) == (13, [])


@pytest.mark.parametrize(
    ("number", "code", "status", "last"),
    [(signal.SIGTERM, 14, "interrupted", []), (signal.SIGHUP, 14, "interrupted", []), (signal.SIGINT, 130, "cancelled", ["last"])],
)
def test_14_and_130_a_signal(command, fake, monkeypatch, number, code, status, last):
    kept = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    steps = type(fake).steps

    def with_signal(self):
        found = steps(self)
        found["fake.boom"]._perform = lambda given, context: os.kill(os.getpid(), number) or {}
        return found

    monkeypatch.setattr(type(fake), "steps", with_signal)
    try:
        book = command.runbook(
            "steps: [{id: a, uses: fake.boom}, {id: b, uses: fake.say, with: {value: b}}]\nfinally: [{uses: fake.say, with: {value: last}}]"
        )
        done = command("--json", "run", book, "--emulator")
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
    assert (done.code, json.loads(done.out)["status"], fake.seen) == (code, status, last)


def test_2_the_current_folder_is_gone(command, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = command("schedule", "list", "book.yaml")
    assert (done.code, "the current folder is gone" in done.err) == (2, True)


def test_a_fault_of_our_own_is_one_clear_message_without_values(command):
    done = command("run", command.runbook("steps: [{uses: fake.boom}]"), "--emulator")
    assert done.code == 1
    assert "opsbook itself has a fault: ZeroDivisionError at" in done.err
    assert "Traceback" not in done.both
    assert "s3cr3t" not in done.both


def test_an_interrupt_outside_of_a_run_is_130(command, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(app.App, "validate", interrupted)
    assert command("validate", "r.yaml").code == 130
    assert Interrupted("x", ends=True).exit_status == 130


@pytest.mark.parametrize(("text", "code", "strict"), [(SAY, 0, 0), ("steps: [", 1, 1), ("inputs: {unused: {type: string}}\n" + SAY, 0, 1)])
def test_validate_is_0_or_1(command, text, code, strict):
    book = command.runbook(text)
    assert command("validate", book).code == code
    assert command("validate", "--strict", book).code == strict


class held:
    """Another run that holds a concurrency group."""

    def __init__(self, command, group):
        from engine.state import State
        from engine.system.stop import Stop

        self._lock = State(command.folder / "state").lock(group, "fail", Stop())

    def __enter__(self):
        return self._lock.__enter__()

    def __exit__(self, *error):
        return self._lock.__exit__(*error)
