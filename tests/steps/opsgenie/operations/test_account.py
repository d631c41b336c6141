from __future__ import annotations

from steps.opsgenie.operations.account import ROWS


def test_the_account_is_read_with_nothing_given(faults):
    for row in ROWS:
        assert faults(row.name) == set()


def test_team_keys_may_not_ask_about_the_account():
    assert {row.keys for row in ROWS} == {("integration", "account")}
