"""`opsbook doctor`."""

import json
from datetime import UTC, datetime

import pytest

from engine.doctor import EXAMINATIONS
from engine.schedule.memory import Memory


@pytest.fixture
def account(command, served, monkeypatch):
    made = served()
    monkeypatch.setenv("K", made.key("account"))
    command.write("opsbook.yaml", f'connections: {{opsgenie: {{url: "{made.url}", keys: [{{kind: account, secret: "env:K"}}]}}}}\n')
    return made


def test_the_document_and_the_exit_code(command, account):
    done = command("doctor", "--json")
    told = json.loads(done.out)
    assert {check["id"] for check in told["checks"]} == set(EXAMINATIONS)
    assert (done.code == 0) == told["ok"]
    assert {line.split()[0] for line in account.requests} == {"GET"}
    assert account.key("account") not in done.both


def test_a_problem_ends_1_and_quiet_tells_it(command):
    command.write("opsbook.yaml", "connections: {opsgenie: {regon: eu}}\n")
    done = command("doctor", "-q")
    assert (done.code, "did you mean region?" in done.err) == (1, True)


def test_offline_sends_nothing(command, account):
    command("doctor", "--offline")
    assert account.requests == []


def test_an_installed_runbook_that_is_gone_is_said_as_schedule_status_says_it(command, tmp_path):
    Memory(tmp_path / "state" / "schedule", tmp_path / "gone.yaml", "0 3 * * * UTC").write(since=datetime(2026, 1, 1, tzinfo=UTC))
    assert json.loads(command("schedule", "status", "--json").out)[0]["state"] == "gone"
    done = command("doctor", "--offline", "--json")
    assert done.code == 1
    (check,) = [check for check in json.loads(done.out)["checks"] if check["status"] == "problem"]
    assert (check["id"], "opsbook schedule remove" in check["remedy"]) == ("schedule", True)
