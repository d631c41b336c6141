"""Requests, answers, keys, lists and followed requests over a scripted service."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import jsonschema
import pytest

from engine.contracts import Need, Reply, Surroundings
from engine.errors import AnswerLost, InDoubt, Interrupted, KeyProblem, KeyRefused, Refused, StepError, Throttled, Unreachable
from engine.version import VERSION
from steps.exchange import AnswerLate, Spoilt
from steps.opsgenie import PROVIDER
from steps.opsgenie.attempt import USER_AGENT
from steps.opsgenie.keys import Key
from steps.opsgenie.parts import BOUNDARY, MAX_FILE
from steps.opsgenie.settings import SETTINGS_SCHEMA


def test_a_read_gives_the_data_and_goes_with_the_least_privileged_key(bench, say):
    b = bench(say.respond(body={"data": {"id": "a-1", "message": "m"}, "requestId": "x"}))
    assert b.perform("opsgenie.alert.get", identifier="a b/ü", identifierType="alias") == {"id": "a-1", "message": "m"}
    request = b.transport.requests[0]
    assert request.url == "https://api.opsgenie.com/v2/alerts/a%20b%2F%C3%BC?identifierType=alias"
    assert (str(request.headers["Authorization"]), request.secret_prefix) == ("***", "GenieKey ")
    assert request.headers["Authorization"].reveal() == "value-of-env:TEAM"
    assert request.body is None
    call = b.context.calls[0]
    assert (call.action, call.effect, call.path, call.ids, call.domain) == (
        "opsgenie.alert.get",
        "read",
        "/v2/alerts/{identifier}",
        {"identifier": "a b/ü"},
        "alert",
    )
    assert (call.key.kind, call.key.reference) == ("team", "env:TEAM")


def test_the_body_holds_exactly_what_was_given(bench, say):
    b = bench(say.respond(201, {"data": {"id": "t", "name": "ops"}, "result": "Created"}))
    assert b.perform("opsgenie.team.create", name="ops", members=[{"user": {"username": "ü@example.com"}}]) == {
        "id": "t",
        "name": "ops",
        "result": "Created",
    }
    assert b.transport.requests[0].body == '{"members":[{"user":{"username":"ü@example.com"}}],"name":"ops"}'.encode()
    assert b.transport.requests[0].headers["Content-Type"] == "application/json"
    assert b.context.calls[0].body == json.loads(b.transport.requests[0].body)


def test_lists_in_a_query_are_joined(bench, say):
    b = bench(say.respond(body={"data": {"id": "u"}}))
    b.perform("opsgenie.user.get", identifier="u", expand=["contact", "x y"])
    assert b.sent == ["GET /v2/users/u?expand=contact%2Cx%20y"]


def test_an_accepted_write_is_followed_to_its_end(bench, say):
    b = bench(say.accept("r-9"), say.NOT_YET, say.respond(503), say.processed(alertId="a-1", action="Create"))
    done = b.perform("opsgenie.alert.close", identifier="a-1")
    assert done == {"success": True, "isSuccess": True, "status": "Done", "alertId": "a-1", "action": "Create", "requestId": "r-9"}
    assert b.sent == ["POST /v2/alerts/a-1/close"] + ["GET /v2/alerts/requests/r-9"] * 3
    assert b.context.calls[1].action == "opsgenie.alert.close.request_status"
    assert sum(b.clock.slept) < 0.5


def test_processed_as_failed_fails(bench, say):
    b = bench(say.accept(), say.respond(body={"data": {"isSuccess": False, "success": False, "status": "Alert does not exist"}}))
    with pytest.raises(Refused, match="Alert does not exist") as caught:
        b.perform("opsgenie.alert.close", identifier="gone")
    assert caught.value.code == "processed_as_failed"


def test_following_waits_as_long_as_a_rate_limit_asks(bench, say):
    late = say.respond(429, {"message": "slow"}, x_ratelimit_period_in_sec="60")
    b = bench(say.accept(), late, say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert 60.0 in b.clock.slept


def test_what_a_rate_limit_holds_back_is_not_the_attempts_time(bench, say):
    late = say.respond(429, {"message": "slow"}, x_ratelimit_period_in_sec="60")
    b = bench(say.accept(), late, say.NOT_YET, say.processed(alertId="a"))
    assert b.context.timeout == 30.0
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"


def test_a_run_that_is_stopped_while_a_rate_limit_holds_it_back_has_nothing_in_doubt(bench, monkeypatch):
    b = bench()
    b.service.buckets.refused("alert", 60.0, b.clock)

    def stopped(seconds):
        raise Interrupted("stopped by SIGTERM", ends=False)

    monkeypatch.setattr(b.clock, "sleep", stopped)
    with pytest.raises(Interrupted):
        b.perform("opsgenie.alert.create", message="m")
    assert (b.context.journal, b.sent) == ({}, [])


def test_a_plan_waits_for_no_write_that_it_does_not_send(bench, say):
    b = bench()
    b.service.buckets.refused("alert", 60.0, b.clock)
    b.context = say.Context(b.connection, b.clock, planning=True)
    b.perform("opsgenie.alert.create", message="m")
    assert (b.clock.slept, len(b.context.calls)) == ([], 1)


def test_a_status_that_does_not_tell_is_looked_at_again(bench, say):
    b = bench(say.accept(), say.respond(body={"data": {"status": "ok"}}), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"


@pytest.mark.parametrize("request_id", [None, 7, "", "../keys"])
def test_an_accepted_write_without_a_usable_id_is_in_doubt(bench, say, request_id):
    odd = say.respond(202, {"result": "Request will be processed", "requestId": request_id})
    b = bench(odd, say.accept(), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert [line.split()[0] for line in b.sent] == ["POST", "POST", "GET"]


def _kept(response):
    return replace(response, kept=True)


@pytest.mark.parametrize(
    "stray",
    [
        Spoilt("the connection broke"),
        {"data": {"id": "poison"}, "requestId": "r"},
        {"data": [{"id": "t"}]},
        {"data": {"id": 7}},
    ],
)
def test_a_read_that_a_kept_connection_spoilt_is_sent_again_over_a_new_one(bench, say, stray):
    first = stray if isinstance(stray, Exception) else _kept(say.respond(body=stray))
    b = bench(first, say.respond(body={"data": {"id": "t", "name": "ops"}}))
    assert b.perform("opsgenie.team.get", identifier="Ops", identifierType="name")["id"] == "t"
    assert [request.fresh for request in b.transport.requests] == [False, True]
    assert len(b.context.calls) == 1


def test_a_refusal_is_believed_over_a_kept_connection(bench, say):
    b = bench(_kept(say.respond(404, {"message": "Team does not exist"})), keys=[Key("account", "env:A")])
    with pytest.raises(Refused, match="does not exist"):
        b.perform("opsgenie.team.get", identifier="t")


def test_what_an_alias_stands_for_must_be_there_before_a_write(bench, say):
    b = bench(say.respond(404, {"message": "Alert does not exist"}), keys=[Key("integration", "env:I")])
    with pytest.raises(Refused, match="does not exist"):
        b.perform("opsgenie.alert.close", identifier="disk", identifierType="alias")
    assert len(b.sent) == 1


def test_what_an_alias_stands_for_may_be_made_by_an_earlier_step_of_a_plan(bench, say):
    b = bench(say.respond(404, {"message": "Alert does not exist"}), keys=[Key("integration", "env:I")])
    b.context.planning = True
    b.context.call = lambda call, send: send() if call.effect == "read" else None
    assert b.perform("opsgenie.alert.close", identifier="disk", identifierType="alias")["fields"]


def test_a_resumed_run_looks_as_often_as_it_would_have_and_not_for_as_long(bench, say):
    """Looks are counted: those of an earlier process took time that this one's deadline does not know of."""
    b = bench(*[say.NOT_YET] * 99)
    b.context.timeout = 1.0
    not_yet = Reply({"message": "Request not found"}, 404, {"x-opsgenie-errortype": "RequestNotProcessed"})
    b.context.journal = {1: Reply({"requestId": "r-1", "result": "Request will be processed"}, 202), 2: not_yet, 3: not_yet}
    with pytest.raises(InDoubt, match="not processed within the time limit"):
        b.perform("opsgenie.alert.execute_action", identifier="a", actionName="x")
    assert len([call for call in b.context.calls if call.effect == "read"]) == 5 + 6


