"""What reads tell of a connection's keys: held against the emulator's rules for every kind and every set of rights."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import chain, combinations

import pytest

from engine.errors import KeyProblem, Unreachable
from engine.secret import Credential, Secret
from steps.opsgenie.attempt import Service
from steps.opsgenie.buckets import Buckets
from steps.opsgenie.emulator import Emulator, EmulatorTransport
from steps.opsgenie.emulator.keys import made_key
from steps.opsgenie.keys import Key, KeyRing, least_privileged_first
from steps.opsgenie.settings import RIGHTS
from steps.opsgenie.standing import standing_of

EVERY_SET = list(chain.from_iterable(combinations(RIGHTS, size) for size in range(5)))


class Stand:
    """An emulator with one key, as the configuration has it, and how it stands."""

    def __init__(self, clock, granted, configured, **state):
        self.emulator = Emulator(clock=clock, state={"teams": [{"name": "dba"}], **state}, keys=granted)
        values = {key.reference: known.value for key, known in zip(configured, granted, strict=True)}
        ring = KeyRing(
            "opsgenie",
            least_privileged_first(configured),
            lambda reference: Credential(reference, lambda known: Secret(values[known], known)),
        )
        self.service = Service("opsgenie", "http://emulator.invalid", None, ring, Buckets(), EmulatorTransport(self.emulator))
        self.found = standing_of(self.service, "emulator", clock)
        self.key = self.found.keys[0]


@pytest.fixture
def stand(emulated):
    clock = emulated().clock

    def stand(kind, rights=RIGHTS, *, as_kind=None, as_rights=None, team="dba", of=None, **state):
        granted = made_key(kind, rights=rights, team=(of or "dba") if kind == "team" else None)
        configured = Key(as_kind or kind, "env:KEY", None if as_rights is None else frozenset(as_rights), team)
        return Stand(clock, (granted,), (configured,), **state)

    return stand


@pytest.mark.parametrize("rights", EVERY_SET, ids=lambda rights: "+".join(rights) or "none")
@pytest.mark.parametrize("kind", ["account", "integration", "team", "heartbeat"])
def test_what_is_said_of_a_right_is_true_and_nothing_is_written(stand, kind, rights):
    one = stand(kind, rights)
    assert all(seen in (None, right in rights) for right, seen in one.key.rights.items())
    assert one.key.rights["create_and_update"] is one.key.rights["delete"] is None
    assert {line.method for line in one.emulator.requests} == {"GET"}
    assert one.found.reachable is True
    if "read" in rights:
        assert one.key.problem is None
        assert one.key.rights["read"] is True
        assert one.key.rights["configuration_access"] is ("configuration_access" in rights)


@pytest.mark.parametrize("configured", ["account", "integration", "team", "heartbeat"])
@pytest.mark.parametrize("kind", ["account", "integration", "team", "heartbeat"])
@pytest.mark.parametrize("rights", [RIGHTS, ("read",)], ids=["all", "read"])
def test_a_key_of_another_kind_than_configured_is_said(stand, kind, configured, rights):
    one = stand(kind, rights, as_kind=configured)
    alike = {kind, configured} == {"account", "integration"} and rights == RIGHTS
    if kind == configured or alike:
        assert one.key.problem is None
    else:
        assert f"key of kind {kind}" in one.key.problem or (rights == RIGHTS and f"{kind}" in one.key.problem)
        assert one.key.exit_status == 4
        assert one.key.hint.startswith("Correct its kind: ")


def test_reads_do_not_tell_an_account_key_from_a_global_one(stand):
    assert any("do not tell" in note for note in stand("account").key.notes)
    assert stand("integration", ("read",)).key.notes == ()


def test_a_right_the_configuration_claims_and_the_key_lacks(stand):
    key = stand("account", ("read",), as_rights=("read", "configuration_access")).key
    assert key.problem == "it lacks the right configuration_access, which the configuration says it has"
    assert key.exit_status == 4


def test_a_right_beyond_the_configuration_is_a_note(stand):
    key = stand("account", as_rights=("read",)).key
    assert (key.problem, key.exit_status) == (None, 0)
    assert "it has the right configuration_access, which the configuration does not give it" in key.notes


def test_a_team_key_of_another_team(stand):
    key = stand("team", of="web", teams=[{"name": "dba"}, {"name": "web"}]).key
    assert "not the key of a team called dba" in key.problem
    assert key.exit_status == 4


def test_a_team_key_without_a_team_is_told_what_is_not_known(stand):
    key = stand("team", team=None).key
    assert (key.problem, key.rights["configuration_access"]) == (None, None)
    assert "no team is named" in key.notes[0]


def test_the_plan_and_what_it_lacks(stand):
    one = stand("account", account={"name": "acme", "plan": "Essentials"})
    assert (one.found.account, one.found.plan) == ("acme", "Essentials")
    assert "inside a team" in one.found.lacks
    assert stand("account").found.lacks is None


def test_limits_are_told_to_keys_that_may_ask(stand):
    assert {"limit": 3, "periodInSeconds": 60} in stand("account", limits={"alert": [{"limit": 3, "periodInSeconds": 60}]}).found.limits[
        "alert"
    ]
    assert stand("team").found.limits == {}


def test_an_unknown_key(emulated):
    clock = emulated().clock
    service = Stand(clock, (made_key("account"),), (Key("account", "env:KEY"),)).service
    service.transport.emulator.keys = ()
    key = standing_of(service, "opsgenie", clock).keys[0]
    assert (key.exit_status, "does not know the key: Could not authenticate" in key.problem) == (4, True)
    assert "revoked" in key.hint


class Answers:
    """Runs one key against a script."""

    def __init__(self, bench, *answers, kind="account", region="us"):
        self.bench = bench(*answers, keys=(Key(kind, "env:KEY"),))
        service = Service("opsgenie", "https://api.opsgenie.com", region, self.bench.service.keys, Buckets(), self.bench.transport)
        self.found = standing_of(service, "opsgenie", self.bench.clock)
        self.key = self.found.keys[0]


def test_a_key_of_the_other_region_is_said_and_tried_nowhere_else(bench, say):
    one = Answers(bench, say.respond(422, {"message": "Key format is not valid!"}))
    assert one.key.exit_status == 4
    assert "another region (eu)" in one.key.hint
    assert {request.url.split("/")[2] for request in one.bench.transport.requests} == {"api.opsgenie.com"}
    assert len(one.bench.transport.requests) == 1


def test_an_unknown_key_may_be_of_an_account_elsewhere(bench, say):
    one = Answers(bench, say.respond(401, {"message": "Could not authenticate"}), region="us")
    assert "revoked" in one.key.hint and "Check too that the account lives in the region us." in one.key.hint


def test_without_a_region_no_region_is_blamed(bench, say):
    one = Answers(bench, say.respond(422, {"message": "Key format is not valid!"}), region=None)
    assert "region" not in one.key.hint.partition(".")[0]


def test_a_plan_that_refuses_is_no_fault_of_the_key(bench, say):
    one = Answers(bench, say.respond(200, {"data": []}), say.respond(402, {"message": "Payment Required"}))
    assert (one.key.problem, one.key.rights["read"], one.key.rights["configuration_access"]) == (None, True, None)


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_holds_back_is_tried_later(bench, say, status):
    one = Answers(bench, say.respond(status, {"message": "later"}, x_ratelimit_state="THROTTLED"))
    assert (one.found.reachable, one.key.exit_status, one.found.throttled) == (True, 5, ("search",))


def test_a_host_that_does_not_answer_ends_the_check(bench, say):
    one = bench(Unreachable("no connection"), keys=(Key("team", "env:T"), Key("account", "env:A")))
    found = standing_of(one.service, "opsgenie", one.clock)
    assert (found.reachable, [key.exit_status for key in found.keys]) == (False, [5])


def test_a_key_that_cannot_be_read_sends_nothing(bench, say):
    one = bench(keys=(Key("account", "env:A"),))

    def missing(reference):
        raise KeyProblem("the environment variable A is not set", hint="set A")

    ring = KeyRing("opsgenie", (Key("account", "env:A"),), lambda reference: Credential(reference, missing))
    found = standing_of(Service("opsgenie", "https://x.example", None, ring, Buckets(), one.transport), "opsgenie", one.clock)
    assert (found.reachable, found.keys[0].problem, found.keys[0].exit_status) == (None, "the environment variable A is not set", 4)
    assert one.transport.requests == []


def test_the_services_clock_and_the_end_of_its_api(bench, say):
    late = "Mon, 23 Nov 2026 12:02:00 GMT"
    one = Answers(
        bench,
        say.respond(200, {"data": []}, date=late),
        say.respond(403, {"message": "API Key is not granted with configuration access."}, date=late),
        kind="integration",
    )
    assert one.found.ahead == (datetime(2026, 11, 23, 12, 2, tzinfo=UTC) - one.bench.clock.now()).total_seconds()
    assert one.found.ends == date(2027, 4, 5)


def test_each_key_is_tried_alone(emulated):
    kinds = ("team", "integration", "account", "heartbeat")
    granted = [made_key(kind, rights=("read",), team="dba" if kind == "team" else None) for kind in kinds]
    configured = [Key(kind, f"env:{kind}", team="dba" if kind == "team" else None) for kind in kinds]
    keys = Stand(emulated().clock, tuple(granted), tuple(configured)).found.keys
    assert {key.kind: (key.problem, key.rights["configuration_access"]) for key in keys} == dict.fromkeys(kinds, (None, False))
