"""How the command line speaks: quiet, JSON, colours, advice, pipes whose reader has gone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAY = "steps: [{id: s, uses: fake.say, with: {value: 1}}]"
FAIL = "steps: [{id: log, uses: core.log, with: {message: on the way}}, {id: s, uses: fake.fail, with: {message: no room}}]"


@pytest.fixture(autouse=True)
def _steps(fake):
    pass


@pytest.mark.parametrize("where", ["before", "after"])
def test_global_flags_stand_before_or_after_the_verb(command, where):
    book = command.runbook(SAY)
    arguments = ["--json", "run", book, "--emulator"] if where == "before" else ["run", book, "--emulator", "--json"]
    assert json.loads(command(*arguments).out)["status"] == "succeeded"


def test_global_flags_go_with_commands_below_commands(command):
    assert json.loads(command("runs", "list", "--json").out) == []
    assert json.loads(command("runs", "--json", "list").out) == []
    assert json.loads(command("--json", "runs", "list").out) == []


@pytest.mark.parametrize("verb", ["run", "plan", "validate"])
def test_quiet_is_silent_when_all_is_well(command, verb):
    book = command.runbook(SAY)
    done = command("-q", verb, book, *(["--emulator"] if verb != "validate" else []))
    assert (done.code, done.both) == (0, "")


def test_quiet_tells_everything_on_failure(command):
    done = command("run", "-q", command.runbook(FAIL), "--emulator")
    assert (done.code, done.out) == (1, "")
    assert all(said in done.err for said in ("on the way", "log", "no room", "audit:", "next:"))


def test_quiet_tells_findings(command):
    done = command("-q", "validate", command.runbook("steps: ["))
    assert done.code == 1
    assert "book.yaml:3" in done.out


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["run", "ok.yaml", "--emulator"], {"run_id", "status", "outputs", "steps", "audit", "error"}),
        (["run", "bad.yaml", "--emulator"], {"run_id", "status", "outputs", "steps", "audit", "error"}),
        (["run", "broken.yaml"], {"error", "findings"}),
        (["run", "absent.yaml"], {"error", "findings"}),
        (["plan", "ok.yaml", "--emulator"], {"requests", "needs"}),
        (["run", "ok.yaml", "--dry-run", "--emulator"], {"requests", "needs"}),
        (["validate", "ok.yaml"], {"findings"}),
        (["validate", "broken.yaml"], {"findings"}),
        (["audit", "verify"], {"error"}),
        (["validate", "--explain", "rb205"], {"id", "page"}),
        (["validate", "--explain", "RB0"], {"error"}),
        (["steps", "show", "fake.say"], {"name", "inputs", "outputs"}),
        (["steps", "show", "fake.sya"], {"error"}),
        (["runs", "list", "--limit", "none"], {"error"}),
        (["run", "boom.yaml", "--emulator"], {"error"}),
        (["runs", "show", "nosuch"], {"error"}),
    ],
)
def test_json_is_exactly_one_document(command, arguments, fields):
    for name, text in {"ok": SAY, "bad": FAIL, "broken": "steps: [", "boom": "steps: [{uses: fake.boom}]"}.items():
        command.runbook(text, f"{name}.yaml")
    done = command("--json", *arguments)
    assert fields <= set(json.loads(done.out))
    assert "Traceback" not in done.both


@pytest.mark.parametrize(
    "words",
    ["run --json x --bogus", "run x --bogus --json", "runs list --limit 0 --json", "run x -i --json", "rnu --json", "run --json", "audit verify --expect-head= --json"],
)  # fmt: skip
def test_a_usage_error_is_a_document_wherever_the_flag_stands(command, words):
    command.runbook(SAY, "x")
    done = command(*words.split())
    assert (done.code, set(json.loads(done.out))) == (2, {"error"})
    assert done.err


def test_a_word_behind_the_end_of_the_flags_is_no_flag(command):
    done = command("run", "--bogus", "--", "--json")
    assert (done.code, done.out) == (2, "")


def test_the_page_of_a_finding_as_a_document(command):
    document = json.loads(command("validate", "--explain", "rb205", "--json").out)
    assert document["id"] == "RB205"
    assert document["page"] + "\n" == command("validate", "--explain", "RB205").out


def test_a_file_that_cannot_be_read_is_the_place_of_the_finding(command):
    (finding,) = json.loads(command("validate", "absent.yaml", "--json").out)["findings"]
    assert (finding["file"], finding["line"], finding["column"]) == ("absent.yaml", 1, 1)


def test_folders_without_any_runbook_are_not_sound(command):
    (command.folder / "empty").mkdir()
    done = command("validate", "empty")
    assert (done.code, done.out) == (2, "")
    assert "there is no runbook in empty" in done.err
    assert command("validate", "empty", command.runbook(SAY)).code == 0


def test_the_document_of_a_run(command):
    done = command("--json", "run", command.runbook(FAIL), "--emulator")
    document = json.loads(done.out)
    assert [(step["id"], step["uses"], step["status"]) for step in document["steps"]] == [
        ("log", "core.log", "succeeded"),
        ("s", "fake.fail", "failed"),
    ]
    assert document["error"] == {"message": "no room", "code": "failed", "status": None, "hint": None}
    assert Path(document["audit"]["path"]).is_file()
    assert len(Path(document["audit"]["path"]).read_text().splitlines()) == document["audit"]["events"]
    assert command("audit", "verify", "--run", document["run_id"], "--expect-head", document["audit"]["head"]).code == 0
    (row,) = json.loads(command("--json", "runs", "list").out)
    assert {key: row[key] for key in ("run_id", "runbook", "status", "trigger")} == {
        "run_id": document["run_id"],
        "runbook": "test",
        "status": "failed",
        "trigger": "cli",
    }
    assert row["started_at"]


def test_the_document_of_a_validation(command):
    (finding,) = json.loads(command("validate", "--format", "json", command.runbook("steps:\n  - {uses: fake.sya}")).out)["findings"]
    assert {key: finding[key] for key in ("line", "column", "id", "severity")} == {
        "line": 4,
        "column": 12,
        "id": "RB103",
        "severity": "error",
    }
    assert finding["file"].endswith("book.yaml")
    assert finding["hint"] == "did you mean fake.say?"


@pytest.mark.parametrize(
    ("environment", "flags", "coloured"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": ""}, ["--color", "always"], True),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"FORCE_COLOR": "1"}, ["--color", "auto"], True),
    ],
)
def test_colours(command, monkeypatch, environment, flags, coloured):
    book, broken = command.runbook(SAY), command.runbook("steps: [", "broken.yaml")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for done in (command("run", book, "--emulator", *flags), command("validate", broken, *flags), command("run", "absent.yaml", *flags)):
        assert ("\x1b[" in done.both) == coloured


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["rnu", "x"], "did you mean run?"),
        (["stepz"], "did you mean steps?"),
        (["steps", "show", "fake.sya"], "did you mean fake.say?"),
        (["schema", "fake.typd"], "did you mean fake.typed?"),
    ],
)
def test_a_mistyped_word_gets_advice(command, arguments, advice):
    assert advice in command(*arguments).err


def test_a_mistyped_field_gets_advice(command):
    done = command("validate", command.runbook("steps: [{uses: fake.typed, with: {n: 1, color: red}}]"))
    assert "did you mean colour?" in done.out


@pytest.mark.parametrize(
    "name",
    ["audit", "completion", "connect", "connections", "demo", "doctor", "emulator", "plan", "run", "runs", "schema", "steps", "validate"],
)
def test_every_command_has_a_page_that_names_the_global_flags(command, name):
    done = command(name, "--help")
    assert done.code == 0
    assert "--quiet" in done.out


def test_no_command_has_a_flag_twice(command, recwarn):
    for arguments in (["schema", "--help"], ["steps", "show", "--help"], ["emulator", "serve", "--help"]):
        assert command(*arguments).code == 0
    assert [str(warning.message) for warning in recwarn if "more than once" in str(warning.message)] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(command, shell):
    done = command("completion", shell)
    assert (done.code, "_OPSBOOK_COMPLETE" in done.out) == (0, True)


def test_a_run_goes_on_when_its_reader_has_gone(tmp_path):
    (tmp_path / "book.yaml").write_text(
        "apiVersion: runbook/v1\nname: x\nsteps: [{uses: core.log, with: {message: a}}, {uses: core.write, with: {path: done.txt, content: done}}]\n"
    )
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPSBOOK_STATE": str(tmp_path / "state"), "OPSBOOK_CONFIG": ""}
    done = subprocess.run(
        [sys.executable, "-m", "engine", "run", "book.yaml", "--emulator"],
        cwd=tmp_path,
        env=environment,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.read_text() for path in tmp_path.glob("state/runs/*/output/done.txt")] == ["done"]
