from __future__ import annotations

from steps.opsgenie.emulator import RateLimit


def test_the_account_counts_its_users(made):
    client = made(state={"users": [{"username": "ana@example.com"}]})
    assert client.data("/v2/account", key="account")["userCount"] == 1


def test_the_limits_are_those_in_force(made):
    client = made(limits={"alert": (RateLimit(2, 60),)})
    limits = {one["domain"]: one["limits"] for one in client.data("/v2/request-limits/")["rateLimits"]}
    assert limits["alert"] == [{"limit": 2, "periodInSeconds": 60}]
    assert limits["search"]


def test_a_team_key_may_not_ask(client):
    refused = client.refused(403, "GET", "/v2/account", key="team")
    assert refused["message"] == "Team API Keys are not authorized to perform this action."


def test_the_plan_is_that_of_the_state(made):
    told = made(state={"account": {"name": "acme", "plan": "Free"}}).data("/v2/account", key="account")
    assert (told["name"], told["plan"]["name"]) == ("acme", "Free")
