"""core.http: where requests may go, and what their answers mean."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from engine.errors import AnswerLost, InDoubt, KeyRefused, Refused, StepError, Throttled, Unreachable
from engine.schema import problems
from engine.secret import SecretName
from steps.core import STEPS
from steps.core.http import Http, _origin
from steps.exchange import AnswerLate, Response

ALLOW = {"http": {"allow": ["https://grafana.example.com", "http://127.0.0.1:8080"]}}
URL = "https://grafana.example.com/api"
LOST = AnswerLost("no whole answer")


class Wire:
    """Answers with what it was told, in order."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def send(self, request, *, timeout):
        assert timeout > 0
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


def answer(status=200, body=b"", **headers):
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def send(context, *answers, method="GET", url=URL, **given):
    wire = Wire(*answers)
    outputs = Http(lambda: wire).perform({"method": method, "url": url, **given}, context)
    return outputs, wire.requests


@pytest.fixture
def allowed(new_context):
    return lambda **how: new_context(settings=ALLOW, **how)


def test_answer_becomes_outputs_without_cookies(allowed):
    outputs, _ = send(allowed(), answer(body=b'{"ok": true}', content_type="application/json", set_cookie="session=hidden"))
    assert outputs == {"status": 200, "headers": {"content-type": "application/json"}, "text": '{"ok": true}', "data": {"ok": True}}


def test_request_carries_query_headers_and_json(allowed):
    context = allowed()
    _, [request] = send(context, answer(), method="POST", query={"a": "x y", "b": [1, True]}, headers={"X-Org": "7"}, json={"n": "ü"})
    assert request.url == URL + "?a=x+y&b=1&b=true"
    assert json.loads(request.body) == {"n": "ü"}
    assert request.headers == {"x-org": "7", "content-type": "application/json", "user-agent": "opsbook"}
    [call] = context.calls
    assert (call.effect, call.method, call.url, call.body) == ("write", "POST", request.url, {"n": "ü"})


def test_query_is_added_to_one_that_is_there(allowed):
    _, [request] = send(allowed(), answer(), url=URL + "?a=1", query={"b": 2})
    assert request.url == URL + "?a=1&b=2"


@pytest.mark.parametrize(
    "url",
    [
        "https://grafana.example.com:444/",
        "http://grafana.example.com/",
        "https://grafana.example.com.evil.example/",
        "https://evil.example/https://grafana.example.com",
        "http://127.0.0.1:8081/",
        "http://localhost:8080/",
    ],
)
def test_other_origins_are_refused_before_anything_is_sent(allowed, url):
    context = allowed()
    with pytest.raises(StepError) as caught:
        send(context, url=url)
    assert caught.value.code == "host_refused"
    assert context.calls == []


@pytest.mark.parametrize(
    "url",
    [
        "https://user@grafana.example.com/",
        "https://grafana.example.com\\@evil.example/",
        "https://grafana.example.com#@evil.example/",
        "https://grafana.example.com/api/items/..",
        "https://grafana.example.com/api/./items",
        "https://grafana.example.com/api/%2E%2e/items?a=b",
        "https://grafana.example.com /",
        "https://grafana.example.com:99999/",
        "https://grafana.example.com:x/",
        "https://gräfana.example.com/",
        "ftp://grafana.example.com/",
        "//grafana.example.com/",
        "https:///x",
        "/x",
        "https://[::1/",
    ],
)
def test_urls_that_could_be_read_two_ways_are_refused(allowed, url):
    with pytest.raises(StepError) as caught:
        send(allowed(), url=url)
    assert caught.value.code == "url_refused"


@pytest.mark.parametrize("url", ["https://GRAFANA.example.com/x", "https://grafana.example.com:443", "http://127.0.0.1:8080/?q=1"])
def test_an_origin_is_scheme_host_and_port(allowed, url):
    assert send(allowed(), answer(), url=url)[0]["status"] == 200


@settings(max_examples=100, deadline=None)
@example(st.text(max_size=30))
def test_no_text_gets_past_the_list_but_its_own_host(tail):
    origin = _origin("https://grafana.example.com" + tail)
    if origin == ("https", "grafana.example.com", 443):
        assert tail[:1] in ("", "/", "?", ":")


