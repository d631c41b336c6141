"""opsgenie.user.ensure: created once, then only brought into line."""

from __future__ import annotations

import pytest
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from engine.errors import Refused, StepError
from engine.template.unknown import Unknown
from steps.opsgenie.composites import COMPOSITES

ENSURE = COMPOSITES["opsgenie.user.ensure"]
ANA = {"username": "ana@example.com", "fullName": "Ana", "role": {"name": "user"}}
TEAMS = ["dba", "sre", "web"]


@pytest.fixture
def there(service):
    service.add_user("ana@example.com", fullName="Ana", role={"id": "User", "name": "User"}, timeZone="GMT", tags=["a", "b"])
    service.teams |= {"dba": ["ana@example.com"], "sre": [], "web": ["ana@example.com"]}
    return service


def test_a_missing_user_is_created_with_contacts_and_teams(run, service):
    service.teams["dba"] = []
    outputs, sent = run(
        ENSURE, **ANA, invitationDisabled=True, contacts=[{"method": "sms", "to": "1-555"}, {"method": "email", "to": "Ana@example.com"}],
        teams=[{"name": "dba", "role": "admin"}],
    )  # fmt: skip
    assert sent == [
        ("user.create", {**ANA, "invitationDisabled": True}),
        ("contact.create", {"identifier": "ana@example.com", "method": "sms", "to": "1-555"}),
        (
            "team.add_member",
            {"identifier": "dba", "teamIdentifierType": "name", "user": {"username": "ana@example.com"}, "role": "admin"},
        ),
    ]
    assert outputs == {
        "id": "id-ana@example.com",
        "username": "ana@example.com",
        "created": True,
        "changed": [],
        "contacts_added": [{"method": "sms", "to": "1-555"}],
        "teams_added": ["dba"],
        "teams_removed": [],
    }


def test_only_fields_that_differ_are_sent_in_one_request(run, there):
    outputs, sent = run(ENSURE, **ANA | {"fullName": "Ana B"}, timeZone="GMT", locale="en_US", tags=["b", "a"], invitationDisabled=True)
    assert sent == [("user.update", {"identifier": "ana@example.com", "fullName": "Ana B", "locale": "en_US"})]
    assert (outputs["created"], outputs["changed"]) == (False, ["fullName", "locale"])


def test_role_is_the_same_in_any_case(run, there):
    assert run(ENSURE, **ANA)[1] == []
    assert run(ENSURE, **ANA | {"role": {"name": "Admin"}})[1] == [
        ("user.update", {"identifier": "ana@example.com", "role": {"name": "Admin"}})
    ]


def test_address_is_compared_where_it_is_given(run, there):
    there.users["ana@example.com"]["userAddress"] = {"city": "Ulm", "line": "x"}
    assert run(ENSURE, **ANA, userAddress={"city": "Ulm"})[1] == []
    assert run(ENSURE, **ANA, userAddress={"city": "Bonn"})[1] != []


def test_contacts_are_the_same_however_they_are_written(run, there):
    there.contacts["ana@example.com"].append({"method": "voice", "to": "1-2025550100"})
    wanted = [
        {"method": "voice", "to": "+1 202 555-0100"},
        {"method": "email", "to": "ANA@example.com"},
        {"method": "sms", "to": "1-2025550100"},
    ]
    outputs, sent = run(ENSURE, **ANA, contacts=wanted)
    assert [name for name, _ in sent] == ["contact.create"]
    assert outputs["contacts_added"] == [wanted[2]]


def test_a_contact_that_is_wanted_twice_is_added_once(run, service):
    wanted = [{"method": "sms", "to": "1-555"}, {"method": "sms", "to": "+1 555"}, {"method": "voice", "to": "1-555"}]
    outputs, sent = run(ENSURE, **ANA, contacts=wanted)
    assert [name for name, _ in sent] == ["user.create", "contact.create", "contact.create"]
    assert outputs["contacts_added"] == [wanted[0], wanted[2]]


def test_a_team_is_the_same_in_any_case(run, there):
    outputs, sent = run(ENSURE, **ANA, teams=[{"name": "DBA"}], remove_from_other_teams=True)
    assert (outputs["teams_added"], outputs["teams_removed"]) == ([], ["web"])
    assert [name for name, _ in sent] == ["team.remove_member"]


@pytest.mark.parametrize("team", [{"name": "nobody"}, {"id": "id-nobody"}])
def test_a_team_that_is_not_there_fails_before_anything_is_written(run, service, there, team):
    for username in ("ana@example.com", "new@example.com"):
        with pytest.raises(StepError, match="there is no team .*nobody; nothing was changed") as caught:
            run(
                ENSURE,
                **ANA | {"username": username, "fullName": "B"},
                contacts=[{"method": "sms", "to": "1"}],
                teams=[{"name": "sre"}, team],
            )
        assert (caught.value.code, caught.value.status, service.sent) == ("no_such_team", 404, [])


