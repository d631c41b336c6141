"""`opsbook connections`: each key's fate in words, in the document and in the exit code; what runbooks need of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.security.canaries import leaks

KINDS = ("account", "integration", "team", "heartbeat")


@pytest.fixture
def connected(command, served, monkeypatch):
    """A configuration with a key of each kind, of a served account."""

    def connected(**state):
        account = served(**{"keys": [{"kind": kind} for kind in KINDS], **state})
        for kind in KINDS:
            monkeypatch.setenv(kind.upper(), account.key(kind))
        command.write("opsbook.yaml", f"""\
            connections:
              opsgenie:
                url: {account.url}
                keys:
                  - {{kind: account, secret: "env:ACCOUNT"}}
                  - {{kind: integration, secret: "env:INTEGRATION"}}
                  - {{kind: team, team: dba, secret: "env:TEAM"}}
                  - {{kind: heartbeat, secret: "env:HEARTBEAT"}}
              dba:
                url: {account.url}
                keys: [{{kind: team, team: dba, secret: "env:TEAM"}}]
            """)  # fmt: skip
        return account

    return connected


def test_every_connection_and_key_is_checked_by_reads(command, connected):
    account = connected()
    done = command("connections")
    assert done.code == 0, done.both
    assert done.out.count("works\n") == 5
    assert "alert 1000000/60s" in done.out
    assert {line.split()[0] for line in account.requests} == {"GET"}
    for kind in KINDS:
        assert leaks(done.both, account.key(kind)) == []


def test_one_connection_alone(command, connected):
    connected()
    assert "opsgenie:" not in command("connections", "dba").out
    mistyped = command("connections", "dbaa")
    assert (mistyped.code, "did you mean dba?" in mistyped.err) == (2, True)


def test_the_document(command, connected):
    connected(account={"name": "acme", "plan": "Essentials"})
    told = json.loads(command("connections", "--json").out)
    assert told["ok"] is True
    one = told["connections"][0]
    assert (one["name"], one["account"], one["plan"], one["reachable"], one["ends"]) == (
        "opsgenie",
        "acme",
        "Essentials",
        True,
        "2027-04-05",
    )
    assert one["days_left"] == (datetime(2027, 4, 5, tzinfo=UTC).date() - datetime.now(UTC).date()).days
    assert one["limits"]["alert"][0] == {"limit": 1000000, "periodInSeconds": 60}
    assert "inside a team" in one["lacks"]
    assert [key["kind"] for key in one["keys"]] == ["heartbeat", "team", "integration", "account"]
    assert {key["exit_status"] for key in one["keys"]} == {0}


@pytest.mark.parametrize(
    ("left", "said"),
    [((2027, 4, 4), "works until 2027-04-05: 1 days are left"), ((2027, 4, 8), "was announced to end on 2027-04-05, 3 days ago")],
)
def test_the_days_are_counted_on_this_machines_clock(command, connected, monkeypatch, left, said):
    class At(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(*left, 12, tzinfo=tz)

    connected()
    monkeypatch.setattr("engine.cli.standing.datetime", At)
    assert said in command("connections", "dba").out


def test_a_key_that_was_revoked_or_is_gone_ends_4(command, connected, monkeypatch):
    connected()
    monkeypatch.setenv("INTEGRATION", "00000000-0000-4000-8000-000000000000")
    monkeypatch.delenv("TEAM")
    done = command("connections", "-q")
    assert done.code == 4
    assert "the service does not know the key: Could not authenticate" in done.err, "quiet says all of it on failure"
    assert "the environment variable TEAM is not set" in done.err
    keys = json.loads(command("connections", "opsgenie", "--json").out)["connections"][0]["keys"]
    assert {key["kind"]: key["exit_status"] for key in keys} == {"heartbeat": 0, "team": 4, "integration": 4, "account": 0}


def test_a_service_that_is_away_ends_5_and_a_bad_key_counts_more(command, connected, monkeypatch):
    connected()
    away = 'connections: {opsgenie: {url: "http://127.0.0.1:1", keys: [{kind: account, secret: "env:ACCOUNT"}]}}\n'
    command.write("away.yaml", away)
    done = command("connections", "--config", "away.yaml")
    assert (done.code, "not reachable" in done.out) == (5, True)
    command.write("away.yaml", away + "# and\n")
    monkeypatch.delenv("ACCOUNT")
    assert command("connections", "--config", "away.yaml").code == 4


def test_without_a_connection_the_way_to_one_is_said(command):
    done = command("connections")
    assert (done.code, "opsbook connect opsgenie" in done.err) == (4, True)


def test_a_connection_without_keys_is_no_connection(command):
    command.write("opsbook.yaml", "connections: {opsgenie: {region: eu}}\n")
    done = command("connections")
    assert (done.code, "none is configured" in done.out) == (4, True)


# -- what runbooks need -----------------------------------------------------------------------------------------------


BOOK = """
    steps:
      - {id: page, uses: opsgenie.alert.create, with: {message: m}}
      - {id: people, uses: opsgenie.user.list}
      - {id: ours, uses: opsgenie.alert.list, connection: dba}
      - {id: say, uses: core.log, with: {message: m}}