def test_a_new_connection_is_believed_whatever_the_answer_is_about(bench, say):
    odd = say.respond(body={"data": {"id": "t", "name": "Operations"}})
    b = bench(_kept(odd), odd)
    assert b.perform("opsgenie.team.get", identifier="ops", identifierType="name")["name"] == "Operations"


@pytest.mark.parametrize(
    ("name", "given", "data"),
    [
        ("opsgenie.team.get", {"identifier": " OPS", "identifierType": "name"}, {"id": "t", "name": "ops"}),
        ("opsgenie.alert.get", {"identifier": "7", "identifierType": "tiny"}, {"id": "a", "tinyId": "7"}),
        ("opsgenie.user.get", {"identifier": "ana@example.com"}, {"id": "u", "username": "Ana@example.com"}),
        ("opsgenie.alert.count", {}, {"count": 1}),
        ("opsgenie.alert.list_notes", {"identifier": "a"}, [{"note": "n"}]),
    ],
)
def test_an_answer_about_what_was_asked_for_is_not_asked_for_twice(bench, say, name, given, data):
    b = bench(_kept(say.respond(body={"data": data})))
    b.perform(name, **given)
    assert len(b.sent) == 1


def test_a_spoilt_read_is_not_sent_again_once_its_time_has_run_out(bench, say):
    def late(_request):
        b.clock.passed += 40
        return Spoilt("the connection broke")

    b = bench(late)
    with pytest.raises(Unreachable, match="the connection broke"):
        b.perform("opsgenie.alert.get", identifier="a")
    assert len(b.sent) == 1