@pytest.mark.parametrize("name", ["Authorization", "COOKIE", "Proxy-Authorization", "Host", "content-length", "Transfer-Encoding"])
def test_credentials_and_the_transports_own_headers_are_refused(allowed, name):
    with pytest.raises(StepError) as caught:
        send(allowed(), headers={name: "hidden"})
    assert caught.value.code == "header_refused"
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    ("method", "status", "error", "again"),
    [
        ("GET", 404, Refused, "never"),
        ("POST", 422, Refused, "never"),
        ("GET", 302, StepError, "never"),
        ("GET", 503, Unreachable, "safe"),
        ("PUT", 500, Unreachable, "safe"),
        ("POST", 500, InDoubt, "never"),
        ("PATCH", 502, InDoubt, "never"),
        ("POST", 429, Throttled, "safe"),
    ],
)
def test_what_a_status_means(allowed, method, status, error, again):
    with pytest.raises(error) as caught:
        send(allowed(), answer(status, b"sorry\x1b[0m", retry_after="7"), method=method)
    assert type(caught.value) is error
    assert caught.value.again == again
    assert f"{status}: sorry [0m" in caught.value.message
    if error in (Throttled, Unreachable):
        assert (caught.value.status, caught.value.retry_after) == (status, 7)


def test_expected_statuses_are_no_failure(allowed):
    assert send(allowed(), answer(404), expect_status=[200, 404])[0]["status"] == 404
    with pytest.raises(StepError, match="answered 204"):
        send(allowed(), answer(204), expect_status=[200])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_lost_answer_is_asked_for_again_where_twice_is_once(allowed, method):
    outputs, requests = send(allowed(), LOST, answer(), method=method)
    assert outputs["status"] == 200
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("method", "error", "again", "sent"),
    [("GET", Unreachable, "safe", 2), ("PUT", AnswerLost, "safe", 2), ("POST", InDoubt, "never", 1), ("PATCH", InDoubt, "never", 1)],
)
def test_an_answer_that_stays_lost(allowed, method, error, again, sent):
    context = allowed()
    with pytest.raises(error) as caught:
        send(context, LOST, LOST, method=method)
    assert (caught.value.again, len(context.calls)) == (again, sent)


def test_a_read_whose_time_ran_out_is_tried_again_only_when_asked(allowed):
    late = AnswerLate("no whole answer within the time limit")
    with pytest.raises(Unreachable) as caught:
        send(allowed(), late, late)
    assert caught.value.again == "maybe"


def test_nothing_is_sent_again_when_time_is_up(allowed):
    context = allowed(timeout=5)

    class Slow(Wire):
        def send(self, request, *, timeout):
            context.clock.sleep(timeout)
            return super().send(request, timeout=timeout)

    wire = Slow(LOST)
    with pytest.raises(Unreachable):
        Http(lambda: wire).perform({"method": "GET", "url": URL}, context)
    assert len(wire.requests) == 1


def test_a_delete_that_was_sent_twice_may_find_nothing_left(allowed):
    assert send(allowed(), LOST, answer(404), method="DELETE")[0]["status"] == 404
    with pytest.raises(Refused):
        send(allowed(), answer(404), method="DELETE")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_after_a_crash_a_post_is_in_doubt_and_a_put_is_sent_again(allowed, method):
    context = allowed(interrupted=1)
    if method == "PUT":
        assert send(context, answer(), method=method)[0]["status"] == 200
    else:
        with pytest.raises(InDoubt):
            send(context, method=method)


@pytest.mark.parametrize(
    ("given", "headers", "data"),
    [
        ({}, {}, "a\nb"),
        ({"parse": "text"}, {"content_type": "application/json"}, "a\nb"),
        ({"parse": "lines"}, {}, ["a", "b"]),
    ],
)
def test_parse(allowed, given, headers, data):
    assert send(allowed(), answer(body=b"a\nb\n", **headers), **given)[0]["data"] == data


