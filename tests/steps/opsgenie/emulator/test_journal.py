from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import AnswerLost, AuditUnwritable, Invalid
from steps.opsgenie.emulator import Emulator, Fault

STATE = {
    "teams": [{"name": "ops", "members": [{"username": "ana@example.com"}]}],
    "alerts": [{"message": "old", "createdAt": {"ago": "10d"}}],
    "during": [{"after": "90s", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com"}],
}
FAULTS = [
    Fault("opsgenie.alert.close", "processed_as_failed"),
    Fault("opsgenie.team.create", "lost"),
    Fault("GET /v2/alerts", "http_503", times=2),
]


def act(client, number):
    """One of a dozen requests."""
    requests = [
        ("POST", "/v2/alerts", {"message": "m", "alias": "a"}),
        ("POST", "/v2/alerts/a/close?identifierType=alias", {}),
        ("POST", "/v2/alerts/a/notes?identifierType=alias", {"note": "é"}),
        ("DELETE", "/v2/alerts/1?identifierType=tiny", None),
        ("POST", "/v2/teams", {"name": "web"}),
        ("PATCH", "/v2/users/ana@example.com", {"fullName": "Ana B"}),
        ("DELETE", "/v2/users/ana@example.com", None),
        ("POST", "/v1/incidents/create", {"message": "m", "serviceId": "s"}),
        ("POST", "/v2/alerts", {"message": ""}),
        ("GET", "/v2/alerts", None),
    ]
    try:
        client.send(*requests[number % len(requests)])
    except AnswerLost:
        pass


def run(client, steps):
    for number, seconds in steps:
        act(client, number)
        client.clock.sleep(seconds)


STEPS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 0.01, 0.06, 40])), max_size=12)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_the_same_requests_at_the_same_times_make_the_same_account(fresh, tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("emulator") / "journal"
    first = fresh(state=STATE, faults=FAULTS, journal=path)
    second = fresh(state=STATE, faults=FAULTS)
    run(first, steps)
    run(second, steps)
    assert first.emulator.snapshot() == second.emulator.snapshot()
    third = fresh(clock=first.clock, state=STATE, faults=FAULTS, journal=path)
    assert third.emulator.snapshot() == first.emulator.snapshot()
    for client in (first, third):
        act(client, 0)
        act(client, 1)
    assert third.emulator.snapshot() == first.emulator.snapshot()


def test_time_goes_on_from_where_it_stood(made, clock, tmp_path):
    path = tmp_path / "journal"
    first = made(state=STATE, journal=path)
    first.clock.sleep(3600)
    first.alert(alias="a")
    first.clock.sleep(-3600)
    second = made(state=STATE, journal=path)
    assert second.data("/v2/alerts/a", identifierType="alias")["createdAt"] == "2026-03-01T13:00:00.000Z"


def test_what_was_seen_does_not_unhappen(made, clock, tmp_path):
    path = tmp_path / "journal"
    first = made(state=STATE, journal=path)
    first.clock.sleep(90)
    assert first.data("/v2/alerts/1", identifierType="tiny")["acknowledged"] is True
    first.clock.sleep(-90)
    assert made(state=STATE, journal=path).data("/v2/alerts/1", identifierType="tiny")["acknowledged"] is True


def test_a_line_that_was_cut_off_never_happened(made, tmp_path):
    path = tmp_path / "journal"
    first = made(journal=path)
    first.alert(alias="a")
    first.send("POST", "/v2/alerts", {"message": "m", "alias": "b"})
    path.write_bytes(path.read_bytes()[:-5])
    second = made(journal=path)
    second.clock.sleep(1)
    assert [one["alias"] for one in second.data("/v2/alerts")] == ["a"]
    second.alert(alias="c")
    assert [one["alias"] for one in made(journal=path).data("/v2/alerts", sort="alias", order="asc")] == ["a", "c"]


def test_reads_are_not_kept(made, tmp_path):
    path = tmp_path / "journal"
    client = made(journal=path)
    client.data("/v2/alerts")
    client.refused(422, "POST", "/v2/alerts", {})
    assert len(path.read_bytes().splitlines()) == 1


def test_a_journal_that_cannot_be_written_stops_the_emulator(clock, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditUnwritable):
        Emulator(clock=clock, journal=tmp_path / "file" / "journal")


def test_another_file_is_refused_with_its_place(clock, tmp_path):
    path = tmp_path / "journal"
    path.write_text('{"at": "2026-03-01T12:00:00+00:00"}\n{"other": 1}\n')
    with pytest.raises(Invalid) as error:
        Emulator(clock=clock, journal=path)
    assert error.value.findings[0].place.line == 2