def test_an_accepted_write_that_is_not_said_to_be_accepted_is_in_doubt_over_a_kept_connection(bench, say):
    stray = _kept(say.respond(body={"data": {"isSuccess": True, "status": "Closed"}, "requestId": "r"}))
    b = bench(stray, say.accept(), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert [(line.split()[0], request.fresh) for line, request in zip(b.sent, b.transport.requests, strict=True)] == [
        ("POST", False),
        ("POST", True),
        ("GET", False),
    ]


def test_an_answer_of_another_form_is_no_answer(bench, say):
    b = bench(say.respond(body={"data": [1]}))
    with pytest.raises(Unreachable, match="not the service's JSON"):
        b.perform("opsgenie.alert.close", identifier="x", identifierType="alias")
    assert [line.split()[0] for line in b.sent] == ["GET"]


def test_a_polling_key_without_the_right_to_read_is_replaced(bench, say):
    keys = (Key("integration", "env:W", frozenset({"create_and_update"})), Key("account", "env:R", frozenset({"read"})))
    b = bench(say.accept(), say.processed(alertId="a"), keys=keys)
    b.perform("opsgenie.alert.close", identifier="a")
    assert [call.key.reference for call in b.context.calls] == ["env:W", "env:R"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            422,
            {"message": "Request body is not processable. Please check the errors.", "errors": {"teams[0]": "id needed"}},
            Refused,
            "teams\\[0\\]: id needed",
        ),
        (404, {"message": "Alert does not exist"}, Refused, "Alert does not exist"),
        (402, {"message": "plan"}, Refused, "plan"),
        (409, {"message": "There is already one Team with same name"}, Refused, "already one Team"),
        (400, b"<html>", Refused, "answered 400"),
        (401, {"message": "Could not authenticate"}, KeyRefused, "team key .env:TEAM, region us."),
        (403, {"message": "API Key is not granted with write access."}, KeyRefused, "write access"),
        (422, {"message": "Key format is not valid!"}, KeyRefused, "Key format"),
        (429, {"message": "too many"}, Throttled, "too many"),
        (500, {"message": "oops"}, Unreachable, "oops"),
        (503, b"", Unreachable, "503"),
        (200, b"not json", Unreachable, "not the service's JSON"),
        (200, b'{"data": NaN}', Unreachable, "not the service's JSON"),
        (200, b'{"data": 1, "data": 2}', Unreachable, "not the service's JSON"),
        (200, b"[]", Unreachable, "not the service's JSON"),
        (200, b"[" * 100_000, Unreachable, "not the service's JSON"),
        (200, b"\xff", Unreachable, "not the service's JSON"),
        (200, b"", Unreachable, "not the service's JSON"),
        (302, b"", Unreachable, "redirect"),
    ],
)
def test_the_fate_of_a_read(bench, say, status, body, kind, words):
    b = bench(say.respond(status, body), keys=(Key("team", "env:TEAM"),))
    with pytest.raises(kind, match=words) as caught:
        b.perform("opsgenie.alert.get", identifier="a")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert len(b.sent) == 1, "no other region is tried"
    assert "value-of" not in f"{caught.value} {caught.value.hint}"


