"""Who asks: from `auth` to a header, and once more when a secret has changed."""

from __future__ import annotations

import pytest

from engine.contracts import Reply
from engine.errors import StepError
from engine.schema import problems
from engine.secret import Credential, Secret, SecretName
from steps.authorization import SCHEMA, authorization, renewing
from steps.exchange import Request

NAMED = SecretName("A_TOKEN")
URL = "https://grafana.example.com/api"


class Context:
    """Knows one secret; counts how often its source was asked."""

    def __init__(self, *values):
        self.values, self.asked = list(values) or ["the-secret-value"], 0
        self.credential_ = Credential("env:A_TOKEN", self.read)

    def read(self, reference):
        self.asked += 1
        return Secret(self.values.pop(0) if len(self.values) > 1 else self.values[0], reference)

    def credential(self, named):
        assert named == NAMED
        return self.credential_


@pytest.mark.parametrize(
    ("auth", "header", "prefix", "value"),
    [
        ({"bearer": NAMED}, "authorization", "Bearer ", "the-secret-value"),
        ({"basic": {"username": "ops", "password": NAMED}}, "authorization", "Basic ", "b3BzOnRoZS1zZWNyZXQtdmFsdWU="),
        ({"header": {"name": "X-Api-Key", "value": NAMED}}, "x-api-key", "", "the-secret-value"),
        ({"header": {"name": "Authorization", "value": NAMED, "prefix": "Token "}}, "authorization", "Token ", "the-secret-value"),
    ],
)
def test_each_scheme_has_its_header(auth, header, prefix, value):
    assert problems(auth, SCHEMA) == []
    login = authorization(auth, URL, Context())
    signed = login.signed(Request("GET", URL, {"user-agent": "x"}), login.credential.secret())
    assert list(signed.headers) == ["user-agent", header]
    assert (signed.secret_prefix, signed.headers[header].reveal(), str(signed.headers[header])) == (prefix, value, "***")


def test_nothing_is_asked_before_it_is_sent():
    context = Context()
    login = authorization({"bearer": NAMED}, URL, context)
    sealed = login.use(sealed=True)
    assert (sealed.kind, sealed.reference, sealed.secret, context.asked) == ("bearer", "env:A_TOKEN", None, 0)
    assert (login.use(sealed=False).secret.reveal(), context.asked) == ("the-secret-value", 1)


def test_without_auth_nobody_asks():
    assert authorization(None, URL, Context()) is None


@pytest.mark.parametrize(
    "url", ["http://localhost:9/x", "http://127.0.0.1/x", "http://[::1]:9/", "https://a.example.com/", "https://127.0.0.1"]
)
def test_plain_http_is_for_this_machine(url):
    assert authorization({"bearer": NAMED}, url, Context()).scheme == "bearer"


@pytest.mark.parametrize(
    "url", ["http://a.example.com/", "http://127.0.0.1.example.com", "http://127.example.com", "http://localhost.example.com", "http://"]
)
def test_no_secret_goes_to_another_machine_in_the_clear(url):
    with pytest.raises(StepError, match="not sent over plain http") as caught:
        authorization({"bearer": NAMED}, url, Context())
    assert caught.value.again == "never"


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"bearer": "a-literal-token"},
        {"bearer": ""},
        {"bearer": NAMED, "header": {"name": "X", "value": NAMED}},
        {"basic": {"username": "u", "password": "hunter2hunter2"}},
        {"basic": {"username": "a:b", "password": NAMED}},
        {"basic": {"username": "a\nb", "password": NAMED}},
        {"basic": {"username": "a\n", "password": NAMED}},
        {"basic": {"password": NAMED}},
        {"header": {"name": "X It", "value": NAMED}},
        {"header": {"name": "X:", "value": NAMED}},
        {"header": {"name": "X", "value": NAMED, "prefix": "a\r\nb"}},
        {"header": {"name": "X", "value": NAMED, "prefix": "a\n"}},
        {"header": {"name": "X\n", "value": NAMED}},
        {"header": {"value": NAMED}},
        {"digest": {"username": "u", "password": NAMED}},
    ],
)
def test_what_auth_may_not_be(auth):
    found = problems(auth, SCHEMA)
    assert found
    assert "literal" not in repr(found)
    assert "hunter2" not in repr(found)


def asking(context, *statuses):
    """Asks as a step does; gives what was sent and the last status."""
    answers, credential, seen = list(statuses), context.credential_, []

    def once(sent):
        sent.append(credential.secret())
        seen.append(sent[-1].reveal())
        return Reply(status=answers.pop(0))

    return renewing(credential, once, context).status, seen


def test_a_refused_secret_is_sent_again_when_it_has_changed():
    assert asking(Context("old-value-of-it", "new-value-of-it"), 401, 200) == (200, ["old-value-of-it", "new-value-of-it"])


def test_a_refused_secret_is_not_sent_again_when_it_is_the_same():
    context = Context("old-value-of-it")
    assert asking(context, 401) == (401, ["old-value-of-it"])
    assert context.asked == 2


def test_once_more_and_no_more():
    assert asking(Context("first-value", "second-value", "third-value"), 401, 401) == (401, ["first-value", "second-value"])


@pytest.mark.parametrize("status", [200, 403, 500])
def test_any_other_answer_stands(status):
    context = Context("old-value-of-it", "new-value-of-it")
    assert asking(context, status) == (status, ["old-value-of-it"])
    assert context.asked == 1


def test_a_plan_asks_nobody():
    context = Context()
    assert renewing(context.credential_, lambda _sent: None, context) is None
    assert context.asked == 0


@pytest.mark.parametrize(("goes_on", "status"), [(True, 200), (False, 401)])
def test_after_a_refusal_out_of_the_journal_the_attempt_goes_on_as_it_did(goes_on, status):
    """What was sent then is not known; whether the earlier process went on is."""
    context, answers = Context(), [401, 200]
    context.goes_on = lambda: goes_on
    assert renewing(context.credential_, lambda _sent: Reply(status=answers.pop(0)), context).status == status
    assert context.asked == 0