def test_json_is_known_by_its_media_type_and_text_by_its_charset(allowed):
    assert send(allowed(), answer(body=b"[1]", content_type="application/problem+json"))[0]["data"] == [1]
    assert send(allowed(), answer(body=b"\xfc", content_type="text/plain; charset=latin-1"))[0]["data"] == "ü"
    assert send(allowed(), answer(body=b"\xfc", content_type="text/plain; charset=no-such"))[0]["data"] == "\ufffd"


def test_the_outputs_schema_is_checked_before_and_after(allowed):
    with pytest.raises(StepError) as caught:
        send(allowed(), outputs={"type": "nonsense"})
    assert caught.value.code == "outputs_schema"
    with pytest.raises(StepError) as caught:
        send(allowed(), answer(body=b"1"), parse="json", outputs={"type": "object"})
    assert caught.value.code == "unexpected_output"


def test_a_plan_shows_the_request_and_sends_no_write(allowed, placeholder):
    context = allowed(planning=True)
    outputs, requests = send(context, method="PUT", json={"a": 1})
    assert (requests, outputs["status"].name, context.calls[0].body) == ([], "status", {"a": 1})
    outputs, requests = send(context, method="PUT", json={"a": placeholder}, query={"b": placeholder})
    assert (requests, context.calls[1].body) == ([], {"a": placeholder})
    assert context.calls[1].url == URL + "?b=%3Csteps.x.outputs.y%3E"
    everything = dict.fromkeys(("method", "url", "query", "headers", "json", "parse", "outputs"), placeholder)
    outputs, requests = send(context, **everything)
    call = context.calls[2]
    assert (requests, call.effect, call.url, set(call.detail)) == (
        [],
        "write",
        "<steps.x.outputs.y>",
        {"method", "query", "headers", "parse", "outputs"},
    )


@pytest.mark.parametrize("given", [{"body": "\ud800"}, {"query": {"a": "\ud800"}}, {"json": float("inf")}])
def test_what_cannot_be_sent_is_said(allowed, given):
    with pytest.raises(StepError) as caught:
        send(allowed(), method="POST", **given)
    assert caught.value.code == "invalid_input"


def test_a_plan_refuses_what_a_run_would(allowed):
    with pytest.raises(StepError):
        send(allowed(planning=True), url="https://evil.example/", method="POST")


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"headers": {"X-A": "b"}}, True),
        ({"headers": {"X-A": "b\r\nX-B: c"}}, False),
        ({"headers": {"X A": "b"}}, False),
        ({"json": 1, "body": "x"}, False),
        ({"query": {"a": {}}}, False),
        ({"auth": {"bearer": "x"}}, False),
    ],
)
def test_schema(given, fits):
    assert Draft7Validator(STEPS["core.http"].inputs).is_valid({"method": "GET", "url": URL, **given}) is fits


def test_two_bodies_are_named():
    found = problems({"method": "POST", "url": URL, "json": 1, "body": "x"}, STEPS["core.http"].inputs)
    assert [problem.message for problem in found] == ["json and body exclude each other: give one of them"]


def test_over_a_real_connection(new_context):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(201)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        origin = f"http://127.0.0.1:{server.server_port}"
        context = new_context(settings={"http": {"allow": [origin]}})
        outputs = STEPS["core.http"].perform({"method": "POST", "url": origin + "/x", "json": {"a": [1]}}, context)
        thread.join()
    assert (outputs["status"], outputs["data"]) == (201, {"a": [1]})


TOKEN = {"auth": {"bearer": SecretName("A_TOKEN")}}


def test_a_secret_goes_into_its_header_alone(allowed):
    context = allowed(store={"A_TOKEN": ["the-secret-value"]})
    _, [request] = send(context, answer(), **TOKEN)
    assert request.headers["authorization"].reveal() == "the-secret-value"
    [call] = context.calls
    assert (call.key.kind, call.key.reference, call.key.secret.reveal()) == ("bearer", "env:A_TOKEN", "the-secret-value")
    assert "the-secret-value" not in repr(call) + repr(request)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])