def test_a_refused_key_is_told_with_what_to_do(bench, say):
    b = bench(*[say.respond(403, {"message": "no"})] * 2)
    with pytest.raises(KeyRefused) as caught:
        b.perform("opsgenie.user.create", username="u", fullName="U", role={"name": "User"})
    assert "create_and_update and configuration_access" in caught.value.hint
    assert "the account key (env:ACCOUNT, region us): no" in caught.value.message


@pytest.mark.parametrize(("header", "seconds"), [("60", 60.0), ("1", 1.0), ("junk", 1.0), (None, 1.0), ("-5", 1.0), ("9999999", 3600.0)])
def test_a_429_says_how_long_to_wait(bench, say, header, seconds):
    told = {"x_ratelimit_period_in_sec": header} if header else {}
    b = bench(say.respond(429, {"message": "slow"}, **told))
    with pytest.raises(Throttled) as caught:
        b.perform("opsgenie.alert.create", message="m")
    assert caught.value.retry_after == seconds
    assert caught.value.again == "safe"


def test_nothing_sent_is_safe_to_try_again(bench):
    b = bench(Unreachable("no connection: refused"))
    with pytest.raises(Unreachable, match="api.opsgenie.com: no connection: refused") as caught:
        b.perform("opsgenie.alert.create", message="m")
    assert caught.value.again == "safe"
    assert "connections.opsgenie" in caught.value.hint
    assert "Nothing was sent" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ((307, b""), "something between"),
        ((200, b"<html>"), "something between"),
        ((200, {"data": []}), "something between"),
        (AnswerLost("the connection broke"), "The request left"),
    ],
)
def test_the_advice_fits_what_was_sent_and_answered(bench, say, answer, advice):
    b = bench(say.respond(*answer) if isinstance(answer, tuple) else answer)
    with pytest.raises(Unreachable) as caught:
        b.perform("opsgenie.alert.get", identifier="a")
    assert advice in caught.value.hint
    assert "Nothing was sent" not in caught.value.hint
    assert caught.value.again == "safe"


@pytest.mark.parametrize("error", [AnswerLate("no whole answer within the time limit"), Unreachable("no connection", again="maybe")])
def test_a_read_whose_time_ran_out_is_tried_again_only_when_asked(bench, error):
    with pytest.raises(Unreachable) as caught:
        bench(error).perform("opsgenie.alert.get", identifier="a")
    assert caught.value.again == "maybe"


def test_what_could_not_be_sent_in_time_is_tried_again_only_when_asked(bench, say):
    b = bench(*pages(say, 100, 100))
    real = b.transport.send

    def send(request, *, timeout):
        b.clock.passed += 31
        return real(request, timeout=timeout)

    b.transport.send = send
    with pytest.raises(Unreachable, match="before the request was sent") as caught:
        b.perform("opsgenie.alert.list")
    assert caught.value.again == "maybe"


def test_a_rotated_key_is_read_again_and_the_request_sent_once_more(bench, say):
    b = bench()

    def rotate(_request):
        b.store["env:TEAM"] = "new-key-value"
        return say.respond(401, {"message": "Could not authenticate"})

    b.transport.answers = [rotate, say.respond(body={"data": {"id": "a"}})]
    assert b.perform("opsgenie.alert.get", identifier="a") == {"id": "a"}
    keys = [request.headers["Authorization"].reveal() for request in b.transport.requests]
    assert keys == ["value-of-env:TEAM", "new-key-value"]
    assert [call.key.secret.reveal() for call in b.context.calls] == keys, "each request is told with the key it used"


def test_a_rotation_is_done_once(bench, say):
    b = bench()

    def rotate(_request):
        b.store["env:TEAM"] += "+"
        return say.respond(401, {"message": "Could not authenticate"})

    b.transport.answers = [rotate, rotate]
    with pytest.raises(KeyRefused):
        b.perform("opsgenie.alert.get", identifier="a")
    assert len(b.sent) == 2


def test_a_missing_key_is_a_problem_before_anything_is_sent(bench):
    b = bench(keys=(Key("team", "env:TEAM"),))
    with pytest.raises(KeyProblem, match="opsgenie.user.get needs a key of kind integration or account"):
        b.perform("opsgenie.user.get", identifier="u")
    assert b.context.calls == []


