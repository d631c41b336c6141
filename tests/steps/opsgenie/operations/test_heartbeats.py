from __future__ import annotations

import pytest

from steps.operation import Idempotency, rights_for
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.operations.heartbeats import ROWS

WHOLE = {"name": "nightly", "interval": 1, "intervalUnit": "days", "enabled": True}


def test_a_heartbeat_needs_its_name_its_interval_and_whether_it_is_on(faults):
    assert faults("opsgenie.heartbeat.create", **WHOLE, alertPriority="P1", ownerTeam={"name": "sre"}) == set()
    for name in WHOLE:
        assert faults("opsgenie.heartbeat.create", **{field: value for field, value in WHOLE.items() if field != name}) == {"required"}


@pytest.mark.parametrize(
    ("field", "value", "broken"),
    [
        ("interval", 0, "interval minimum"),
        ("intervalUnit", "weeks", "intervalUnit enum"),
        ("name", "n" * 201, "name maxLength"),
        ("description", "d" * 10001, "description maxLength"),
        ("alertMessage", "m" * 131, "alertMessage maxLength"),
        ("alertTags", ["t"] * 21, "alertTags maxItems"),
        ("alertTags", ["t" * 51], "alertTags.0 maxLength"),
        ("alertPriority", "P6", "alertPriority enum"),
        ("ownerTeam", {}, "ownerTeam minProperties"),
    ],
)
def test_limits(faults, field, value, broken):
    assert faults("opsgenie.heartbeat.create", **WHOLE | {field: value}) == {broken}


def test_the_name_in_the_path_is_whole_and_names_something(faults):
    ping = OPERATIONS["opsgenie.heartbeat.ping"]
    assert ping.url_path({"name": "a/b c"}) == "/v2/heartbeats/a%2Fb%20c/ping"
    assert faults("opsgenie.heartbeat.ping", name="..") == {"name not"}


def test_every_kind_of_key_may_and_pinging_needs_the_least():
    assert {row.keys for row in ROWS} == {("heartbeat", "team", "integration", "account")}
    ping, read = OPERATIONS["opsgenie.heartbeat.ping"], OPERATIONS["opsgenie.heartbeat.get"]
    assert rights_for("integration", ping.rights) == ["read"]
    assert rights_for("integration", read.rights) == ["read", "configuration_access"]
    assert rights_for("account", ping.rights) == ["read", "configuration_access"]


def test_what_may_be_done_again_when_its_answer_is_lost():
    kinds = {row.name.rpartition(".")[2]: row.idempotency for row in ROWS}
    again = dict.fromkeys(("ping", "update", "enable", "disable"), Idempotency.REPEATABLE)
    assert kinds == again | {
        "create": Idempotency.CLASH,
        "delete": Idempotency.DELETE,
        "get": Idempotency.SAFE,
        "list": Idempotency.SAFE,
    }
    assert OPERATIONS["opsgenie.heartbeat.ping"].effect == "write"
