"""Lost answers and crashes: what was done is done once, what cannot be known is said to be in doubt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import AnswerLost, InDoubt, KeyRefused, Refused, TakenAsDone, Unreachable
from steps.exchange import AnswerLate
from steps.opsgenie.emulator import Fault
from steps.opsgenie.finding import TAKEN
from steps.opsgenie.keys import Key
from steps.opsgenie.operations import OPERATIONS
from steps.operation import Idempotency

CREATE = "opsgenie.alert.create"
LOST = [
    "bad_json",
    "closed",
    "closed_before",
    "empty",
    "garbage",
    "gzip_bomb",
    "headers_only",
    "html",
    "http_500",
    "http_500_after",
    "http_503_after",
    "huge",
    "lost",
    "never_processed",
    "redirect",
    "reset_before",
    "slow",
    "truncated",
    "wrong_json",
]


@pytest.mark.parametrize(
    ("answer", "times"), [(answer, times) for answer in LOST for times in (1, 2) if (answer, times) != ("never_processed", 2)]
)
def test_a_lost_create_makes_exactly_one_alert(emulated, answer, times):
    e = emulated(Fault(CREATE, answer, times=times, seconds=40))
    done = e.perform(CREATE, message="db down")
    alerts = e.alerts()
    assert [alert["message"] for alert in alerts] == ["db down"]
    assert alerts[0]["count"] == 1
    assert (done["isSuccess"], done["alertId"]) == (True, alerts[0]["id"])


def test_the_alias_and_the_source_of_an_alert_are_stable(emulated):
    e = emulated()
    e.perform(CREATE, message="m")
    (alert,) = e.alerts()
    assert alert["alias"] == "incident-20261123T120000-1a2b3c4d-create"
    assert alert["source"] == "opsbook-20261123T120000-1a2b3c4d-create"


def test_items_of_a_loop_have_aliases_and_sources_of_their_own(emulated):
    e = emulated()
    for item in ("a", "b", "x" * 600):
        e.resume()
        e.journal.clear()
        e.context.item = item
        e.context.identity += f"/{item}"
        e.perform(CREATE, message="m")
    alerts = e.alerts()
    assert len({alert["alias"] for alert in alerts}) == len({alert["source"] for alert in alerts}) == 3
    assert max(len(alert["alias"]) for alert in alerts) == 512


def test_what_the_author_gives_stays(emulated):
    e = emulated()
    e.perform(CREATE, message="m", alias="mine", source="cron")
    (alert,) = e.alerts()
    assert (alert["alias"], alert["source"]) == ("mine", "cron")


def test_an_alert_somebody_closed_meanwhile_is_found_by_its_source(emulated):
    e = emulated(Fault(CREATE, "lost"))

    def close_it(call, moment):
        if call.action == "opsgenie.alert.get":
            e.context.stop = lambda *_: None
            e.clock.passed += 1
            e.apart("opsgenie.alert.close", identifier=call.ids["identifier"], identifierType="alias")

    e.context.stop = close_it
    done = e.perform(CREATE, message="db down")
    (alert,) = e.alerts()
    assert (alert["status"], alert["id"]) == ("closed", done["alertId"])


def test_an_older_alert_of_the_authors_alias_is_not_taken_for_ours(emulated):
    e = emulated(Fault(CREATE, "reset_before", after=1))
    e.apart(CREATE, message="old", alias="disk")
    e.clock.passed += 3600
    done = e.perform(CREATE, message="new", alias="disk")
    (alert,) = e.alerts()
    assert (alert["count"], alert["id"]) == (2, done["alertId"]), "counted once more, as the author asked"


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_occurrence_of_the_authors_alias_is_counted_once(emulated, times):
    e = emulated(Fault(CREATE, "lost", after=1, times=times))
    e.apart(CREATE, message="old", alias="disk")
    e.clock.passed += 3600
    done = e.perform(CREATE, message="new", alias="disk")
    (alert,) = e.alerts()
    assert (alert["count"], alert["id"]) == (2, done["alertId"])


@pytest.mark.parametrize("answer", ["lost", "reset_before"])
def test_the_note_of_an_incidents_end_is_left_once(emulated, answer):
    e = emulated(Fault("opsgenie.incident.close", answer))
    made = e.apart("opsgenie.incident.create", message="m", serviceId="s", note="All is well")["incidentId"]
    e.clock.passed += 3600
    done = e.perform("opsgenie.incident.close", identifier="1", identifierType="tiny", note="All is well")
    assert (done["isSuccess"], done["incidentId"]) == (True, made)
    notes = e.apart("opsgenie.incident.list_notes", identifier=made)["items"]
    assert [one["note"] for one in notes] == ["All is well"] * 2, "one of the create, one of the close"


@pytest.mark.parametrize("answer", ["lost", "reset_before"])
def test_the_note_of_a_change_is_left_once(emulated, answer):
    e = emulated(Fault("opsgenie.alert.close", answer))
    alert = e.apart(CREATE, message="m", note="All is well")["alertId"]
    e.clock.passed += 3600
    done = e.perform("opsgenie.alert.close", identifier=alert, note="All is well")
    assert done["isSuccess"] is True
    assert e.alerts()[0]["status"] == "closed"
    notes = e.apart("opsgenie.alert.list_notes", identifier=alert)["items"]
    assert [note["note"] for note in notes] == ["All is well"] * 2, "one of an hour ago, one of now"


def test_a_newer_alert_of_the_authors_alias_is_ours(emulated):
    e = emulated(Fault(CREATE, "lost"))
    e.perform(CREATE, message="new", alias="disk")
    (alert,) = e.alerts()
    assert alert["count"] == 1


def test_a_clock_that_is_wrong_does_not_mislead(bench, say):
    """This machine is two hours ahead of the service: an alert made now looks older than the intent."""

    def date(b, seconds=0):
        return (b.clock.now() - timedelta(hours=2) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    b = bench()
    alert = {"id": "a-1", "alias": "disk", "createdAt": (b.clock.now() - timedelta(hours=2)).isoformat()}
    b.transport.answers = [AnswerLost("cut off"), say.respond(body={"data": alert}, date=date(b))]
    assert b.perform(CREATE, message="m", alias="disk", source="s")["alertId"] == "a-1"


def test_doubt_that_cannot_be_looked_into_stays_doubt(bench):
    b = bench(AnswerLost("cut off"), *[Unreachable("no connection")] * 100)
    with pytest.raises(InDoubt, match="cut off") as caught:
        b.perform(CREATE, message="m")
    assert sum(line.startswith("POST") for line in b.sent) == 1
    assert caught.value.again == "never"
    assert "Look in Opsgenie" in caught.value.hint


def test_a_service_that_loses_every_answer_ends_in_doubt(bench, say):
    b = bench(*[lambda request: AnswerLost("cut off") if request.method == "POST" else say.respond(404, {"message": "none"})] * 100)
    with pytest.raises(InDoubt):
        b.perform("opsgenie.alert.close", identifier="a")
    assert 2 <= len(b.sent) <= 6


def test_a_key_refused_while_settling_leaves_the_doubt(bench, say):
    b = bench(AnswerLost("cut off"), *[say.respond(403, {"message": "no"})] * 2)
    with pytest.raises(InDoubt, match="refused") as caught:
        b.perform("opsgenie.alert.close", identifier="a")
    assert not isinstance(caught.value, KeyRefused)


def test_a_rate_limit_while_settling_is_waited_out(bench, say):
    throttled = say.respond(429, {"message": "slow"}, x_ratelimit_period_in_sec="60")
    b = bench(AnswerLost("cut off"), throttled, say.accept(), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert 60.0 in b.clock.slept


class TestNotes:
    def given(self, e):
        alert = e.apart(CREATE, message="m")["alertId"]
        return {"identifier": alert, "note": "checked"}

    def notes(self, e, alert):
        e.clock.passed += 1
        return [entry["note"] for entry in e.apart("opsgenie.alert.list_notes", identifier=alert)["items"]]

    @pytest.mark.parametrize("answer", [answer for answer in LOST if answer != "never_processed"])
    def test_a_lost_note_is_written_once(self, emulated, answer):
        e = emulated(Fault("opsgenie.alert.add_note", answer, seconds=40))
        given = self.given(e)
        e.perform("opsgenie.alert.add_note", **given)
        (note,) = self.notes(e, given["identifier"])
        assert note.startswith("checked [ob:")
        assert len(note) == len("checked [ob:12345678]")

    def test_the_marker_tells_steps_and_notes_apart(self, emulated):
        e = emulated()
        given = self.given(e)
        e.perform("opsgenie.alert.add_note", **given)
        e.perform("opsgenie.alert.add_note", **given | {"note": "again"})
        e.apart("opsgenie.alert.add_note", **given)
        notes = self.notes(e, given["identifier"])
        assert len({note[-10:] for note in notes}) == 3


class TestDeletes:
    @pytest.mark.parametrize("answer", LOST)
    def test_a_lost_delete_is_done(self, emulated, answer):
        e = emulated(Fault("opsgenie.alert.delete", answer, seconds=40))
        alert = e.apart(CREATE, message="m")["alertId"]
        e.perform("opsgenie.alert.delete", identifier=alert)
        assert e.alerts() == []

    def test_what_never_was_there_is_refused(self, emulated):
        with pytest.raises(Refused):
            emulated().perform("opsgenie.team.delete", identifier="nothing", identifierType="name")

    def test_a_recurrence_is_not_deleted_in_its_place(self, emulated):
        e = emulated(Fault("opsgenie.alert.delete", "lost"))
        e.apart(CREATE, message="old", alias="disk")

        def recur(call, moment):
            if call.effect == "write" and moment == "intent" and any(line.method == "DELETE" for line in e.emulator.requests):
                e.context.stop = lambda *_: None
                e.clock.passed += 1
                e.apart(CREATE, message="new", alias="disk")

        e.context.stop = recur
        e.perform("opsgenie.alert.delete", identifier="disk", identifierType="alias")
        assert [alert["message"] for alert in e.alerts()] == ["new"]


class TestClashes:
    @pytest.mark.parametrize("answer", ["lost", "truncated", "http_500_after", "reset_before", "http_500"])
    @pytest.mark.parametrize(
        ("name", "given"),
        [
            ("opsgenie.team.create", {"name": "ops", "description": "d"}),
            ("opsgenie.user.create", {"username": "ana@example.com", "fullName": "Ana", "role": {"name": "User"}}),
            ("opsgenie.role.create", {"name": "r", "extendedRole": "user"}),
        ],
    )
    def test_a_lost_create_is_done_once(self, emulated, name, given, answer):
        e = emulated(Fault(name, answer))
        done = e.perform(name, **given)
        found = e.apart(
            name.replace("create", "get"),
            identifier=given.get("name", given.get("username")),
            **({} if "user" in name else {"identifierType": "name"}),
        )
        assert done["id"] == found["id"]

    def test_a_taken_name_is_refused_when_nothing_was_lost(self, emulated):
        e = emulated(state={"teams": [{"name": "ops"}]})
        with pytest.raises(Refused) as caught:
            e.perform("opsgenie.team.create", name="ops")
        assert caught.value.status == 409

    def test_another_of_the_same_name_is_in_doubt(self, bench, say):
        b = bench(
            AnswerLost("cut off"),
            say.respond(409, {"message": "There is already one Team with same name"}),
            say.respond(body={"data": {"id": "t", "name": "ops", "description": "somebody else's"}}),
        )
        with pytest.raises(InDoubt, match="differs"):
            b.perform("opsgenie.team.create", name="ops", description="ours")
        assert b.sent[-1] == "GET /v2/teams/ops?identifierType=name"


@pytest.mark.parametrize("answer", ["lost", "http_500_after", "reset_before"])
def test_what_can_be_done_once_only_is_not_sent_again(emulated, answer):
    e = emulated(Fault("opsgenie.alert.execute_action", answer))
    alert = e.apart(CREATE, message="m", actions=["Restart"])["alertId"]
    with pytest.raises(InDoubt) as caught:
        e.perform("opsgenie.alert.execute_action", identifier=alert, actionName="Restart")
    assert sum("/actions/" in line.path for line in e.emulator.requests) == 1
    assert alert in caught.value.hint
    assert caught.value.exit_status == 7


def _writes():
    yield CREATE, {"message": "m"}
    yield "opsgenie.alert.add_note", {"note": "n"}
    yield "opsgenie.alert.close", {}
    yield "opsgenie.alert.add_tags", {"tags": ["a", "b"]}
    yield "opsgenie.alert.delete", {}


def killed_and_resumed(e, say, name, given, points):
    """Carries it out in as many processes as it takes; each dies when its turn among the moments comes."""
    moments = 0

    def kill(_call, _moment):
        nonlocal moments
        moments += 1
        if moments in points:
            raise say.Stopped

    while True:
        e.resume()
        e.context.stop = kill
        try:
            return e.perform(name, **given), moments
        except say.Stopped:
            e.clock.passed += 1


@pytest.mark.parametrize("by", ["id", "alias"])
@pytest.mark.parametrize(("name", "given"), list(_writes()))
def test_a_run_killed_at_any_moment_and_resumed_does_it_once(emulated, say, name, given, by):
    """Killed after every intent and every answer, and a second time at each of the next moments."""
    ends = set()
    first, last = 0, 1
    while first <= last:
        for second in range(first, first + 5):
            e = emulated()
            place = {}
            if name != CREATE:
                target = e.apart(CREATE, message="target", alias="target")["alertId"]
                place = {"identifier": target if by == "id" else "target", "identifierType": by}
            done, moments = killed_and_resumed(e, say, name, given | place, {first, second})
            assert done
            last = max(last, moments) if first == 0 else last
            ends.add(
                tuple(
                    (
                        alert["status"],
                        alert["count"],
                        tuple(alert["tags"]),
                        tuple(note["note"] for note in e.apart("opsgenie.alert.list_notes", identifier=alert["id"])["items"]),
                    )
                    for alert in e.alerts()
                )
            )
        first += 1
    assert last >= 2
    assert len(ends) == 1, ends


def test_every_idempotency_has_its_rule():
    from steps.opsgenie import settle

    assert set(settle._RULES) == set(Idempotency)


@pytest.mark.parametrize("row", [row for row in OPERATIONS.values() if row.idempotency in (Idempotency.CLASH, Idempotency.MARKED)])
def test_every_row_that_is_read_back_says_by_what(row):
    assert row.lookup in OPERATIONS
    lookup = OPERATIONS[row.lookup]
    assert lookup.effect == "read"
    missing = set(lookup.path_names) - set(row.path_names)
    assert not missing or ({"name", "username"} & set(row.body))


def test_a_request_the_service_no_longer_knows_is_in_doubt(bench, say):
    unknown = say.respond(404, {"message": "Request not found"})
    b = bench(say.accept("r-1"), unknown, say.accept("r-2"), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["requestId"] == "r-2"
    b = bench(say.accept("r-1"), unknown)
    with pytest.raises(InDoubt, match="r-1 was accepted"):
        b.perform("opsgenie.alert.escalate", identifier="a", escalation={"name": "e"})
    assert len(b.sent) == 2


def test_looks_are_counted_not_timed(bench, say):
    """A resumed run must make the same calls in the same order, however fast its clock runs then."""
    none = say.respond(404, {"message": "none"})
    empty = say.respond(body={"data": []})
    counts = []
    for slow in (0.0, 3.0):
        b = bench(AnswerLost("cut off"), *[none] * 7, empty, say.accept(), say.processed(alertId="a", alias="x"))
        real = b.transport.send

        def send(request, *, timeout, b=b, slow=slow, real=real):
            b.clock.passed += slow
            return real(request, timeout=timeout)

        b.transport.send = send
        b.perform(CREATE, message="m")
        counts.append(b.sent)
    assert counts[0] == counts[1]


NONE = (404, {"message": "not found"})


def counted(b, method):
    return sum(line.startswith(method) for line in b.sent)


def by_method(say, post, get):
    return [lambda request: post if request.method == "POST" else get] * 200


def test_a_service_that_knows_nothing_but_the_create_gets_it_again(bench, say):
    """No alert, no search: both answer 404."""
    b = bench(AnswerLost("cut off"), *[say.respond(*NONE)] * 8, say.accept(), say.processed(alertId="a", alias="x"))
    assert b.perform(CREATE, message="m")["alertId"] == "a"
    assert [b.body(index)["alias"] for index in (0, 9)] == ["incident-20261123T120000-1a2b3c4d-create"] * 2
    assert b.sent[8].startswith("GET /v2/alerts?query=")


def test_a_create_whose_request_the_service_forgot_is_sent_again(bench, say):
    b = bench(say.accept("r-1"), *[say.respond(*NONE)] * 9, say.accept("r-2"), say.processed(alertId="a", alias="x"))
    assert b.perform(CREATE, message="m")["requestId"] == "r-2"


@pytest.mark.parametrize("found", [{"id": 7}, {}, {"id": None, "createdAt": 3}])
def test_a_search_that_finds_what_is_no_alert_does_no_harm(bench, say, found):
    b = bench()
    told = {"source": "opsbook-20261123T120000-1a2b3c4d-create", "alias": "incident-20261123T120000-1a2b3c4d-create"}
    search = say.respond(body={"data": [told | found]})
    b.transport.answers = [AnswerLost("cut off"), *[say.respond(*NONE)] * 7, search, say.accept(), say.processed(alertId="a")]
    assert b.perform(CREATE, message="m")["alertId"] == "a"


def test_a_close_that_is_accepted_and_late_is_followed_on(bench, say):
    b = bench(say.accept(), *[say.NOT_YET] * 37, say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert counted(b, "POST") == 1
    assert b.clock.passed > 30


@pytest.mark.parametrize("timeout", [3.0, 30.0])
@pytest.mark.parametrize(
    ("name", "given", "posts"),
    [
        (CREATE, {"message": "m"}, 2),
        ("opsgenie.alert.close", {"identifier": "a"}, 2),
        ("opsgenie.alert.close", {"identifier": "a", "note": "n"}, 1),
        ("opsgenie.alert.add_note", {"identifier": "a", "note": "n"}, 1),
        ("opsgenie.alert.escalate", {"identifier": "a", "escalation": {"name": "e"}}, 1),
    ],
)
def test_what_is_accepted_and_never_processed_is_in_doubt(bench, say, name, given, posts, timeout):
    def answer(request):
        if request.method == "POST":
            return say.accept()
        if "/requests/" in request.url:
            return say.NOT_YET
        return say.respond(body={"data": []}) if "/notes" in request.url else say.respond(*NONE)

    b = bench(*[answer] * 200)
    b.context.timeout = timeout
    with pytest.raises(InDoubt, match="accepted, but not processed"):
        b.perform(name, **given)
    assert counted(b, "POST") == posts
    assert b.clock.passed <= 2 * timeout + 17


@pytest.mark.parametrize("seconds", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("reads", ["missing", "lost", "late"])
@pytest.mark.parametrize(
    ("name", "given"),
    [
        (CREATE, {"message": "m"}),
        ("opsgenie.alert.add_note", {"identifier": "a", "note": "n"}),
        ("opsgenie.alert.close", {"identifier": "a"}),
    ],
)
def test_settling_ends(bench, say, name, given, seconds, reads):
    """Every write is answered 503, after 0 to 3 seconds."""
    read = {"missing": say.respond(*NONE), "lost": say.respond(503), "late": AnswerLate("no whole answer within the time limit")}[reads]
    b = bench(*by_method(say, say.respond(503), read))
    b.context.timeout = 3.0
    real = b.transport.send

    def send(request, *, timeout):
        b.clock.passed += min(timeout, 3.0 if reads == "late" and request.method == "GET" else seconds)
        return real(request, timeout=timeout)

    b.transport.send = send
    with pytest.raises(InDoubt):
        b.perform(name, **given)
    assert counted(b, "POST") <= 4
    assert len(b.sent) <= 20
    assert b.clock.passed <= 3 * 3.0 + 14.5


def test_a_look_that_is_refused_leaves_the_doubt(bench, say):
    b = bench(AnswerLost("cut off"), say.respond(400, {"message": "bad"}))
    with pytest.raises(InDoubt, match="cut off; looking for it: .*bad"):
        b.perform(CREATE, message="m")


def test_what_is_looked_for_is_looked_for_with_the_key_that_made_it(bench, say):
    b = bench(
        say.respond(403, {"message": "another team"}), AnswerLost("cut off"), *[say.respond(*NONE)] * 8, say.accept(), say.processed()
    )
    b.perform(CREATE, message="m")
    assert {call.key.reference for call in b.context.calls if call.method == "GET"} >= {"env:INTEGRATION"}
    assert [call.key.reference for call in b.context.calls[2:10]] == ["env:INTEGRATION"] * 8


def test_the_hint_says_where_to_look_and_no_more(bench, say):
    b = bench(AnswerLost("cut off"))
    with pytest.raises(InDoubt) as caught:
        b.perform("opsgenie.alert.escalate", identifier="a-1", escalation={"name": "e"})
    assert caught.value.hint == (
        "Look in Opsgenie for its effect (POST /v2/alerts/a-1/escalate, sent at 2026-11-23T12:00:00+00:00 or a little later)."
    )


def test_what_the_rate_limit_held_back_was_not_sent_again(bench, say):
    throttled = say.respond(429, {"message": "slow"}, retry_after="5")
    b = bench(AnswerLost("cut off"), *[say.respond(*NONE)] * 8, throttled)
    b.transport.answers += [
        *[say.respond(*NONE)] * 4,
        AnswerLost("cut off"),
        *[say.respond(*NONE)] * 4,
        say.accept(),
        say.processed(alertId="a"),
    ]
    assert b.perform(CREATE, message="m")["alertId"] == "a"
    assert counted(b, "POST") == 4


def taken_for_done(e, number, name, /, **given):
    """The outputs of a step whose call of this number a person takes for done; it made the calls before as they are in the journal."""
    e.resume()
    e.journal[number] = TakenAsDone(e.clock.now())
    e.context.stop = lambda call, _: pytest.fail(f"{call.action} was sent") if call.effect == "write" else None
    return e.perform(name, **given)


def test_a_create_that_is_taken_for_done_gives_the_alert_it_made(emulated):
    e = emulated()
    alert = e.perform(CREATE, message="db down")["alertId"]
    e.journal.clear()
    done = taken_for_done(e, 1, CREATE, message="db down")
    assert (done["alertId"], done["alias"], done["isSuccess"]) == (alert, e.alerts()[0]["alias"], True)


def test_a_create_that_is_taken_for_done_gives_the_alert_that_somebody_closed(emulated):
    e = emulated()
    alert = e.perform(CREATE, message="db down")["alertId"]
    e.clock.passed += 1
    e.apart("opsgenie.alert.close", identifier=alert)
    e.clock.passed += 1
    e.journal.clear()
    assert taken_for_done(e, 1, CREATE, message="db down")["alertId"] == alert


def test_a_create_that_is_taken_for_done_and_is_not_there_has_no_alert(emulated):
    e = emulated()
    done = taken_for_done(e, 1, CREATE, message="db down", source="cron")
    assert done == {"success": True, "isSuccess": True, "status": TAKEN, "alias": "incident-20261123T120000-1a2b3c4d-create"}


def test_what_cannot_be_read_back_is_absent_and_nothing_is_sent(emulated):
    e = emulated(Fault("opsgenie.alert.get", "http_500", times=99))
    done = taken_for_done(e, 1, CREATE, message="db down")
    assert "alertId" not in done
    assert any("could not be read back" in said for said in e.context.said)


@pytest.mark.parametrize(
    ("name", "given", "known"),
    [
        ("opsgenie.alert.escalate", {"escalation": {"name": "x"}}, {"alertId": "a-1", "isSuccess": True, "success": True, "status": TAKEN}),
        ("opsgenie.alert.add_note", {"note": "n"}, {"alertId": "a-1", "isSuccess": True, "success": True, "status": TAKEN}),
        ("opsgenie.incident.delete", {}, {"incidentId": "a-1", "isSuccess": True, "success": True, "status": TAKEN}),
        ("opsgenie.team.delete", {}, {"result": TAKEN}),
    ],
)
def test_what_follows_from_what_was_given_is_known_of_what_is_taken_for_done(emulated, name, given, known):
    assert taken_for_done(emulated(), 1, name, identifier="a-1", **given) == known


def test_what_was_made_or_changed_is_read_back_when_it_is_taken_for_done(emulated):
    e = emulated()
    made = e.apart("opsgenie.team.create", name="ops", description="d")
    done = taken_for_done(e, 1, "opsgenie.team.create", name="ops", description="d")
    assert done == {"id": made["id"], "name": "ops", "result": TAKEN}
    e.journal.clear()
    assert taken_for_done(e, 1, "opsgenie.team.update", identifier=made["id"], description="e") == done
    e.journal.clear()
    assert taken_for_done(e, 1, "opsgenie.team.update", identifier="gone", description="e") == {"result": TAKEN}
    e.journal.clear()
    assert taken_for_done(e, 1, "opsgenie.team.create", name="ops", description="another") == {"result": TAKEN}


def test_of_a_request_of_ones_own_that_is_taken_for_done_nothing_is_known(emulated):
    from steps.opsgenie.request import REQUEST

    e = emulated()
    e.journal[1] = TakenAsDone(e.clock.now())
    assert REQUEST.perform({"method": "POST", "path": "/v2/alerts", "body": {"message": "m"}}, e.context) == {}


def test_one_of_the_times_it_was_sent_again_may_be_taken_for_done(emulated):
    e = emulated(Fault("opsgenie.alert.close", "reset_before", times=9))
    alert = e.apart(CREATE, message="m")["alertId"]
    with pytest.raises(InDoubt):
        e.perform("opsgenie.alert.close", identifier=alert)
    *_, last = (number for number, call in enumerate(e.context.calls, 1) if call.effect == "write")
    for number in [number for number in e.journal if number > last]:
        del e.journal[number]
    assert taken_for_done(e, last, "opsgenie.alert.close", identifier=alert)["alertId"] == alert


def test_what_a_key_that_may_not_read_has_written_is_looked_for_with_one_that_may(bench, say):
    keys = (Key("integration", "env:W", frozenset({"create_and_update"})), Key("account", "env:R", frozenset({"read"})))
    b = bench(AnswerLost("gone"), *[say.respond(404, {"message": "no"})] * 7, say.accept(), say.processed(alertId="a"), keys=keys)
    b.perform(CREATE, message="m", source="cron")
    assert [call.key.reference for call in b.context.calls] == ["env:W"] + ["env:R"] * 7 + ["env:W", "env:R"]


def test_a_write_that_cannot_leave_again_for_now_is_tried_once_more(bench, say):
    b = bench(AnswerLost("gone"), Unreachable("no connection"), say.accept(), say.processed(alertId="a"))
    assert b.perform("opsgenie.alert.close", identifier="a")["alertId"] == "a"
    assert [line.split()[0] for line in b.sent] == ["POST", "POST", "POST", "GET"]


def test_a_delete_that_is_refused_when_it_is_sent_again_has_failed(bench, say):
    b = bench(AnswerLost("gone"), say.respond(428, {"message": "Team is still in use"}))
    with pytest.raises(Refused, match="still in use"):
        b.perform("opsgenie.team.delete", identifier="t")


def test_a_create_that_is_refused_for_another_reason_when_it_is_sent_again_has_failed(bench, say):
    b = bench(AnswerLost("gone"), say.respond(422, {"message": "bad"}))
    with pytest.raises(Refused, match="bad"):
        b.perform("opsgenie.team.create", name="ops")


@pytest.mark.parametrize("there", [{"id": "t", "name": "ops", "description": "of others"}, None])
def test_a_name_that_something_else_has_is_in_doubt(bench, say, there):
    found = say.respond(body={"data": there}) if there else say.respond(404, {"message": "no"})
    taken = say.respond(409, {"message": "There is already one Team with same name"})
    b = bench(AnswerLost("gone"), taken, found, keys=[Key("account", "env:A")])
    with pytest.raises(InDoubt, match="differs from what was asked for"):
        b.perform("opsgenie.team.create", name="ops", description="ours")