def pages(say, *sizes, base="https://api.opsgenie.com/v2/alerts?offset={}&limit=100"):
    offset, answers = 0, []
    for number, size in enumerate(sizes):
        items = [{"id": str(offset + index)} for index in range(size)]
        offset += size
        link = {"paging": {"next": base.format(offset)}} if number + 1 < len(sizes) else {}
        answers.append(say.respond(body={"data": items, **link}))
    return answers


def test_a_list_is_read_page_by_page_to_its_end(bench, say):
    b = bench(*pages(say, 100, 100, 7))
    done = b.perform("opsgenie.alert.list", query="status: open")
    assert (done["count"], done["items"][-1]) == (207, {"id": "206"})
    assert b.sent == [
        "GET /v2/alerts?query=status%3A%20open&limit=100",
        "GET /v2/alerts?offset=100&limit=100",
        "GET /v2/alerts?offset=200&limit=100",
    ]


def test_a_list_ends_at_the_limit_asked(bench, say):
    b = bench(*pages(say, 100, 100, 100))
    done = b.perform("opsgenie.alert.list", limit=150)
    assert (done["count"], len(done["items"]), len(b.sent)) == (150, 150, 2)


def test_a_small_limit_asks_for_a_small_page(bench, say):
    b = bench(*pages(say, 3))
    b.perform("opsgenie.alert.list", limit=3)
    assert b.sent == ["GET /v2/alerts?limit=3"]


def test_a_link_that_says_http_is_followed_where_all_requests_go(bench, say):
    """The vendor's own recorded page of users has such links."""
    b = bench(*pages(say, 100, 5, base="http://api.opsgenie.com/v2/alerts?offset={}"))
    assert b.perform("opsgenie.alert.list")["count"] == 105
    assert [request.url.partition(":")[0] for request in b.transport.requests] == ["https", "https"]


@pytest.mark.parametrize(
    "base",
    [
        "https://evil.example/v2/alerts?offset={}",
        "https://api.opsgenie.com.evil.example/{}",
        "https://api.opsgenie.com@evil.example/{}",
        "//evil.example/{}",
    ],
)
def test_the_key_does_not_follow_a_list_to_another_host(bench, say, base):
    b = bench(*pages(say, 100, 100, base=base))
    with pytest.raises(Refused, match="another host"):
        b.perform("opsgenie.alert.list")
    assert len(b.sent) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/v2/alerts?offset=1\r\nX: y",
        "/v2/alerts?q=\u00e9",
        "/v2/alerts ",
        "/v2/incidents?offset=1",
        "/v2/alerts/x?offset=1",
        "/",
        "/v2/../v2/alerts",
    ],
)
def test_a_next_page_that_is_none_of_the_list_is_a_bad_answer(bench, say, target):
    b = bench(*pages(say, 1, 1, base="https://api.opsgenie.com" + target))
    with pytest.raises(Refused) as caught:
        b.perform("opsgenie.alert.list")
    assert (caught.value.code, caught.value.again, len(b.sent)) == ("bad_answer", "never", 1)


@pytest.mark.parametrize(
    ("kind", "path", "followed"),
    [("id", "a%2D1", True), ("id", "a-2", False), ("alias", "b-7", True), ("alias", "b-7/x", False)],
)
def test_the_next_page_below_an_alias_may_name_the_id(bench, say, kind, path, followed):
    b = bench(*pages(say, 1, 1, base=f"https://api.opsgenie.com/v2/alerts/{path}/notes?offset={{}}"))
    given = {"identifier": "a-1"} | ({} if kind == "id" else {"identifierType": kind})
    if followed:
        assert b.perform("opsgenie.alert.list_notes", **given)["count"] == 2
    else:
        with pytest.raises(Refused, match="another list"):
            b.perform("opsgenie.alert.list_notes", **given)


@pytest.mark.parametrize("offset", ["%C2%B2", "9" * 5000, "-1", ""])
def test_an_odd_offset_in_a_link_does_no_harm(bench, say, offset):
    b = bench(*pages(say, 1, 1, base=f"https://api.opsgenie.com/v2/alerts?offset={offset}"))
    assert b.perform("opsgenie.alert.list")["count"] == 2


