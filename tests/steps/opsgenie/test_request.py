"""opsgenie.request: which key a request goes with, and what it may do to the world."""

from __future__ import annotations

import pytest

from engine.errors import AnswerLost, KeyProblem, StepError
from steps.opsgenie.keys import Key
from steps.opsgenie.request import REQUEST

READ, WRITE, DELETE = "read", "create_and_update", "delete"
KEYS = [Key("account", f"env:{right}", frozenset({right})) for right in (READ, WRITE, DELETE)]


@pytest.mark.parametrize(
    "path", ["/v2/./alerts", "/v2/teams/T1/members/.", "/v2/teams/T1/members/..", "/v2/.;/alerts", "/v2/%2e/alerts", "/."]
)
def test_a_path_that_could_lead_elsewhere_is_refused(bench, path):
    b = bench()
    with pytest.raises(StepError, match="could lead elsewhere; nothing was sent") as caught:
        REQUEST.perform({"method": "DELETE", "path": path}, b.context)
    assert (caught.value.code, b.context.calls) == ("invalid_input", [])


def test_dots_inside_a_name_are_names(bench, say):
    b = bench(say.respond(body={"data": {}}))
    REQUEST.perform({"method": "GET", "path": "/v2/alerts/.a.b."}, b.context)
    assert b.sent == ["GET /v2/alerts/.a.b."]


@pytest.mark.parametrize(("method", "right"), [("GET", READ), ("DELETE", DELETE), ("POST", WRITE), ("PUT", WRITE), ("PATCH", WRITE)])
def test_the_key_has_the_right_that_the_method_needs(bench, say, method, right):
    b = bench(say.respond(body={"data": {}}), keys=KEYS)
    REQUEST.perform({"method": method, "path": "/v2/teams"}, b.context)
    assert b.context.calls[0].key.reference == f"env:{right}"
    with pytest.raises(KeyProblem, match=right):
        REQUEST.perform({"method": method, "path": "/v2/teams"}, bench(keys=[key for key in KEYS if right not in key.rights]).context)


@pytest.mark.parametrize(("path", "reference"), [("/v2/alerts", "env:I"), ("/v2/alerts/count", "env:I"), ("/v2/heartbeats/x/ping", "env:I"),
                                                 ("/v2/teams", "env:A"), ("/v2/alertsx", "env:A"), ("/v1/incidents/", "env:A")])  # fmt: skip
def test_an_integration_key_that_may_not_configure_is_for_alerts_and_heartbeats(bench, say, path, reference):
    b = bench(
        say.respond(body={"data": {}}), keys=[Key("integration", "env:I", frozenset({READ})), Key("account", "env:A", frozenset({READ}))]
    )
    REQUEST.perform({"method": "GET", "path": path}, b.context)
    assert b.context.calls[0].key.reference == reference


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_a_ping_is_a_write_that_may_be_repeated(bench, say, method):
    b = bench(AnswerLost("gone"), say.respond(202, {"result": "PONG"}))
    assert REQUEST.perform({"method": method, "path": "/v2/heartbeats/x/ping"}, b.context)["result"] == "PONG"
    assert [call.effect for call in b.context.calls] == ["write", "write"]
    assert b.sent == [f"{method} /v2/heartbeats/x/ping"] * 2


def test_a_plan_pings_nobody(bench):
    b = bench()
    b.context.planning = True
    REQUEST.perform({"method": "GET", "path": "/v2/heartbeats/x/ping"}, b.context)
    assert b.sent == []


NEW = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize("planning", [False, True])
def test_a_key_in_an_answer_is_no_output(bench, say, planning):
    data = {
        "id": "i",
        "apiKey": NEW,
        "outgoing": [{"password": "short", "user": "u", "writeAccessToken": ""}],
        "nextPageToken": "p",
        "apikeys": 2,
    }
    b = bench(say.respond(body={"data": data}))
    if planning:
        b.context.call = lambda call, send: replies.append(send()) or replies[-1]
        replies = []
    outputs = REQUEST.perform({"method": "GET", "path": "/v2/integrations/i"}, b.context)
    sealed = data | {"apiKey": "***", "outgoing": [{"password": "***", "user": "u", "writeAccessToken": ""}]}
    assert (outputs["data"], outputs["body"]) == (sealed, {"data": sealed})
    (reply,) = replies if planning else b.context.journal.values()
    assert [(secret.reveal(), secret.reference) for secret in reply.secrets] == [
        (NEW, "an answer to opsgenie.request"),
        ("short", "an answer to opsgenie.request"),
    ]


def test_what_people_wrote_into_an_alert_is_no_key(bench, say):
    b = bench(say.respond(body={"data": {"details": {"token": "as written"}}}))
    outputs = REQUEST.perform({"method": "GET", "path": "/v2/alerts/a"}, b.context)
    assert outputs["data"] == {"details": {"token": "as written"}}
