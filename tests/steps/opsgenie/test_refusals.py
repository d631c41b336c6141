"""What a refusal means, and what to do about each kind of it."""

from __future__ import annotations

import pytest

from engine.errors import KeyRefused, Refused
from steps.opsgenie.keys import Key
from steps.opsgenie.refusals import Verdict, on_form, verdict

UNKNOWN = (401, {"message": "Could not authenticate"}, Verdict.UNKNOWN)
FORMAT = (422, {"message": "Key format is not valid!"}, Verdict.FORMAT)
ACCOUNT = (403, {"message": "To perform this action, use an API key from an API integration.", "code": 40301}, Verdict.ACCOUNT)
TEAM = (403, {"message": "Team API Keys are not authorized to perform this action."}, Verdict.TEAM)
NO_WRITE = (403, {"message": "API Key is not granted with write access.", "code": 40301}, Verdict.OTHER)
NO_CONFIGURATION = (403, {"message": "API Key is not granted with configuration access.", "code": 40301}, Verdict.NO_CONFIGURATION)
PLAN = (402, {"message": "Payment required"}, Verdict.PLAN)
PLAN_OF_KEY = (422, {"message": "Account plan does not have the right to use global integrations."}, Verdict.PLAN)
CASES = {
    "unknown": (*UNKNOWN, "revoked or regenerated", "env:A holds the key that is there now", "connections.opsgenie.region"),
    "malformed": (*FORMAT, "part of the key is missing", "account in another region (eu)", "nothing was tried elsewhere"),
    "account": (*ACCOUNT, "A key of kind account may not make this call", "A key of kind team is made under Teams"),
    "team": (*TEAM, "may not make this call", "give connections.opsgenie one that may"),
    "no write": (*NO_WRITE, "needs the right create_and_update", "Rights are granted under"),
    "no configuration": (*NO_CONFIGURATION, "needs the right create_and_update", "Rights are granted under"),
    "plan": (*PLAN, "plan does not include this"),
    "plan of the key": (*PLAN_OF_KEY, "plan does not include this", "make a team's key there"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_refusal_has_its_own_remedy(bench, say, case):
    status, body, _, *advice = CASES[case]
    b = bench(say.respond(status, body), keys=[Key("integration", "env:A")] if case != "account" else [Key("account", "env:A")])
    with pytest.raises(Refused) as caught:
        b.perform("opsgenie.alert.add_tags", identifier="a", tags=["x"])
    assert isinstance(caught.value, KeyRefused) is not case.startswith("plan")
    assert [words for words in advice if words not in caught.value.hint] == []
    assert len(b.sent) == 1, "no other key's region is tried"


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_sorted_by_status_and_words(case):
    from engine.contracts import Reply

    status, body, judged, *_ = CASES[case]
    assert verdict(Reply(body, status)) is judged


def test_no_remedy_is_that_of_another():
    told = {words for _, _, _, *advice in CASES.values() for words in advice[:1]}
    assert len(told) >= 5


def test_without_a_region_there_is_no_other():
    assert on_form(None).startswith("Part of it is missing. A key")


@pytest.mark.parametrize(("region", "other"), [("us", "(eu)"), ("eu", "(us)")])
def test_the_other_region_is_named_and_never_tried(region, other):
    assert f"Either part of the key is missing, or it belongs to an account in another region {other}" in on_form(region)
    assert "tried elsewhere" in on_form(region)


def test_without_a_region_none_is_to_be_checked(bench, say):
    from dataclasses import replace

    b = bench(say.respond(401, {"message": "Could not authenticate"}), keys=[Key("integration", "env:A")])
    b.connection._service = replace(b.service, region=None)
    with pytest.raises(KeyRefused) as caught:
        b.perform("opsgenie.alert.get", identifier="a")
    assert "region" not in caught.value.hint