def test_a_list_in_a_circle_ends(bench, say):
    same = say.respond(body={"data": [{"id": "1"}], "paging": {"next": "https://api.opsgenie.com/v2/alerts?offset=1"}})
    b = bench(same, same, same, same)
    with pytest.raises(Refused, match="twice"):
        b.perform("opsgenie.alert.list")
    assert len(b.sent) == 2


def test_a_list_ends_where_the_service_lists_no_more(bench, say):
    b = bench(say.respond(body={"data": [{"id": "1"}], "paging": {"next": "https://api.opsgenie.com/v2/alerts?offset=19900&limit=100"}}))
    assert b.perform("opsgenie.alert.list")["count"] == 1
    assert any("20000" in said for said in b.context.said)


def test_items_below_data_are_found(bench, say):
    b = bench(say.respond(body={"data": {"offset": "x", "logs": [{"log": "a"}]}}))
    assert b.perform("opsgenie.team.list_logs", identifier="t") == {"items": [{"log": "a"}], "count": 1}


def test_an_alias_is_resolved_to_the_id_before_a_write(bench, say):
    b = bench(say.respond(body={"data": {"id": "a-77"}}), say.accept(), say.processed(alertId="a-77"))
    b.perform("opsgenie.alert.acknowledge", identifier="disk full", identifierType="alias")
    assert b.sent[:2] == ["GET /v2/alerts/disk%20full?identifierType=alias", "POST /v2/alerts/a-77/acknowledge?identifierType=id"]


def huge(path):
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)


def test_a_file_is_sent_as_multipart(bench, say, tmp_path):
    file = tmp_path / 'log "1".txt'
    file.write_bytes(b"line\r\n\x00")
    b = bench(say.respond(201, {"data": {"id": 5}, "result": "ok"}))
    b.context.folder = tmp_path
    b.perform("opsgenie.alert.add_attachment", identifier="a", file=str(file), user="ana")
    request = b.transport.requests[0]
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b"line\r\n\x00\r\n" in request.body
    assert b'name="file"; filename="log %221%22.txt"' in request.body
    assert b'name="user"\r\n\r\nana\r\n' in request.body


@pytest.mark.parametrize(
    "make",
    [lambda path: None, lambda path: path.mkdir(), lambda path: os.mkfifo(path), lambda path: huge(path)],
    ids=["absent", "folder", "pipe", "huge"],
)
def test_what_is_no_file_is_not_sent(bench, tmp_path, make):
    make(tmp_path / "x")
    b = bench()
    b.context.folder = tmp_path
    with pytest.raises(StepError, match="the file (cannot be read|is not a regular file|is larger than 20 MiB)"):
        b.perform("opsgenie.alert.add_attachment", identifier="a", file=str(tmp_path / "x"))
    assert b.sent == []


