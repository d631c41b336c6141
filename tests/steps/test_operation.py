"""What is read off a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import StepError
from engine.schema import problems
from steps.operation import Idempotency, rights_for
from steps.opsgenie.operations import OPERATIONS

PATHS = [(row, name) for row in OPERATIONS.values() for name in row.path_names]


@pytest.mark.parametrize(("row", "name"), PATHS, ids=[f"{row.name}-{name}" for row, name in PATHS])
def test_dots_name_nothing_in_a_path(row, name):
    fields = {other: "x" for other in row.path_names}
    for dots in (".", ".."):
        with pytest.raises(StepError, match=rf"{row.name}: {name} is `\.+`, which names nothing") as caught:
            row.url_path(fields | {name: dots})
        assert (caught.value.code, caught.value.again) == ("invalid_input", "never")
        assert f".{name}: `.` and `..` name nothing" in [str(problem) for problem in problems(fields | {name: dots}, row.inputs)]


@given(st.text(st.sampled_from("a./%2eE\\;"), min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_other_text_stays_one_part_of_the_path(text):
    path = OPERATIONS["opsgenie.team.remove_member"].url_path({"identifier": "T1", "memberIdentifier": text})
    assert path.startswith("/v2/teams/T1/members/")
    assert path.count("/") == 5
    assert path.rsplit("/", 1)[1] not in (".", "..", "")


def test_what_is_safe_is_a_read_and_nothing_else_is():
    assert all((row.effect == "read") == (row.idempotency is Idempotency.SAFE) for row in OPERATIONS.values())
    assert [row.name for row in OPERATIONS.values() if row.effect == "write" and row.method == "GET"] == ["opsgenie.heartbeat.ping"]


def test_a_right_may_be_asked_of_keys_of_one_kind():
    row = OPERATIONS["opsgenie.incident.get"]
    assert {kind: rights_for(kind, row.rights) for kind in row.keys} == {
        "team": ["read"],
        "integration": ["read", "configuration_access"],
        "account": ["read"],
    }