def test_a_rotated_secret_is_sent_once_more_whatever_the_method(allowed, method):
    """Refused is not done: even a POST may go again."""
    context = allowed(store={"A_TOKEN": ["old-secret-value", "new-secret-value"]})
    outputs, requests = send(context, answer(401), answer(200), method=method, **TOKEN)
    assert outputs["status"] == 200
    assert [request.headers["authorization"].reveal() for request in requests] == ["old-secret-value", "new-secret-value"]
    assert [call.key.secret.reveal() for call in context.calls] == ["old-secret-value", "new-secret-value"]


def test_a_revoked_secret_is_an_error_that_names_its_reference(allowed):
    context = allowed(store={"A_TOKEN": ["old-secret-value"] * 2})
    with pytest.raises(KeyRefused) as caught:
        send(context, answer(401, body=b"old-secret-value is revoked"), **TOKEN)
    assert "does not take the secret env:A_TOKEN" in caught.value.message
    assert "old-secret-value" not in caught.value.message
    assert (caught.value.status, caught.value.exit_status, len(context.calls)) == (401, 4, 1)


def test_a_secret_without_the_right_is_named_too(allowed):
    context = allowed(store={"A_TOKEN": ["the-secret-value"]})
    with pytest.raises(KeyRefused, match=r"answered 403: read only \(asked with the secret env:A_TOKEN\)") as caught:
        send(context, answer(403, body=b"read only"), **TOKEN)
    assert (caught.value.status, caught.value.exit_status) == (403, 4)
    with pytest.raises(Refused) as caught:
        send(context, answer(403))
    assert type(caught.value) is Refused


def test_a_refusal_that_is_expected_is_an_answer(allowed):
    context = allowed(store={"A_TOKEN": ["old-secret-value"] * 2})
    outputs, _ = send(context, answer(401), expect_status=[200, 401], **TOKEN)
    assert outputs["status"] == 401


def test_without_auth_a_refusal_is_the_services(allowed):
    with pytest.raises(Refused) as caught:
        send(allowed(), answer(401))
    assert type(caught.value) is Refused


def test_a_lost_answer_is_asked_for_with_the_secret_too(allowed):
    context = allowed(store={"A_TOKEN": ["the-secret-value"]})
    _, requests = send(context, LOST, answer(), **TOKEN)
    assert [request.headers["authorization"].reveal() for request in requests] == ["the-secret-value"] * 2


def test_a_plan_of_a_write_asks_for_no_secret(allowed):
    context = allowed(planning=True, store={"A_TOKEN": []})
    send(context, method="POST", **TOKEN)
    [call] = context.calls
    assert (call.key.kind, call.key.reference, call.key.secret) == ("bearer", "env:A_TOKEN", None)


def test_a_plan_tells_the_secret_of_a_request_that_is_not_known(allowed, placeholder):
    context = allowed(planning=True, store={"A_TOKEN": []})
    send(context, method="POST", json={"id": placeholder}, **TOKEN)
    [call] = context.calls
    assert (call.key.reference, call.key.secret) == ("env:A_TOKEN", None)


def test_a_plan_of_a_read_asks_for_it(allowed):
    context = allowed(planning=True, store={"A_TOKEN": ["the-secret-value"]})
    _, [request] = send(context, answer(), **TOKEN)
    assert request.headers["authorization"].reveal() == "the-secret-value"


@pytest.mark.parametrize(("name", "headers"), [("X-It", {"x-it": "a"}), ("Host", {}), ("content-length", {}), ("Accept-Encoding", {})])
def test_auth_takes_no_header_that_is_set_already(allowed, name, headers):
    context = allowed(store={"A_TOKEN": []})
    with pytest.raises(StepError, match="set already"):
        send(context, headers=headers, auth={"header": {"name": name, "value": SecretName("A_TOKEN")}})
    assert context.calls == []


def test_a_credential_among_the_headers_is_told_where_it_belongs(allowed):
    with pytest.raises(StepError) as caught:
        send(allowed(), headers={"Authorization": "x"})
    assert "auth:" in caught.value.hint