@pytest.mark.parametrize("planning", [False, True])
def test_a_file_from_elsewhere_is_not_sent_and_no_plan_says_it_would_be(bench, say, tmp_path, planning):
    for name in ("output", "project", "allowed", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f.txt").write_text(name)
    done = say.respond(201, {"data": {"id": 5}, "result": "ok"})
    b = bench(*[done] * 4)
    b.context.planning = planning
    b.context.folder = tmp_path / "output"
    b.context.settings = {"project": str(tmp_path / "project"), "write": {"allow": [str(tmp_path / "allowed")]}}
    for path in ("f.txt", *(str(tmp_path / name / "f.txt") for name in ("output", "project", "allowed"))):
        b.perform("opsgenie.alert.add_attachment", identifier="a", file=path)
    sent = [name for request in b.transport.requests for name in ("output", "project", "allowed") if name.encode() in request.body]
    assert sent == ([] if planning else ["project", "output", "project", "allowed"])
    for path in ("../elsewhere/f.txt", str(tmp_path / "elsewhere/f.txt"), "/etc/passwd"):
        with pytest.raises(StepError, match="may not be read") as caught:
            b.perform("opsgenie.alert.add_attachment", identifier="a", file=path)
        assert caught.value.code == "path_refused"


def test_a_file_that_only_a_real_run_knows_is_planned(bench, say):
    b = bench()
    b.context = say.Context(b.connection, b.clock, planning=True)
    unknown = type("Unknown", (), {"__str__": lambda self: "<steps.write.outputs.path>"})()
    assert b.perform("opsgenie.alert.add_attachment", identifier="a", file=unknown)["fields"]


def test_a_file_that_holds_the_mark_between_parts_is_not_sent(bench, tmp_path):
    (tmp_path / "x").write_text(f"--{BOUNDARY}--")
    b = bench()
    b.context.folder = tmp_path
    with pytest.raises(StepError, match="the mark that separates parts"):
        b.perform("opsgenie.alert.add_attachment", identifier="a", file="x")


def test_a_plan_sends_nothing_and_reads_no_secret(bench, say):
    b = bench(store={"no": "secrets"})
    b.context = say.Context(b.connection, b.clock, planning=True)
    unknown = type("Unknown", (), {"__str__": lambda self: "<steps.create.outputs.alertId>"})()
    planned = b.perform("opsgenie.alert.add_note", identifier=unknown, note="n", identifierType="alias")
    assert "alertId" in planned["fields"]
    assert b.perform("opsgenie.alert.list", limit=5) == {"unknown": "", "fields": ["count", "items"]}
    write = next(call for call in b.context.calls if call.effect == "write")
    assert write.url.endswith("/v2/alerts/%3Csteps.create.outputs.alertId%3E/notes?identifierType=alias")
    assert write.key.reference == "env:TEAM"
    assert write.key.secret is None
    assert b.sent == []


def test_waiting_for_the_rate_does_not_use_up_the_time(bench, say):
    b = bench(say.respond(body={"data": {"id": "a"}}), say.respond(body={"data": {"id": "a"}}))
    b.service.buckets.refused("alert", 60.0, b.clock)
    b.perform("opsgenie.alert.get", identifier="a")
    b.perform("opsgenie.alert.get", identifier="a")
    assert b.transport.timeouts == [30.0, 30.0]
    assert b.clock.passed >= 60


class TestRawRequest:
    def run(self, b, **given):
        return PROVIDER.steps()["opsgenie.request"].perform(given, b.context)

    def test_it_gives_the_answer_whole_and_in_parts(self, bench, say):
        b = bench(say.respond(200, {"data": [1], "result": "ok", "requestId": "r", "more": True}))
        done = self.run(b, method="GET", path="/v2/x", query={"a": "b c", "n": 1, "l": ["p", "q"]})
        assert done == {
            "status": 200,
            "data": [1],
            "result": "ok",
            "requestId": "r",
            "body": {"data": [1], "result": "ok", "requestId": "r", "more": True},
        }
        assert b.sent == ["GET /v2/x?a=b%20c&n=1&l=p%2Cq"]
        assert b.context.calls[0].effect == "read"

    def test_it_follows_an_accepted_write(self, bench, say):
        b = bench(say.accept(), say.processed(alertId="a"))
        assert self.run(b, method="POST", path="/v2/alerts/a/close", body={})["data"]["alertId"] == "a"
        b = bench(say.accept())
        assert self.run(b, method="POST", path="/v2/alerts/a/close", body={}, follow=False)["status"] == 202

    @pytest.mark.parametrize(
        "path", ["//evil.example/x", "/a//b", "https://x", "/a/../b", "/a/%2E%2e/b", "/a b", "/a?b=c", "/a#b", "\\x", "/{x}", "/a\n"]
    )
    def test_its_path_stays_on_the_host(self, bench, path):
        b = bench()
        with pytest.raises(StepError, match="not an absolute path"):
            self.run(b, method="GET", path=path)
        assert b.context.calls == []

    def test_its_key_can_be_chosen(self, bench, say):
        b = bench(say.respond(body={"data": {}}))
        self.run(b, method="GET", path="/v2/account", key="account")
        assert b.context.calls[0].key.reference == "env:ACCOUNT"

    def test_a_lost_post_is_in_doubt(self, bench, say):
        b = bench(say.respond(500))
        with pytest.raises(InDoubt):
            self.run(b, method="POST", path="/v2/x", body={"a": 1})
        assert len(b.sent) == 1

    def test_its_doubt_is_told_with_its_method_and_path(self, bench, say):
        with pytest.raises(InDoubt) as caught:
            self.run(bench(say.respond(500)), method="POST", path="/v2/x/a-1", body={"a": 1})
        assert "POST /v2/x/a-1, sent at" in caught.value.hint

    def test_a_lost_put_is_sent_again(self, bench, say):
        b = bench(say.respond(500), say.respond(body={"data": {"id": 1}}))
        assert self.run(b, method="PUT", path="/v2/x", body={})["data"] == {"id": 1}


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        ({}, True),
        ({"service": "opsgenie", "region": "eu", "keys": [{"kind": "team", "secret": "env:X", "team": "a", "rights": ["read"]}]}, True),
        ({"url": "http://127.0.0.1:8080"}, True),
        ({"url": "http://[::1]:8080/"}, True),
        ({"url": "https://proxy.example:8443"}, True),
        ({"url": "http://proxy.example"}, False),
        ({"url": "http://127.0.0.1.evil.example"}, False),
        ({"url": "https://user:pw@host"}, False),
        ({"proxy": "http://user:pw@host"}, False),
        ({"region": "mars"}, False),
        ({"keys": [{"kind": "team"}]}, False),
    ],
)
def test_the_schema_of_the_settings(settings, good):
    assert jsonschema.Draft7Validator(SETTINGS_SCHEMA).is_valid(settings) == good


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({}, "https://api.opsgenie.com"),
        ({"region": "eu"}, "https://api.eu.opsgenie.com"),
        ({"region": "eu", "url": "http://localhost:1/"}, "http://localhost:1"),
    ],
)
def test_the_host_of_a_connection(bench, settings, base):
    surroundings = Surroundings(clock=bench().clock, credential=None)
    assert PROVIDER.connect("opsgenie", settings, surroundings)._service.base == base


