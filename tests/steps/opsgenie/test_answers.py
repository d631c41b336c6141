"""Whose answer it is: only the service's own words may say that something was done, or is not there."""

from __future__ import annotations

import json

import pytest

from engine.contracts import Reply
from engine.errors import AnswerLost, Refused, Unreachable
from steps.exchange import Response
from steps.opsgenie.answers import failure, fits, period, reply_of
from steps.opsgenie.follow import accepted
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.shapes import ICALENDAR

PAGE = b"<!doctype html><title>Sign in</title>"


@pytest.mark.parametrize("effect", ["read", "write"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{}"),
        (200, b'{"status": "ok"}'),
        (200, b'{"data": null, "requestId": null, "took": 0.1}'),
        (202, b'{"accepted": true}'),
        (204, b""),
        (307, b'{"data": {}}'),
        (404, PAGE),
        (404, b'{"error": "no such route"}'),
        (408, b'{"message": "Request timeout"}'),
        (409, PAGE),
    ],
)
def test_somebody_elses_answer_says_nothing(status, body, effect):
    with pytest.raises(AnswerLost if effect == "write" else Unreachable) as caught:
        error = failure(reply_of(Response(status, {}, body), effect))
        raise error
    assert caught.value.status == status


@pytest.mark.parametrize("body", [{"data": {}}, {"data": []}, {"requestId": "r"}, {"result": "Deleted"}])
def test_each_of_the_services_fields_shows_that_it_speaks(body):
    assert reply_of(Response(200, {}, json.dumps(body).encode()), "write").value == body


@pytest.mark.parametrize(("status", "body"), [(404, b'{"message": "no alert"}'), (409, b'{"message": "taken"}'), (400, PAGE), (413, b"")])
def test_a_refusal_is_one(status, body):
    assert type(failure(reply_of(Response(status, {}, body), "write"))) is Refused


@pytest.mark.parametrize(
    ("name", "data", "good"),
    [
        ("opsgenie.alert.get", {"id": "a"}, True),
        ("opsgenie.alert.get", {}, False),
        ("opsgenie.alert.get", {"id": 7}, False),
        ("opsgenie.alert.get", [{"id": "a"}], False),
        ("opsgenie.alert.count", {"count": 3}, True),
        ("opsgenie.alert.count", "3", False),
        ("opsgenie.alert.list", [], True),
        ("opsgenie.alert.list", [{"id": "a"}], True),
        ("opsgenie.alert.list", {"id": "a"}, False),
        ("opsgenie.alert.list", [7], False),
        ("opsgenie.team.list_logs", {"logs": [{}], "offset": "1"}, True),
        ("opsgenie.team.list_logs", {"logs": "none"}, False),
    ],
)
def test_a_read_brings_what_the_operation_reads(name, data, good):
    assert fits(OPERATIONS[name], Reply({"data": data}, 200)) is good


@pytest.mark.parametrize(("told", "seconds"), [("9" * 5000, 3600.0), ("1e3", 1.0), ("\u00b2", 1.0), ("7", 7.0)])
def test_how_long_to_wait_is_bounded_whatever_is_told(told, seconds):
    assert period(Reply({}, 429, {"retry-after": told})) == seconds


@pytest.mark.parametrize("request_id", ["", "r/1", "\u00e9", "x" * 201, 7, None])
def test_an_id_that_is_none_cannot_be_followed(request_id):
    with pytest.raises(AnswerLost, match="not under an id"):
        accepted(Reply({"requestId": request_id}, 202))


ICS = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def test_an_answer_that_is_a_text_is_told_as_its_content():
    reply = reply_of(Response(200, {"content-type": "text/calendar"}, ICS), "read", ICALENDAR)
    assert reply.value == {"data": {"content": ICS.decode()}}
    assert fits(OPERATIONS["opsgenie.schedule.export"], reply)


@pytest.mark.parametrize("body", [PAGE, b"", b'{"data": {}}', b"BEGIN:VCALENDAR\xff", ICS[:-10]])
def test_another_text_is_somebody_elses_answer(body):
    with pytest.raises(Unreachable):
        reply_of(Response(200, {}, body), "read", ICALENDAR)


def test_where_a_text_is_due_a_refusal_is_still_json():
    reply = reply_of(Response(404, {}, b'{"message": "no schedule"}'), "read", ICALENDAR)
    assert isinstance(failure(reply), Refused)
