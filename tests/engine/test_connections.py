"""The connections of a run: which one a step gets, and what is said when there is none."""

import dataclasses
from datetime import UTC, datetime

import pytest

from engine import project, source
from engine.language import loader
from engine.catalog import Catalog
from engine.system.clock import VirtualClock
from engine.config import Config
from engine.connections import Connections
from engine.errors import KeyProblem

KEY = {"kind": "integration", "secret": "env:SOME_KEY"}


def connections(configured=None, secrets=None, **more):
    config = Config(files=("opsbook.yaml",) if configured else (), connections=configured or {}, secrets=secrets or {})
    return Connections(
        catalog=Catalog(project.PROVIDERS),
        config=config,
        clock=VirtualClock(datetime(2026, 3, 1, tzinfo=UTC)),
        learn=lambda _: None,
        **more,
    )


def runbook(steps):
    text = f"apiVersion: runbook/v1\nname: x\nsteps: {steps}"
    return loader.read(source.read(text, "x.yaml"), Catalog(project.PROVIDERS).find)


def test_each_is_opened_once():
    found = connections({"opsgenie": {"keys": [KEY]}, "other": {"keys": [KEY]}})
    assert found.open("opsgenie.alert.get", None) is found.open("opsgenie.alert.close", None)
    assert found.open("opsgenie.alert.get", "other") is not found.open("opsgenie.alert.get", None)


def test_the_steps_own_wish_wins_over_the_default():
    found = connections({"opsgenie": {"keys": [KEY]}, "other": {"keys": [KEY]}}, default="other")
    assert found.open("opsgenie.alert.get", None) is found.open("opsgenie.alert.get", "other")
    assert found.open("opsgenie.alert.get", "opsgenie") is not found.open("opsgenie.alert.get", None)


def test_a_connection_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(KeyProblem) as caught:
        connections({"other": {"keys": [KEY]}}).open("opsgenie.alert.get", None)
    assert "no connection 'opsgenie' (opsbook.yaml)" in caught.value.message
    assert caught.value.hint.endswith("known: other")
    with pytest.raises(KeyProblem, match="there is no opsbook.yaml"):
        connections().open("opsgenie.alert.get", None)


def test_closing_closes_each_that_was_opened(monkeypatch):
    found = connections({"opsgenie": {"keys": [KEY]}, "other": {"keys": [KEY]}})
    closed = []
    for name in ("opsgenie", "other"):
        monkeypatch.setattr(found.open("opsgenie.alert.get", name), "close", lambda name=name: closed.append(name))
    found.close()
    assert closed == ["opsgenie", "other"]


def test_the_emulator_needs_no_configuration():
    assert connections(emulate=True).open("opsgenie.alert.get", None)


def test_every_key_is_read_before_anything_is_sent(monkeypatch):
    found = connections({"opsgenie": {"keys": [KEY]}})
    book = runbook("[{wait: 1s}, {block: [{uses: opsgenie.alert.list}]}]")
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(KeyProblem, match="SOME_KEY is not set"):
        found.ready(book)
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    found.ready(book)


def test_needs_name_the_least_privileged_key():
    account = {"kind": "account", "secret": "env:ACCOUNT"}
    found = connections({"opsgenie": {"keys": [account, KEY | {"rights": ["read"]}]}})
    rows = found.needs(
        runbook(
            "[{id: a, uses: opsgenie.alert.list}, {id: l, uses: core.log, with: {message: x}}, {id: u, uses: opsgenie.user.delete, with: {identifier: x}}]"
        ).every_step()
    )
    assert [(row["step"], row["right"], row["key"]) for row in rows] == [
        ("a", "read", "env:SOME_KEY"),
        ("u", rows[1]["right"], "env:ACCOUNT"),
    ]


def test_a_runbooks_secrets_are_read_before_anything_is_sent(monkeypatch):
    book = dataclasses.replace(runbook("[{wait: 1s}]"), secrets=("A_TOKEN",))
    monkeypatch.setenv("A_KEY", "0123456789abcdef")
    with pytest.raises(KeyProblem, match="A_TOKEN has no reference"):
        connections({}).ready(book)
    found = connections({}, secrets={"A_TOKEN": "env:A_KEY"})
    found.ready(book)
    assert found.credentials.of("env:A_KEY").secret().reveal() == "0123456789abcdef"
    connections({}, emulate=True).ready(book)


def test_connections_and_secrets_share_what_was_asked_for(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "0123456789abcdef")
    found = connections({"opsgenie": {"keys": [KEY]}, "other": {"keys": [KEY]}})
    rings = [found.open("opsgenie.alert.get", name)._service.keys for name in ("opsgenie", "other")]
    assert rings[0].credential(rings[0].find((), ())) is rings[1].credential(rings[1].find((), ())) is found.credentials.of("env:SOME_KEY")