@pytest.mark.parametrize("settings", [{}, {"keys": [{"kind": "integration", "secret": "env:NOT_SET"}]}, {"service": "emulator"}])
def test_an_emulated_connection_needs_no_secret(bench, say, settings):
    clock = bench().clock

    def credential(reference: str) -> None:
        raise AssertionError(reference)

    connection = PROVIDER.connect("opsgenie", settings, Surroundings(clock=clock, credential=credential, emulate=True))
    step = PROVIDER.steps()["opsgenie.alert.create"]
    done = step.perform({"message": "db down"}, say.Context(connection, clock))
    assert done["isSuccess"] is True
    connection.close()


def test_the_user_agent_names_the_version():
    assert f"opsbook/{VERSION}" == USER_AGENT


def test_what_the_least_privileged_key_may_not_the_next_one_is_tried_with(bench, say):
    b = bench(say.respond(403, {"message": "Team API Keys are not authorized"}), say.respond(body={"data": {"id": "t"}}))
    assert b.perform("opsgenie.team.get", identifier="t") == {"id": "t"}
    assert [call.key.reference for call in b.context.calls] == ["env:TEAM", "env:INTEGRATION"]


def test_what_is_not_there_for_a_teams_key_may_be_for_the_next(bench, say):
    none, there = say.respond(404, {"message": "Alert does not exist"}), say.respond(body={"data": {"id": "a"}})
    b = bench(none, there)
    assert b.perform("opsgenie.alert.get", identifier="a") == {"id": "a"}
    assert [call.key.reference for call in b.context.calls] == ["env:TEAM", "env:INTEGRATION"]
    b = bench(none, none)
    with pytest.raises(Refused, match="does not exist"):
        b.perform("opsgenie.alert.get", identifier="a")
    assert len(b.sent) == 2, "an integration's key sees every alert"
    b = bench(none, *[say.respond(403, {"message": "no"})] * 2)
    with pytest.raises(Refused, match="does not exist") as caught:
        b.perform("opsgenie.alert.get", identifier="a")
    assert not isinstance(caught.value, KeyRefused)


def test_that_a_teams_key_sees_a_part_of_the_alerts_is_said_once(bench, say):
    b = bench(*[say.respond(body={"data": []})] * 2)
    b.perform("opsgenie.alert.list")
    b.perform("opsgenie.alert.list")
    assert [said for said in b.context.said if "env:TEAM" in said and "its team only" in said] == b.context.said
    assert len(b.context.said) == 1
    b = bench(say.respond(body={"data": []}), keys=(Key("integration", "env:I"),))
    b.perform("opsgenie.alert.list")
    assert b.context.said == []


def test_a_connection_tells_whether_its_key_is_ready(bench):
    b = bench()
    need = Need(("integration", "account"), "read+configuration_access")
    assert b.connection.key_reference(need) == "env:INTEGRATION"
    b.connection.ready(need)
    assert b.connection.key_reference(Need(("heartbeat",), "read")) is None
    with pytest.raises(KeyProblem, match="needs a key of kind heartbeat"):
        b.connection.ready(Need(("heartbeat",), "read"))
    assert b.sent == []
