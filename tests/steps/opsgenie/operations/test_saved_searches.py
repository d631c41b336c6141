from __future__ import annotations

import pytest

SEARCH = {"name": "p1", "query": "priority:P1", "owner": {"username": "ana@example.com"}}


@pytest.mark.parametrize("name", ["create", "update"])
def test_a_search_needs_name_query_and_owner(faults, name):
    step = f"opsgenie.alert.{name}_saved_search"
    where = {} if name == "create" else {"identifier": "s"}
    assert faults(step, **where, **SEARCH) == set()
    for field in SEARCH:
        assert faults(step, **where, **{key: value for key, value in SEARCH.items() if key != field}) == {"required"}


@pytest.mark.parametrize(("field", "most"), [("name", 100), ("query", 1000), ("description", 15000)])
def test_fields_are_as_long_as_the_vendor_says(faults, field, most):
    assert faults("opsgenie.alert.create_saved_search", **SEARCH | {field: "x" * most}) == set()
    assert faults("opsgenie.alert.create_saved_search", **SEARCH | {field: "x" * (most + 1)}) == {f"{field} maxLength"}


def test_a_search_is_shared_with_twenty_teams_at_most(faults):
    assert faults("opsgenie.alert.create_saved_search", **SEARCH, teams=[{"name": "dba"}] * 20) == set()
    assert faults("opsgenie.alert.create_saved_search", **SEARCH, teams=[{"name": "dba"}] * 21) == {"teams maxItems"}
