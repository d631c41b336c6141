from __future__ import annotations

from steps.opsgenie.operations import OPERATIONS


def test_a_member_is_given_by_id_or_username(faults):
    for user in ({"id": "u1"}, {"username": "ana@example.com"}):
        assert faults("opsgenie.team.add_member", identifier="dba", teamIdentifierType="name", user=user) == set()
    assert faults("opsgenie.team.add_member", identifier="dba", user={}) == {"user minProperties"}


def test_a_username_is_one_part_of_the_path():
    given = {"identifier": "dba", "memberIdentifier": "ana@example.com"}
    assert OPERATIONS["opsgenie.team.remove_member"].url_path(given) == "/v2/teams/dba/members/ana%40example.com"
