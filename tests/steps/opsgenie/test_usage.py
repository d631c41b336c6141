"""Least privilege: what needs ask of keys, and what is beyond them."""

from __future__ import annotations

import pytest

from engine.contracts import Need
from steps.opsgenie import PROVIDER
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.settings import RIGHTS

ACCOUNT = {"kind": "account", "secret": "env:A"}
TEAM = {"kind": "team", "team": "dba", "secret": "env:T"}
GLOBAL = {"kind": "integration", "secret": "env:I"}


def need(name):
    row = OPERATIONS[name]
    return Need(row.keys, "+".join(row.rights))


def usage(keys, *names):
    return PROVIDER.key_usage({"keys": keys}, [need(name) for name in names])


def test_each_need_goes_with_the_least_privileged_key():
    team, account = usage([ACCOUNT, TEAM], "opsgenie.alert.create", "opsgenie.alert.list", "opsgenie.user.list")
    assert (team.kind, team.used, team.needed) == ("team", (0, 1), ("read", "create_and_update"))
    assert (account.kind, account.used, account.needed) == ("account", (2,), ("read", "configuration_access"))
    assert account.beyond == ("create_and_update", "delete")
    assert account.granted is None


def test_what_was_granted_is_what_is_beyond():
    (account,) = usage([{**ACCOUNT, "rights": ["read", "delete", "configuration_access"]}], "opsgenie.user.list")
    assert (account.granted, account.beyond) == (("read", "delete", "configuration_access"), ("delete",))


def test_a_key_nothing_goes_with_is_all_beyond():
    (integration,) = usage([GLOBAL])
    assert (integration.used, integration.needed, integration.beyond, integration.weaker) == ((), (), RIGHTS, None)


def test_a_narrower_kind_that_would_do_is_named():
    assert usage([GLOBAL], "opsgenie.alert.create")[0].weaker == "team"
    assert usage([GLOBAL], "opsgenie.alert.create", "opsgenie.user.list")[0].weaker is None
    assert usage([ACCOUNT], "opsgenie.user.list")[0].weaker == "integration"


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_needed_and_beyond_are_all_there_is(name):
    for key in usage([ACCOUNT, TEAM, GLOBAL], name):
        assert sorted((*key.needed, *key.beyond)) == sorted(RIGHTS)
        assert " > " in key.narrow
