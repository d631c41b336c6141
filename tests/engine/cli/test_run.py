import json
import re

import pytest

LOOP = """
    apiVersion: runbook/v1
    name: notes
    description: Says <b>things</b>.
    inputs: {words: {type: array, items: {type: string}}}
    steps:
      - id: say
        name: Say each
        for_each: "{{ inputs.words }}"
        as: word
        key: "{{ word }}"
        fail_fast: false
        uses: core.assert
        with: {that: word != "bad", message: "{{ word }} is bad"}
      - id: create
        uses: opsgenie.alert.create
        with: {message: hello}
"""


def test_a_report_shows_what_the_log_tells(command):
    command.write("notes.yaml", LOOP)
    code = command("run", "notes.yaml", "--emulator", "-i", 'words=["good"]', "--report", "r.html").code
    page = (command.folder / "r.html").read_text()
    assert code == 0
    assert "Say each" in page and "POST" in page and "/v2/alerts" in page and "1 of 1 succeeded" in page
    assert "<b>things</b>" not in page and "&lt;b&gt;things" in page


def test_a_report_names_the_items_that_failed(command):
    command.write("notes.yaml", LOOP)
    code = command("run", "notes.yaml", "--emulator", "-i", 'words=["good", "bad"]', "--report", "r.json").code
    (say, create) = json.loads((command.folder / "r.json").read_text())["steps"]
    assert (code, create["status"]) == (1, "pending")
    assert say["items"]["failures"] == [{"item": "bad", "message": "bad is bad"}]
    assert say["started_at"] <= say["ended_at"]


@pytest.mark.parametrize("name", ["r.txt", "r", "no/such/folder/r.html"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_sent(command, name):
    command.write("notes.yaml", LOOP)
    done = command("run", "notes.yaml", "--emulator", "-i", "words=[]", "--report", name)
    assert done.code == 2 and "--report" in done.err
    assert not (command.folder / "state" / "runs").exists()


def test_a_loop_on_a_terminal_counts_its_items(command, monkeypatch):
    from engine.cli.session import Session

    monkeypatch.setattr(Session, "interactive", property(lambda _self: True))
    monkeypatch.setenv("NO_COLOR", "1")
    command.write("notes.yaml", LOOP)
    out = command("run", "notes.yaml", "--emulator", "-i", 'words=["a", "b", "c"]').out
    assert re.findall(r"(\d) of (\d)", out)[:3] == [("1", "3"), ("2", "3"), ("3", "3")]


def test_verbose_says_each_request_and_what_it_came_to(command):
    book = command.runbook("steps: [{uses: opsgenie.alert.create, with: {message: hello}}]")
    lines = [line.strip() for line in command("run", book, "--emulator", "-v").out.splitlines()]
    assert "POST emulator.invalid/v2/alerts → 202" in lines
    assert not any("→ 202" in line for line in command("run", book, "--emulator").out.splitlines())
    book = command.runbook("steps: [{uses: opsgenie.alert.create, retry: {attempts: 1}, with: {message: hello}}]")
    for fault, said in {"refused": "POST emulator.invalid/v2/alerts → ", "http_422": "POST emulator.invalid/v2/alerts → 422"}.items():
        assert said in command("run", book, "--emulator", "-v", "--faults", f"opsgenie.alert.create={fault}").out


def test_verbose_shows_no_key(command, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    key, url = "{kind: integration, secret: 'env:SOME_KEY'}", "http://127.0.0.1:9"
    command.write("opsbook.yaml", f"{{connections: {{opsgenie: {{url: '{url}', keys: [{key}]}}}}, http: {{allow: ['{url}']}}}}")
    book = command.runbook("""
        steps:
          - uses: core.http
            with: {method: GET, url: "http://127.0.0.1:9/{{ '01234567' ~ '89abcdef' }}"}
            continue_on_error: true
          - {uses: opsgenie.alert.list, retry: {attempts: 1}}
        """)
    done = command("run", "-v", book)
    assert "GET 127.0.0.1:9/v2/alerts → " in done.out
    assert "GET 127.0.0.1:9/*** → " in done.out
    assert "0123456789abcdef" not in done.both


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--faults", "opsgenie.alert.create=failed"], 2),
        (["--emulator-state", "bad.yaml"], 3),
    ],
)
@pytest.mark.parametrize("verb", ["run", "plan"])
def test_an_emulator_that_cannot_be_made_stops_before_a_run_is_opened(command, flags, code, verb):
    command.write("bad.yaml", "teams: [{nmae: dba}]")
    book = command.runbook("steps: [{uses: core.log, with: {message: first}}, {uses: opsgenie.alert.create, with: {message: hello}}]")
    done = command(verb, book, "--emulator", *flags)
    assert (done.code, "first" in done.both) == (code, False)
    assert json.loads(command("runs", "list", "--json").out) == []
    assert not (command.folder / "state" / "ledger.jsonl").exists()