def test_memberships_are_added_and_ended_only_when_asked(run, there):
    teams = [{"id": "id-dba"}, {"id": "id-sre"}]
    outputs, _ = run(ENSURE, **ANA, teams=teams)
    assert (outputs["teams_added"], outputs["teams_removed"]) == (["id-sre"], [])
    outputs, sent = run(ENSURE, **ANA, teams=teams, remove_from_other_teams=True)
    assert (outputs["teams_added"], outputs["teams_removed"]) == ([], ["web"])
    assert sent == [("team.remove_member", {"identifier": "id-web", "memberIdentifier": "ana@example.com"})]


@settings(max_examples=50, deadline=None)
@example(
    before=st.none() | st.sets(st.sampled_from(TEAMS)),
    teams=st.sets(st.sampled_from(TEAMS)),
    strict=st.booleans(),
    contacts=st.lists(
        st.fixed_dictionaries({"method": st.sampled_from(["sms", "email"]), "to": st.sampled_from(["1", "2"])}), max_size=2, unique_by=str
    ),
)
def test_twice_is_once(new_service, before, teams, strict, contacts):
    service, context = new_service()
    service.teams |= {team: ["ana@example.com"] if team in (before or ()) else [] for team in TEAMS}
    if before is not None:
        service.add_user("ana@example.com", fullName="Other")
    given = {**ANA, "contacts": contacts, "teams": [{"name": team} for team in sorted(teams)], "remove_from_other_teams": strict}
    ENSURE.perform(given, context)
    member_of = {team for team, members in service.teams.items() if members}
    assert member_of == (teams if strict else teams | (before or set()))
    service.sent.clear()
    again = ENSURE.perform(given, context)
    assert service.sent == []
    assert not any(again[name] for name in ("created", "changed", "contacts_added", "teams_added", "teams_removed"))


def test_other_refusals_are_not_taken_for_a_missing_user(run, service, monkeypatch):
    def refuse(identifier):
        raise Refused("no right", status=403)

    service.user_get = refuse
    with pytest.raises(Refused):
        run(ENSURE, **ANA)
    assert service.sent == []


def test_a_plan_of_a_missing_user_reads_nothing_of_theirs(run, service):
    outputs, sent = run(
        ENSURE, planning=True, **ANA, contacts=[{"method": "sms", "to": "1"}], teams=[{"name": "dba"}], remove_from_other_teams=True
    )
    assert [name for name, _ in sent] == ["user.create", "contact.create", "team.add_member"]
    assert (outputs["created"], isinstance(outputs["id"], Unknown), service.users) == (True, True, {})


def test_a_plan_that_cannot_look_shows_all(plan_offline):
    outputs, sent = plan_offline(
        ENSURE, **ANA, contacts=[{"method": "sms", "to": "1"}], teams=[{"name": "dba"}], remove_from_other_teams=True
    )
    assert [name for name, _ in sent] == ["user.create", "user.update", "contact.create", "team.add_member", "team.remove_member"]
    assert isinstance(outputs["created"], Unknown)


def test_a_plan_bears_fields_that_are_not_known(plan_offline):
    plan_offline(
        ENSURE,
        username=Unknown("u"),
        fullName=Unknown("f"),
        role=Unknown("r"),
        contacts=Unknown("c"),
        teams=[Unknown("t"), {"name": Unknown("n")}],
    )


def test_schema_wants_a_team_by_id_or_name():
    fits = lambda team: Draft7Validator(ENSURE.inputs).is_valid({**ANA, "teams": [team]})  # noqa: E731
    assert fits({"id": "x"})
    assert fits({"name": "x", "role": "admin"})
    assert not fits({"role": "admin"})


def test_listing():
    row = ENSURE.listing()
    assert row["keys"] == ["integration", "account"]
    assert set(row["right"].split("+")) == {"read", "create_and_update", "delete", "configuration_access"}


def test_on_the_emulator_twice_is_once(emulated):
    context = emulated({"teams": [{"name": "dba"}, {"name": "sre"}]})
    given = {
        **ANA, "timeZone": "Europe/Berlin", "contacts": [{"method": "sms", "to": "1-2025550100"}],
        "teams": [{"name": "dba"}], "remove_from_other_teams": True,
    }  # fmt: skip
    assert ENSURE.perform(given, context)["created"]
    assert context.written == ["user.create", "contact.create", "team.add_member"]
    context.written.clear()
    assert not ENSURE.perform(given, context)["changed"]
    assert context.written == []
    moved = ENSURE.perform(given | {"teams": [{"name": "sre"}], "fullName": "Ana B"}, context)
    assert (moved["changed"], moved["teams_added"], moved["teams_removed"]) == (["fullName"], ["sre"], ["dba"])
