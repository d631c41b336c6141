from __future__ import annotations

import json

import pytest

from engine.errors import AnswerLost, Unreachable, UsageError
from steps.opsgenie.emulator import EmulatorTransport, Fault, parse_faults
from steps.opsgenie.emulator.faults import NAMES

CREATE = ("POST", "/v2/alerts", {"message": "m", "alias": "a"})
EVERY = [*NAMES, "http_404", "http_429", "http_500", "http_503", "http_500_after", "http_503_after", "http_599"]


def alerts(client):
    client.clock.sleep(1)
    return len(client.emulator.snapshot()["alerts"])


def test_faults_are_written_in_one_line():
    assert parse_faults("opsgenie.alert.create=lost, opsgenie.alert.get=http_503*3,POST /v2/alerts=slow(2.5s)*2+1,*=http_429") == (
        Fault("opsgenie.alert.create", "lost"),
        Fault("opsgenie.alert.get", "http_503", times=3),
        Fault("POST /v2/alerts", "slow", times=2, after=1, seconds=2.5),
        Fault("*", "http_429"),
    )
    assert parse_faults("") == ()


@pytest.mark.parametrize("text", ["lost", "=lost", "*=", "*=nope", "*=lost*", "*=http_200", "*=lost*x", "*=slow(x)"])
def test_a_wrong_fault_says_how_it_is_written(text):
    with pytest.raises(UsageError) as error:
        parse_faults(text)
    assert error.value.hint


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ("*", True),
        ("opsgenie.alert.create", True),
        ("POST /v2/al", True),
        ("opsgenie.alert", False),
        ("GET /v2/alerts", False),
        ("POST", False),
    ],
)
def test_what_a_fault_matches(match, hit):
    assert Fault(match, "lost").hits("opsgenie.alert.create", "POST", "/v2/alerts") is hit


@pytest.mark.parametrize("answer", EVERY)
def test_each_fault_processes_what_it_says_and_happens_once(made, answer):
    fault = Fault("opsgenie.alert.create", answer)
    client = made(faults=[fault])
    try:
        client.send(*CREATE)
    except (AnswerLost, Unreachable):
        pass
    assert alerts(client) == (fault.processed and answer not in ("processed_as_failed", "never_processed"))
    assert client.send(*CREATE).status == 202
    assert alerts(client) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("refused", Unreachable),
        ("reset_before", AnswerLost),
        ("closed_before", AnswerLost),
        ("lost", AnswerLost),
        ("closed", AnswerLost),
        ("truncated", AnswerLost),
        ("headers_only", AnswerLost),
    ],
)
def test_a_broken_connection_is_an_error(made, answer, error):
    client = made(faults=[Fault("*", answer)])
    with pytest.raises(error):
        client.send("GET", "/v2/alerts")
    assert client.send("GET", "/v2/alerts").status == 200


@pytest.mark.parametrize("answer", ["garbage", "bad_json", "empty", "html"])
def test_a_good_status_without_json(made, answer):
    response = made(faults=[Fault("*", answer)]).send("GET", "/v2/alerts")
    assert response.status == 200
    with pytest.raises(ValueError):
        json.loads(response.body)


def test_http_faults_are_answers(made):
    client = made(faults=parse_faults("*=http_429,*=http_503_after,*=redirect"))
    assert [client.send(*CREATE).status for _ in range(4)] == [429, 503, 307, 202]


def test_a_throttled_fault_says_how_long(made):
    response = made(faults=[Fault("*", "http_429")]).send("GET", "/v2/alerts")
    assert (response.headers["x-ratelimit-state"], response.headers["x-ratelimit-period-in-sec"]) == ("THROTTLED", "60")


def test_processed_as_failed(made):
    client = made(faults=[Fault("opsgenie.alert.create", "processed_as_failed")])
    assert client.done(*CREATE)["isSuccess"] is False


def test_never_processed(made):
    client = made(faults=[Fault("opsgenie.alert.create", "never_processed")])
    accepted = client.json(*CREATE, status=202)
    client.clock.sleep(3600)
    assert client.send("GET", f"/v2/alerts/requests/{accepted['requestId']}").headers["x-opsgenie-errortype"] == "RequestNotProcessed"


def test_times_and_after(made):
    client = made(faults=[Fault("*", "http_500", times=2, after=1)])
    assert [client.send("GET", "/v2/alerts").status for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_slow_answer_lets_time_pass(made):
    client = made(faults=[Fault("*", "slow", seconds=5)])
    start = client.clock.now()
    assert client.send("GET", "/v2/alerts").status == 200
    assert (client.clock.now() - start).total_seconds() == 5


@pytest.mark.parametrize(("timeout", "passed"), [(10, 5), (2, 2), (5, 5)])
def test_the_transport_keeps_its_deadline(made, timeout, passed):
    client = made(faults=[Fault("*", "slow", seconds=5)])
    transport, start = EmulatorTransport(client.emulator), client.clock.now()
    try:
        assert transport.send(client.request("GET", "/v2/alerts"), timeout=timeout).status == 200
        assert passed < timeout
    except AnswerLost:
        assert passed == timeout
    assert (client.clock.now() - start).total_seconds() == passed
    transport.close()


@pytest.mark.parametrize("answer", ["huge", "gzip_bomb"])
def test_the_transport_takes_no_large_answer(made, answer):
    client = made(faults=[Fault("*", answer)])
    with pytest.raises(AnswerLost):
        EmulatorTransport(client.emulator).send(client.request("GET", "/v2/alerts"), timeout=1)


def test_every_fault_is_in_the_table():
    from steps.opsgenie.emulator import faults

    listed = [line.split("|")[1].strip() for line in faults.__doc__.splitlines() if line.startswith("| ")][1:]
    assert sorted(name for name in listed if "NNN" not in name) == list(NAMES)


@pytest.mark.parametrize("match", ["opsgenie.alert.creat", "opsgenie.alert.route", "nonsense", "PUSH /v2", "GET alerts"])
def test_a_fault_that_can_never_happen_is_refused(match):
    from steps.opsgenie.emulator import Emulator

    with pytest.raises(UsageError, match="no operation"):
        Emulator(clock=None, faults=[Fault(match, "lost")])
