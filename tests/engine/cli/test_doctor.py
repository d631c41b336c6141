"""`opsbook doctor`."""

import json

import pytest

from engine.doctor import EXAMINATIONS


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
