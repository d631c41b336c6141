"""Which key a call goes with."""

from __future__ import annotations

import functools

import pytest

from engine.contracts import Need
from engine.errors import KeyProblem
from engine.secret import Credential, Secret
from steps.opsgenie import PROVIDER
from steps.opsgenie.keys import Key, KeyRing, choose, read_keys
from steps.opsgenie.operations import OPERATIONS

SETTINGS = {
    "keys": [
        {"kind": "account", "rights": ["read", "create_and_update"], "secret": "env:A"},
        {"kind": "integration", "secret": "env:I"},
        {"kind": "team", "team": "dba", "secret": "env:T"},
    ]
}


def ring(settings=SETTINGS, store=None):
    store = store if store is not None else {"env:A": "account-key", "env:I": "integration-key", "env:T": "team-key"}
    return over(lambda reference: Secret(store[reference], reference), settings)


def over(resolve, settings=SETTINGS):
    return KeyRing("opsgenie", read_keys(settings), functools.cache(lambda reference: Credential(reference, resolve)))


@pytest.mark.parametrize(
    ("kinds", "rights", "chosen"),
    [
        (("team", "integration", "account"), ("read",), "env:T"),
        (("integration", "account"), ("create_and_update",), "env:I"),
        (("account",), ("read", "create_and_update"), "env:A"),
        (("account",), ("delete",), None),
        (("account",), ("read", "configuration_access"), None),
        (("heartbeat",), (), None),
        ((), ("read",), "env:T"),
    ],
)
def test_the_least_privileged_key_that_may_is_chosen(kinds, rights, chosen):
    key = choose(read_keys(SETTINGS), kinds, rights)
    assert (key and key.reference) == chosen


def test_no_key_says_what_would_do_and_what_is_there():
    with pytest.raises(KeyProblem) as caught:
        ring().choose("opsgenie.x", ("account",), ("read", "delete"))
    assert caught.value.message == (
        "connection opsgenie: opsgenie.x needs a key of kind account with read and delete; "
        "the connection has team of dba (env:T); integration (env:I); account (env:A) with create_and_update and read"
    )
    assert "API key management" in caught.value.hint


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_static_finding_and_the_choice_agree(name):
    row = OPERATIONS[name]
    need = Need(row.keys, "+".join(row.rights))
    for kind in ("team", "integration", "account"):
        settings = {"keys": [{"kind": kind, "secret": "env:X"}]}
        may = kind in row.keys
        assert (PROVIDER.key_findings(settings, need) is None) == may
        assert (choose(read_keys(settings), row.keys, row.rights) is not None) == may


@pytest.mark.parametrize("name", ["opsgenie.incident.get", "opsgenie.account.get"])
def test_an_integration_key_needs_the_right_to_configure_beyond_alerts(name):
    row = OPERATIONS[name]
    settings = {"keys": [{"kind": "integration", "rights": ["read"], "secret": "env:I"}]}
    told = PROVIDER.key_findings(settings, Need(row.keys, "+".join(row.rights)))
    assert told.endswith("with read and configuration_access (integration); the connection has integration (env:I) with read")
    for kind, rights in (("integration", ["read", "configuration_access"]), ("account", ["read"])):
        settings["keys"][0] |= {"kind": kind, "rights": rights}
        assert PROVIDER.key_findings(settings, Need(row.keys, "+".join(row.rights))) is None


def test_a_connection_without_keys_can_do_nothing_unless_it_is_the_emulator():
    need = Need(("team",), "read")
    assert PROVIDER.key_findings({}, need) == "needs a key of kind team with read; the connection has no key"
    assert PROVIDER.key_findings({"service": "emulator"}, need) is None


def test_secrets_are_read_late_and_once():
    asked: list[str] = []

    def resolve(reference: str) -> Secret:
        asked.append(reference)
        return Secret("a-secret-value", reference)

    keys = over(resolve)
    key = keys.choose("x", ("team",), ())
    assert keys.use(key, sealed=True).secret is None
    assert asked == []
    assert [keys.credential(key).secret().reveal() for _ in range(3)] == ["a-secret-value"] * 3
    assert asked == ["env:T"]


def test_a_key_says_nothing_of_its_secret():
    assert str(Key("account", "env:A", frozenset(), None)) == "account (env:A) with no right"
