"""`opsbook emulator serve`, up to the moment it waits for a signal."""

from __future__ import annotations

import importlib
import json
import socket

import pytest

STATE = """
teams: [{name: dba}, {name: web}]
keys:
  - {kind: team, team: dba}
  - {kind: team, team: web, rights: [read]}
  - {kind: account}
"""


@pytest.fixture
def until_signal(monkeypatch):
    """Ends at once what would serve until a signal."""
    monkeypatch.setattr(importlib.import_module("steps.opsgenie.commands.emulator"), "_until_signal", lambda server: server.server_close())


def test_a_client_learns_every_key(command, until_signal):
    done = command("--json", "emulator", "serve", "--state", command.write("state.yaml", STATE))
    told = json.loads(done.out)
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert [(one["kind"], one["team"], one["rights"]) for one in told["all_keys"]] == [
        ("team", "dba", ["read", "create_and_update", "delete", "configuration_access"]),
        ("team", "web", ["read"]),
        ("account", None, ["read", "create_and_update", "delete", "configuration_access"]),
    ]
    assert told["keys"] == {"team": told["all_keys"][0]["key"], "account": told["all_keys"][2]["key"]}


def test_people_see_whose_key_it_is(command, until_signal):
    done = command("emulator", "serve", "--state", command.write("state.yaml", STATE))
    assert [line.split(":")[0].strip() for line in done.out.splitlines()[1:]] == ["team key of dba", "team key of web", "account key"]


def test_a_port_that_is_taken_is_wrong_usage(command, until_signal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("emulator", "serve", "--port", port)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: port {port} of 127.0.0.1 cannot be listened on: ")


@pytest.mark.parametrize("verb", [("emulator", "serve", "--state"), ("plan", "book.yaml", "--emulator-state")])
def test_a_bad_state_is_shown_where_it_stands(command, until_signal, verb):
    command.runbook("steps: [{uses: opsgenie.alert.list}]")
    state = command.write("state.yaml", "teams:\n  - name: dba\n    colour: red\n")
    done = command(*verb, state)
    assert done.code == 3
    assert f"{state}:3:13: error emulator-state: emulator state, teams[0].colour: is not known here" in done.err
    assert "    colour: red" in done.err
    assert "STATE_SCHEMA" not in done.both
