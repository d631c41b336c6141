"""The secrets of one run: by reference, by name, and told once."""

import pytest

from engine.config import Config
from engine.connections.credentials import Credentials
from engine.errors import KeyProblem
from engine.model import Runbook
from engine.secret import SecretName

CONFIG = Config(files=("opsbook.yaml",), secrets={"A_TOKEN": "env:ONE", "SAME": "env:ONE", "OTHER": "env:TWO"})


def book(*names):
    return Runbook(file="x", text="", sha256="", name="x", secrets=names)


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("ONE", "value-of-one")
    monkeypatch.setenv("TWO", "value-of-two")
    return Credentials(CONFIG, lambda _: None)


def test_one_reference_is_one_credential_by_whatever_name(credentials):
    found = [credentials.named(SecretName(name), book("A_TOKEN", "SAME", "OTHER")) for name in ("A_TOKEN", "SAME", "OTHER")]
    assert found[0] is found[1] is credentials.of("env:ONE")
    assert found[2] is credentials.of("env:TWO")


def test_a_name_the_runbook_does_not_list(credentials):
    with pytest.raises(KeyProblem, match="does not list the secret A_TOKEN") as caught:
        credentials.named(SecretName("A_TOKEN"), book("SAME"))
    assert caught.value.hint == "write secrets: [A_TOKEN] at its top"


def test_a_name_the_configuration_lacks(credentials):
    with pytest.raises(KeyProblem, match=r"A_TOKN has no reference in the configuration \(opsbook.yaml\)") as caught:
        credentials.named(SecretName("A_TOKN"), book("A_TOKN"))
    assert caught.value.hint == "did you mean A_TOKEN?"
    with pytest.raises(KeyProblem, match="there is no opsbook.yaml") as caught:
        Credentials(Config(), lambda _: None).named(SecretName("NEW"), book("NEW"))
    assert 'secrets: {NEW: "env:NEW"}' in caught.value.hint


def test_ready_reads_each(credentials, monkeypatch):
    credentials.ready(book())
    monkeypatch.delenv("TWO")
    with pytest.raises(KeyProblem, match="TWO is not set"):
        credentials.ready(book("A_TOKEN", "OTHER"))


def test_redaction_learns_each_value_and_the_log_is_told_once(monkeypatch):
    monkeypatch.setenv("ONE", "value-of-one")
    monkeypatch.setenv("TWO", "value-of-two")
    learnt, told = [], []
    credentials = Credentials(CONFIG, learnt.append)
    first = credentials.of("env:ONE").secret()
    assert (learnt, told) == ([first], []), "there is no log yet"
    credentials.tell(told.append)
    assert told == [first]
    second = credentials.of("env:TWO").secret()
    credentials.of("env:ONE").secret()
    assert learnt == told == [first, second]
    monkeypatch.setenv("ONE", "newer-value-of-one")
    assert credentials.of("env:ONE").renew(first)
    assert [secret.reveal() for secret in told] == ["value-of-one", "value-of-two", "newer-value-of-one"]