"""


def test_needs_say_which_key_each_step_goes_with_and_send_nothing(command, connected):
    account = connected()
    command.runbook(BOOK, "books/one.yaml")
    done = command("connections", "--needs", "books")
    assert (done.code, account.requests) == (0, [])
    assert "page: opsgenie.alert.create: create_and_update → opsgenie: env:TEAM" in done.out
    assert "people: opsgenie.user.list: read, configuration_access → opsgenie: env:INTEGRATION" in done.out
    assert "ours: opsgenie.alert.list: read → dba: env:TEAM" in done.out
    assert "account (env:ACCOUNT): none of these runbooks needs it" in done.out
    assert "revoke it, or narrow it: Settings > App settings > API key management" in done.out
    assert "Nothing was sent." in done.out


def test_needs_resolve_no_secret(command, connected, monkeypatch):
    connected()
    for kind in KINDS:
        monkeypatch.delenv(kind.upper())
    command.runbook(BOOK, "books/one.yaml")
    assert command("connections", "--needs", "books").code == 0


def test_the_document_of_needs(command, connected):
    connected()
    command.runbook(BOOK, "books/one.yaml")
    command.runbook("steps: [{id: gone, uses: opsgenie.alert.delete, with: {identifier: a}}]", "books/two.yaml")
    told = json.loads(command("connections", "--needs", "books", "--json").out)
    assert told["ok"] is True
    assert told["runbooks"] == ["books/one.yaml", "books/two.yaml"]
    assert [(row["step"], row["key"], row["problem"]) for row in told["steps"]] == [
        ("page", "env:TEAM", None), ("people", "env:INTEGRATION", None), ("ours", "env:TEAM", None), ("gone", "env:TEAM", None),
    ]  # fmt: skip
    team = next(key for key in told["usage"]["opsgenie"] if key["kind"] == "team")
    assert (team["needed"], team["beyond"]) == (["create_and_update", "delete"], ["read", "configuration_access"])
    assert " > " in team["narrow"]


def test_a_step_without_a_key_ends_4(command, connected):
    connected()
    command.runbook("steps: [{id: people, uses: opsgenie.user.list, connection: dba}]", "books/one.yaml")
    done = command("connections", "--needs", "books")
    assert (done.code, "needs a key of kind integration or account" in done.out) == (4, True)
    assert "missing in dba: a key of kind integration or account with read, configuration_access, for 1 step\n" in done.out


def test_needs_before_there_is_a_connection(command):
    command.runbook(BOOK, "books/one.yaml")
    done = command("connections", "--needs", "books")
    assert (done.code, "there is no connection opsgenie" in done.out) == (4, True)


def test_nothing_needed_is_said(command, connected):
    connected()
    command.runbook("steps: [{uses: core.log, with: {message: m}}]", "books/one.yaml")
    done = command("connections", "--needs", "books")
    assert (done.code, "none of their steps needs a key" in done.out) == (0, True)


def test_a_teams_runbooks_over_a_teams_connection(command, connected):
    connected()
    command.runbook("steps: [{id: all, uses: opsgenie.alert.list}]", "books/one.yaml")
    done = command("connections", "--needs", "books", "--connection", "dba")
    assert (done.code, "all: opsgenie.alert.list: read → dba: env:TEAM" in done.out) == (0, True)


def test_no_runbook_is_wrong_usage_and_a_broken_one_invalid(command, connected):
    connected()
    (command.folder / "empty").mkdir()
    assert command("connections", "--needs", "empty").code == 2
    command.runbook("steps: [{uses: opsgenie.no.such}]", "books/one.yaml")
    assert command("connections", "--needs", "books").code == 3
