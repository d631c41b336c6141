"""opsgenie.alert.route: the first rule that matches, and only what is new."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator

from engine.errors import StepError
from engine.language.grammar import as_written_fields
from engine.schema import problems
from engine.template.unknown import Unknown, UnknownValue
from steps.opsgenie.composites import COMPOSITES

ROUTE = COMPOSITES["opsgenie.alert.route"]
DBA = {"type": "team", "name": "dba"}
ANA = {"type": "user", "username": "ana@example.com"}
SPREAD = {"type": "escalation", "name": "spread"}
DUTY = {"type": "schedule", "name": "duty"}


def urgent(alert):
    return alert["priority"] in ("P1", "P2")


def test_first_match_wins_and_later_rules_are_never_looked_at(run, rule):
    rules = [
        rule(**{"if": urgent}, to=[SPREAD]),
        rule(**{"if": lambda alert: True}, name="all", to=[DBA]),
        rule(**{"if": lambda alert: 1 / 0}, to=[ANA]),
    ]
    outputs, sent = run(ROUTE, identifier="a1", rules=rules)
    assert sent == [("alert.add_responder", {"identifier": "a1", "responder": DBA})]
    assert outputs == {"alertId": "a1", "matched": True, "rule": 1, "name": "all", "to": [DBA], "priority": "P3"}


def test_no_match_sends_nothing(run, rule):
    outputs, sent = run(ROUTE, identifier="a1", rules=[rule(**{"if": urgent}, to=[SPREAD])])
    assert sent == []
    assert outputs == {"alertId": "a1", "matched": False, "rule": None, "name": None, "to": [], "priority": "P3"}


def test_a_rule_sets_priority_tags_and_recipients_and_says_its_note_once(run, rule):
    rules = [rule(to=[ANA, SPREAD, DUTY], priority="P1", tags=["x", "db", "db"], note="routed")]
    outputs, sent = run(ROUTE, identifier="alias", identifierType="alias", rules=rules)
    assert sent == [
        ("alert.update_priority", {"identifier": "a1", "priority": "P1"}),
        ("alert.add_tags", {"identifier": "a1", "tags": ["db"], "note": "routed"}),
        ("alert.add_responder", {"identifier": "a1", "responder": ANA}),
        ("alert.escalate", {"identifier": "a1", "escalation": SPREAD}),
        ("alert.add_responder", {"identifier": "a1", "responder": DUTY}),
    ]
    assert outputs["priority"] == "P1"


@pytest.mark.parametrize(("left", "notes"), [(["routed"], [None]), (["another"], ["routed"])])
def test_a_second_attempt_leaves_the_note_of_the_first(run, service, rule, left, notes):
    service.notes = [{"note": note} for note in left]
    _, sent = run(ROUTE, attempt=2, identifier="a1", rules=[rule(to=[SPREAD], note="routed")])
    assert [given.get("note") for _, given in sent] == notes


@pytest.mark.parametrize("there", [{"type": "team", "id": "t1"}, {"type": "team", "id": "t1", "name": "not shown"}])
def test_a_responder_that_is_there_is_not_added_again(run, rule, there):
    assert run(ROUTE, identifier="a1", rules=[rule(to=[there])])[1] == []
    assert run(ROUTE, identifier="a1", rules=[rule(to=[there | {"type": "user"}])])[1] != []


def test_rules_out_of_a_template_hold_plain_values(run):
    outputs, sent = run(ROUTE, identifier="a1", rules=[{"if": False, "to": [SPREAD]}, {"to": [DBA], "tags": ["x", "y"]}])
    assert (outputs["rule"], sent[0]) == (1, ("alert.add_tags", {"identifier": "a1", "tags": ["y"]}))


def test_a_responder_is_the_same_in_any_case(run, rule, service):
    service.alert["responders"].append({"type": "user", "username": "Ana@example.com"})
    assert run(ROUTE, identifier="a1", rules=[rule(to=[ANA])])[1] == []


def test_twice_adds_nobody_twice(run, rule):
    rules = [rule(to=[DBA, ANA], priority="P1", tags=["db"])]
    run(ROUTE, identifier="a1", rules=rules)
    assert run(ROUTE, identifier="a1", rules=rules)[1] == []


def test_recipients_may_come_from_the_alert(run, rule):
    rules = [rule(to=lambda alert: [{"type": "team", "name": alert["message"]}], priority=lambda alert: None)]
    outputs, sent = run(ROUTE, identifier="a1", rules=rules)
    assert sent == [("alert.add_responder", {"identifier": "a1", "responder": {"type": "team", "name": "m"}})]
    assert outputs["priority"] == "P3"


@pytest.mark.parametrize(
    "to", ["dba", [{"type": "all"}], [{"name": "dba"}], ["dba"], {"type": "team"}, [{"type": "team"}], [{"type": "user", "name": "Ana"}]]
)
def test_what_is_no_recipient_is_refused_before_anything_is_sent(run, rule, service, to):
    with pytest.raises(StepError) as caught:
        run(ROUTE, identifier="a1", rules=[rule(to=lambda alert: to, priority="P1")])
    assert (caught.value.code, service.sent) == ("invalid_rules", [])


IF = {"if": "alert.priority == 'P1'"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([{"to": [DBA]}, {**IF, "to": [SPREAD]}], "[0]: has no `if`, so no rule after it can match; give it one, or put it last"),
        ([{**IF, "name": "x"}], "[0]: to, priority or tags is missing"),
        ([{"priority": "P1", "note": "n"}], "[0]: to or tags is missing"),
        ([{"to": [{"type": "team"}]}], "[0].to[0]: id or name is missing"),
        ([{"to": [DBA, {"type": "user", "name": "Ana"}]}], "[0].to[1]: id or username is missing"),
        ([{**IF, "to": [{"type": "{{ inputs.kind }}", "username": "a"}]}, {"tags": ["a"]}], None),
        ("{{ inputs.rules }}", None),
    ],
)
def test_rules_that_cannot_work_are_found_when_the_runbook_is_read(rules, told):
    found = [str(problem) for problem in problems({"identifier": "a1", "rules": rules}, as_written_fields(ROUTE))]
    assert found == ([] if told is None else [f".rules{told}"])


def test_a_fault_in_a_rule_is_a_fault(run, rule):
    def broken(alert):
        raise StepError("no field x", code="template")

    with pytest.raises(StepError, match="no field x"):
        run(ROUTE, identifier="a1", rules=[rule(**{"if": broken}, to=[DBA])])


def test_a_plan_of_a_known_alert_is_the_run(run, rule):
    outputs, sent = run(ROUTE, planning=True, identifier="a1", rules=[rule(**{"if": urgent}, to=[SPREAD]), rule(to=[DBA])])
    assert (outputs["rule"], sent) == (1, [("alert.add_responder", {"identifier": "a1", "responder": DBA})])


def test_a_plan_of_an_unknown_alert_shows_every_rule_that_may_match(plan_offline, rule):
    def unsure(alert):
        raise UnknownValue("alert.priority")

    rules = [
        rule(**{"if": unsure}, to=[SPREAD]),
        rule(**{"if": lambda alert: Unknown("x")}, priority="P1", to=lambda alert: [{"type": "team", "name": alert["owner"]}]),
        rule(**{"if": lambda alert: False}, to=[ANA]),
        rule(to=unsure),
    ]
    outputs, sent = plan_offline(ROUTE, identifier="a1", rules=rules)
    assert [name for name, _ in sent] == ["alert.escalate", "alert.update_priority", "alert.add_responder", "alert.add_responder"]
    assert isinstance(outputs["rule"], Unknown)


def test_a_plan_bears_rules_that_are_not_known(plan_offline):
    outputs, sent = plan_offline(ROUTE, identifier="a1", rules=Unknown("rules"))
    assert (sent, isinstance(outputs["matched"], Unknown)) == ([], True)


def test_each_part_of_a_rule_but_its_name_may_see_the_alert():
    fields = ROUTE.inputs["properties"]["rules"]["items"]["properties"]
    assert {name for name, schema in fields.items() if "priority" in schema.get("x-binds", {}).get("alert", {}).get("properties", {})} == {
        "if", "to", "priority", "tags", "note",
    }  # fmt: skip
    Draft7Validator.check_schema(ROUTE.inputs)


def test_a_note_needs_something_to_go_with():
    fits = lambda rule: Draft7Validator(ROUTE.inputs).is_valid({"identifier": "a1", "rules": [rule]})  # noqa: E731
    assert fits({"note": "n", "tags": ["a"]})
    assert fits({"note": "n", "to": [DBA]})
    assert not fits({"note": "n", "priority": "P1"})


def test_listing_says_that_it_may_escalate():
    assert ROUTE.listing()["idempotency"] == "once"
    assert ROUTE.listing()["keys"] == ["team", "integration", "account"]


def test_on_the_emulator(emulated, rule):
    state = {
        "teams": [{"name": "dba"}], "users": [{"username": "ana@example.com"}], "escalations": [{"name": "spread"}],
        "alerts": [{"message": "m", "alias": "a"}],
    }  # fmt: skip
    context = emulated(state)
    given = {"identifier": "a", "identifierType": "alias", "rules": [rule(to=[DBA, ANA, SPREAD], priority="P1", tags=["db"], note="n")]}
    assert ROUTE.perform(given, context)["rule"] == 0
    assert context.written == ["alert.update_priority", "alert.add_tags", "alert.add_responder", "alert.add_responder", "alert.escalate"]
