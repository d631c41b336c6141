"""Values between runs, through the command line."""

from __future__ import annotations

import json
import os

import pytest

COUNT = """
    steps:
      - {id: last, uses: core.state.get, with: {name: count, default: 0, schema: {type: integer}}}
      - {id: keep, uses: core.state.set, with: {name: count, value: "{{ steps.last.outputs.value + 1 }}"}}
    outputs:
      count: {type: integer, value: "{{ steps.last.outputs.value }}"}
      found: {type: boolean, value: "{{ steps.last.outputs.found }}"}
"""


@pytest.fixture
def count(command):
    book = command.runbook(COUNT)
    return lambda verb="run", *more: json.loads(command("--json", verb, book, *more).out)


def test_a_run_finds_what_the_run_before_kept(count):
    assert [count()["outputs"] for _ in range(3)] == [{"count": number, "found": number > 0} for number in range(3)]


def test_a_plan_reads_what_was_kept_and_keeps_nothing(count, command):
    count()
    for _ in range(2):
        plan = count("plan")
        assert [(one["action"], one["made"]) for one in plan["actions"]] == [("core.state.get", True), ("core.state.set", False)]
        assert plan["actions"][1]["body"] == {"value": 2}
    assert count()["outputs"]["count"] == 1


def test_a_run_on_the_emulator_keeps_its_own(count):
    count()
    assert [count("run", "--emulator")["outputs"]["count"] for _ in range(2)] == [0, 0]
    assert count("plan", "--emulator")["actions"][1]["body"] == {"value": 1}
    assert count()["outputs"]["count"] == 1


def test_each_runbook_keeps_its_own(command):
    for name in ("one", "two"):
        book = command.write(f"{name}.yaml", f"apiVersion: runbook/v1\nname: {name}\n" + command_text())
        assert json.loads(command("--json", "run", book).out)["outputs"]["count"] == 0


def command_text():
    import textwrap

    return textwrap.dedent(COUNT)


def test_what_was_done_is_neither_read_nor_kept_again_by_a_retry(count, command):
    book = command.runbook(
        f"""
        steps:
          - {{id: last, uses: core.state.get, with: {{name: count, default: 0}}}}
          - {{id: keep, uses: core.state.set, with: {{name: count, value: "{{{{ steps.last.outputs.value + 1 }}}}"}}}}
          - {{id: gate, uses: core.command, with: {{argv: [test, -e, {command.folder}/gate]}}}}
        outputs: {{count: {{type: integer, value: "{{{{ steps.last.outputs.value }}}}"}}}}
        """,
        "gated.yaml",
    )
    failed = json.loads(command("--json", "run", book).out)
    assert failed["status"] == "failed"
    (command.folder / "gate").write_text("")
    again = json.loads(command("--json", "retry", failed["run_id"]).out)
    assert (again["status"], again["outputs"]["count"]) == ("succeeded", 0)
    assert json.loads(command("--json", "run", book).out)["outputs"]["count"] == 1


def test_the_value_is_typed_before_the_run(command):
    book = command.runbook("""
        steps:
          - {id: last, uses: core.state.get, with: {name: seen, default: {}, schema: {type: object, properties: {id: {type: string}}}}}
          - {uses: core.log, with: {message: "{{ steps.last.outputs.value.ident }}"}}
    """)
    done = command("validate", book)
    assert done.code == 1
    assert "ident" in done.out


def test_the_file_is_private_and_the_log_does_not_tell_the_value(command):
    book = command.runbook('steps: [{uses: core.state.set, with: {name: seen, value: "a private matter"}}]')
    command("run", book)
    file = command.folder / "state" / "values" / "test.json"
    assert (os.stat(file).st_mode & 0o777, json.loads(file.read_text())["seen"]["value"]) == (0o600, "a private matter")
    (log,) = (command.folder / "state" / "runs").glob("*/audit.jsonl")
    assert "core.state.set" in log.read_text()
    assert "private matter" not in log.read_text()


def test_a_key_is_not_kept(command, monkeypatch):
    key = "b6a1d5cc-13b4-4a0e-8bd8-52b4d3ba4d6f"
    monkeypatch.setenv("SOME_KEY", key)
    config = command.write("opsbook.yaml", "connections: {opsgenie: {keys: [{kind: integration, secret: 'env:SOME_KEY'}]}}\n")
    book = command.runbook("""
        steps:
          - {id: it, uses: core.command, with: {argv: [printenv, SOME_KEY], env: {}}, continue_on_error: true}
          - {uses: opsgenie.alert.count}
          - {uses: core.state.set, with: {name: key, value: "{{ steps.it.outputs.stdout }}"}}
    """)
    done = command("--config", config, "run", book, "--emulator")
    assert key not in done.both
    assert not any(key in path.read_text(errors="ignore") for path in (command.folder / "state").rglob("*") if path.is_file())
