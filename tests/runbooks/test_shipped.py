"""The runbooks that come with opsbook: each is carried out on the emulator, and what it did is looked up there."""

import csv
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
COMPANY = {
    "teams": [{"name": "dba", "members": [{"username": "ana@example.com"}]}, {"name": "sre_leads"}],
    "escalations": [{"name": "dba_escalation", "team": "dba"}],
}
INCIDENT = ["summary=Database is down", "service=db", "team=dba"]


@pytest.fixture
def carry_out(command, emulators):
    """Runs (or plans) a shipped runbook; gives its document with the exit code, the emulator and the folder added."""

    def carry_out(name, state, *inputs, verb="run"):
        path = command.folder / "state.yaml"
        path.write_text(yaml.safe_dump(state))
        given = [part for one in inputs for part in ("-i", one)]
        done = command("--json", verb, RUNBOOKS / f"{name}.yaml", "--emulator", "--emulator-state", path, *given)
        document = json.loads(done.out)
        assert "Traceback" not in done.err
        return document | {
            "code": done.code,
            "emulator": emulators[-1] if emulators else None,
            "by_id": {step["id"]: step for step in document.get("steps", ())},
        }

    return carry_out


def notes(alert):
    return [note["note"].splitlines()[0] for note in alert["notes"]]


def nothing_sent(run):
    return run["emulator"] is None or run["emulator"].requests == []


def test_every_runbook_is_tried_here():
    assert {path.stem for path in RUNBOOKS.glob("*.yaml")} == {
        "access-review", "alert-triage", "heartbeat-watch", "incident-response", "key-expiry-check", "nightly-hygiene", "page-and-follow",
        "stale-alerts", "user-offboarding", "user-onboarding",
    }  # fmt: skip


def test_no_runbook_has_a_finding(command):
    done = command("validate", "--strict", "--format", "json", RUNBOOKS)
    assert (done.code, json.loads(done.out)["findings"]) == (0, [])


# -- incident-response -------------------------------------------------------------------------------------------------------


def test_an_incident_that_nobody_acknowledges_is_escalated_and_closed(carry_out):
    run = carry_out("incident-response", COMPANY, *INCIDENT, "priority=P1")
    (alert,) = run["emulator"].alerts()
    assert (run["code"], run["status"], run["outputs"]["acknowledged"]) == (0, "succeeded", False)
    assert run["by_id"]["route"]["status"] == "succeeded"
    assert alert["fields"]["status"] == "closed"
    assert [line.partition("/escalate")[1] for line in run["emulator"].writes()].count("/escalate") == 1
    assert [one["name"] for one in alert["responders"]] == ["dba", "dba_escalation"]
    assert alert["fields"]["alias"] == f"db-{run['run_id']}"
    assert any("Runbook ended: succeeded" in note for note in notes(alert))


def test_an_incident_that_somebody_acknowledges_is_not_escalated(carry_out):
    people = {"during": [{"after": "2m", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com"}]}
    run = carry_out("incident-response", COMPANY | people, *INCIDENT, "priority=P1")
    (alert,) = run["emulator"].alerts()
    assert (run["status"], run["outputs"]["acknowledged"]) == ("succeeded", True)
    assert run["by_id"]["escalation"]["status"] == run["by_id"]["route"]["status"] == "skipped"
    assert (alert["fields"]["status"], alert["fields"]["owner"]) == ("closed", "ana@example.com")
    assert not any("escalate" in line for line in run["emulator"].writes())


def test_an_incident_that_somebody_closes_is_not_escalated(carry_out):
    people = {"during": [{"after": "2m", "do": "opsgenie.alert.close", "as": "ana@example.com"}]}
    run = carry_out("incident-response", COMPANY | people, *INCIDENT, "priority=P1")
    (alert,) = run["emulator"].alerts()
    assert (run["code"], run["outputs"]["acknowledged"], alert["fields"]["report"]["closedBy"]) == (0, False, "ana@example.com")
    assert run["by_id"]["escalation"]["status"] == "skipped"
    assert not any("escalate" in line for line in run["emulator"].writes())


def test_an_incident_whose_routing_fails_says_so_on_the_alert(carry_out):
    faults = {"faults": [{"match": "opsgenie.alert.escalate", "answer": "http_422", "times": 99}]}
    run = carry_out("incident-response", COMPANY | faults, *INCIDENT, "priority=P1")
    (alert,) = run["emulator"].alerts()
    assert (run["code"], run["status"]) == (0, "succeeded")
    assert (run["by_id"]["route"]["status"], run["by_id"]["escalation"]["status"]) == ("failed", "succeeded")
    assert run["by_id"]["route"]["error"]["status"] == 422
    assert any(note.startswith("Routing failed: ") for note in notes(alert))
    assert alert["fields"]["status"] == "closed"


def test_an_incident_whose_create_is_lost_is_opened_once(carry_out):
    run = carry_out("incident-response", COMPANY | {"faults": [{"match": "opsgenie.alert.create", "answer": "lost"}]}, *INCIDENT)
    (alert,) = run["emulator"].alerts()
    assert (run["status"], alert["fields"]["count"]) == ("succeeded", 1)


def test_an_incident_without_a_team_sends_nothing(carry_out):
    run = carry_out("incident-response", COMPANY, "summary=x", "service=db", "team=")
    assert (run["code"], run["error"]["code"]) == (3, "check")
    assert run["error"]["message"].endswith("a team is needed")
    assert nothing_sent(run)
    assert {step["status"] for step in run["steps"]} == {"pending"}


def test_the_plan_of_an_incident_shows_every_write_and_sends_none(carry_out):
    plan = carry_out("incident-response", COMPANY, *INCIDENT, "priority=P1", verb="plan")
    assert (plan["code"], plan["error"], plan["emulator"].writes()) == (0, None, [])
    writes = [(one["step"], one["method"], one["url"].split(".invalid")[1]) for one in plan["requests"] if one["effect"] == "write"]
    alert = "/v2/alerts/<steps.create.outputs.alertId>"
    assert writes[0] == ("create", "POST", "/v2/alerts")
    assert [(step, url.split("?")[0]) for step, _, url in writes if step in ("close", "finally_1")] == [
        ("close", f"{alert}/close"),
        ("finally_1", f"{alert}/notes"),
    ]
    assert all(one["key"]["kind"] and one["key"]["reference"] for one in plan["requests"])
    routed = [one for one in plan["requests"] if one["step"] == "route"]
    assert routed
    condition = 'not steps.wait_ack.outputs.acknowledged and steps.wait_ack.outputs.status != "closed"'
    assert all(one["conditional"] == [condition] for one in routed)
    assert [one["conditional"] for one in plan["requests"] if one["step"] == "create"] == [[]]


# -- the others ----------------------------------------------------------------------------------------------------------------


def test_triage_routes_the_first_of_each_and_acknowledges_repeats(carry_out):
    alerts = [
        {"message": "Database is slow", "tags": ["prod"], "createdAt": {"ago": "3h"}},
        {"message": "Database is slow", "createdAt": {"ago": "2h"}},
        {"message": "Queue is long", "createdAt": {"ago": "1h"}},
        {"message": "Seen", "acknowledged": True},
        {"message": "Over", "status": "closed"},
    ]
    run = carry_out("alert-triage", COMPANY | {"alerts": alerts})
    database, again, queue, seen, over = run["emulator"].alerts()
    assert (run["status"], run["outputs"]) == ("succeeded", {"looked_at": 3})
    teams = {team["id"]: team["name"] for team in run["emulator"].snapshot()["teams"].values()}
    assert [[teams[one["id"]] for one in alert["responders"]] for alert in (database, again, queue)] == [["dba"], [], ["sre_leads"]]
    assert database["fields"]["priority"] == "P2"
    assert [alert["fields"]["acknowledged"] for alert in (database, again, queue)] == [False, True, False]
    assert notes(database)[0].startswith(f"Routed by {run['run_id']}: database")
    assert (notes(seen), notes(over)) == ([], [])


def test_onboarding_brings_a_table_of_people_in_and_does_nothing_twice(carry_out, command, emulators, monkeypatch):
    table = "username,fullName,role,phone,team\nbo@example.com,Bo Berg,Admin,1-5551234,dba\ncy@example.com,Cy Cole,User,,sre_leads\n"
    users = f"users=@{command.write('people.csv', table)}"
    first = carry_out("user-onboarding", COMPANY, users)
    account = first["emulator"].snapshot()
    people = {user["username"]: user for user in account["users"].values()}
    assert (first["status"], first["outputs"]) == ("succeeded", {"users": 2})
    assert (people["bo@example.com"]["fullName"], people["bo@example.com"]["role"]["name"]) == ("Bo Berg", "Admin")
    assert "cy@example.com" in people
    assert first["emulator"].writes()

    import steps.opsgenie.emulator as package

    sent = len(first["emulator"].requests)
    monkeypatch.setattr(package, "Emulator", lambda **_: first["emulator"])
    second = carry_out("user-onboarding", COMPANY, users)
    again = first["emulator"].requests[sent:]
    assert second["status"] == "succeeded"
    assert again
    assert {line.method for line in again} == {"GET"}


def test_onboarding_gives_a_phone_to_each_whose_row_is_good(carry_out, command):
    table = "username,fullName,role,phone,team\nbo@example.com,Bo,Admin,1-5551234,nowhere\ncy@example.com,Cy,User,1-5554321,dba\n"
    run = carry_out("user-onboarding", COMPANY, f"users=@{command.write('people.csv', table)}")
    account = run["emulator"].snapshot()
    people = {user["username"]: account["contacts"][user["id"]] for user in account["users"].values()}
    assert (run["code"], run["status"]) == (1, "failed")
    assert "there is no team nowhere" in run["error"]["message"]
    assert [one["to"] for one in people["cy@example.com"]] == ["cy@example.com", "1-5554321"]
    assert "bo@example.com" not in people


def test_onboarding_refuses_a_table_that_names_somebody_twice(carry_out, command):
    table = "username,fullName,role,phone,team\nbo@example.com,Bo,Admin,,dba\nBO@example.com,Bo,User,,sre_leads\n"
    run = carry_out("user-onboarding", COMPANY, f"users=@{command.write('people.csv', table)}")
    assert (run["code"], run["error"]["code"], nothing_sent(run)) == (3, "check", True)
    assert run["error"]["message"].endswith("a username stands twice in the table")


def test_onboarding_refuses_a_bad_table_before_anything_is_sent(command, emulators):
    bad = command.write("people.csv", "username,fullName,role,phone,team\nnobody,Bo,Admin,1-5551234,dba\nbo@example.com,,Admin,555,dba\n")
    done = command("run", RUNBOOKS / "user-onboarding.yaml", "--emulator", "-i", f"users=@{bad}")
    assert (done.code, emulators) == (3, [])
    assert all(said in done.err for said in ("users[0].username", "users[1].fullName", "users[1].phone", "Nothing was sent."))


def test_offboarding_takes_a_user_out_of_every_team(carry_out):
    run = carry_out("user-offboarding", COMPANY, "username=ana@example.com", "delete=true")
    account = run["emulator"].snapshot()
    assert (run["status"], run["outputs"]) == ("succeeded", {"teams_removed": ["dba"], "deleted": True})
    assert [user["username"] for user in account["users"].values()] == []


def test_offboarding_keeps_the_account_unless_asked(carry_out):
    run = carry_out("user-offboarding", COMPANY, "username=ana@example.com")
    assert run["outputs"] == {"teams_removed": ["dba"], "deleted": False}
    assert [user["username"] for user in run["emulator"].snapshot()["users"].values()] == ["ana@example.com"]


@pytest.mark.parametrize(
    ("kind", "told"), [("escalations", "escalations (nights) or schedules ()"), ("schedules", "escalations () or schedules (nights)")]
)
def test_offboarding_refuses_a_user_who_may_still_be_paged(carry_out, kind, told):
    duty = {kind: [{"name": "nights", "users": ["ana@example.com"]}, {"name": "days", "users": ["bo@example.com"]}]}
    run = carry_out("user-offboarding", COMPANY | duty, "username=ana@example.com", "delete=true")
    assert (run["code"], run["status"], run["error"]["code"]) == (1, "failed", "assertion")
    assert f"ana@example.com is still in {told}" in run["error"]["message"]
    assert (run["by_id"]["offboard"]["status"], run["emulator"].writes()) == ("pending", [])


def test_offboarding_a_user_who_is_gone_is_a_success(carry_out):
    run = carry_out("user-offboarding", COMPANY, "username=nobody@example.com", "delete=true")
    assert (run["code"], run["outputs"], run["emulator"].writes()) == (0, {"teams_removed": [], "deleted": False}, [])


@pytest.mark.parametrize(("answer", "code"), [("http_422", 1), ("http_403", 4), ("refused", 5)])
def test_offboarding_takes_no_other_trouble_for_a_user_who_is_gone(carry_out, answer, code):
    faults = {"faults": [{"match": "*", "answer": answer, "times": 99}]}
    run = carry_out("user-offboarding", COMPANY | faults, "username=ana@example.com", "delete=true")
    assert (run["code"], run["status"], run["emulator"].writes()) == (code, "failed", [])


def test_the_plan_of_an_offboarding_shows_what_is_taken_away(carry_out):
    plan = carry_out("user-offboarding", COMPANY, "username=ana@example.com", "delete=true", verb="plan")
    assert (plan["code"], plan["emulator"].writes()) == (0, [])
    assert [one["method"] for one in plan["requests"] if one["effect"] == "write"] == ["DELETE", "DELETE"]


def test_a_page_is_followed_until_somebody_answers(carry_out):
    people = {"during": [{"after": "3m", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com"}]}
    run = carry_out("page-and-follow", COMPANY | people, "summary=Disk is full", "service=db", "priority=P2", "team=dba")
    (alert,) = run["emulator"].alerts()
    assert run["outputs"] == {"alert_id": alert["fields"]["id"], "routed_by": "urgent", "acknowledged_by": "ana@example.com"}
    assert (run["code"], alert["fields"]["status"]) == (0, "closed")
    assert notes(alert)[0].startswith("Handled by ana@example.com")


def test_a_page_that_nobody_answers_fails_and_stays_open(carry_out):
    run = carry_out("page-and-follow", COMPANY, "summary=Disk is full", "service=db", "team=dba")
    (alert,) = run["emulator"].alerts()
    assert (run["code"], run["status"], run["by_id"]["answer"]["error"]["code"]) == (1, "failed", "timeout")
    assert (alert["fields"]["status"], run["by_id"]["happened"]["status"]) == ("open", "succeeded")


def test_the_access_review_is_a_table_of_who_may_what(carry_out):
    state = {
        "users": [
            {"username": "bo@example.com", "fullName": "Bo Berg", "role": "Admin"},
            {"username": "cy@example.com", "fullName": "=Cy"},
        ],
        "teams": [
            {"name": "web", "members": [{"username": "bo@example.com"}]},
            {"name": "dba", "members": [{"username": "bo@example.com", "role": "admin"}]},
        ],
    }
    run = carry_out("access-review", state)
    rows = list(csv.DictReader(Path(run["outputs"]["path"]).read_text().splitlines()))
    assert (run["status"], run["outputs"]["users"]) == ("succeeded", 2)
    assert sorted(rows, key=lambda row: row["username"]) == [
        {"username": "bo@example.com", "fullName": "Bo Berg", "role": "Admin", "blocked": "false", "teams": "dba; web"},
        {"username": "cy@example.com", "fullName": "'=Cy", "role": "User", "blocked": "false", "teams": ""},
    ]
    assert run["emulator"].writes() == []


def test_stale_alerts_closes_the_oldest_up_to_the_limit(carry_out):
    old = [{"message": f"old {days}", "createdAt": {"ago": f"{days}d"}} for days in (20, 40, 30)]
    run = carry_out(
        "stale-alerts",
        {"alerts": [*old, {"message": "new"}, {"message": "done", "status": "closed", "createdAt": {"ago": "50d"}}]},
        "limit=2",
    )
    status = {alert["fields"]["message"]: alert["fields"]["status"] for alert in run["emulator"].alerts()}
    assert (run["status"], run["outputs"]) == ("succeeded", {"closed": 2})
    assert status == {"old 20": "open", "old 40": "closed", "old 30": "closed", "new": "open", "done": "closed"}
    assert run["emulator"].requests[-1].path == "/v2/heartbeats/stale-alerts/ping"


def test_a_plan_of_stale_alerts_pings_nobody(carry_out):
    plan = carry_out("stale-alerts", {}, verb="plan")
    assert not any("ping" in line.path for line in plan["emulator"].requests)
    assert [(one["effect"], one["method"]) for one in plan["requests"] if one["step"] == "heartbeat"] == [("write", "GET")]


# -- night after night: the same account and the same state folder -------------------------------------------------------------


class MovedClock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.moment = datetime(2026, 3, 2, 2, tzinfo=UTC)

    def now(self):
        return self.moment

    def monotonic(self):
        return self.moment.timestamp()

    def sleep(self, seconds):
        """Nobody waits here."""


@pytest.fixture
def night_after_night(command, monkeypatch):
    """Serves an account and carries a runbook out against it, as often as wanted; the clock of both is moved by hand."""
    from engine.system.clock import RealClock
    from steps.opsgenie.emulator import Emulator
    from steps.opsgenie.emulator.server import serve

    monkeypatch.setenv("NIGHTS_KEY", "")
    servers = []

    def begin(name, state):
        emulator = Emulator(clock=MovedClock(), state={"processing": 0, **state})
        monkeypatch.setattr(RealClock, "now", lambda _self: emulator.clock.moment)
        server = serve(emulator)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
        monkeypatch.setenv("NIGHTS_KEY", next(key.value for key in emulator.keys if key.kind == "integration"))
        config = {"connections": {"opsgenie": {"url": server.url, "keys": [{"kind": "integration", "secret": "env:NIGHTS_KEY"}]}}}
        path = command.write("opsbook.yaml", json.dumps(config))

        def run(*inputs, passed=None):
            if passed is not None:
                emulator.clock.moment += passed
            given = [part for one in inputs for part in ("-i", one)]
            return json.loads(command("--json", "--config", path, "run", RUNBOOKS / f"{name}.yaml", *given).out)

        return run, emulator

    yield begin
    for server in servers:
        server.shutdown()


def told(emulator):
    return [(one["fields"]["message"], one["fields"]["status"], one["fields"]["count"]) for one in emulator.snapshot()["alerts"].values()]


# -- heartbeat-watch -----------------------------------------------------------------------------------------------------------

BEATS = {
    "heartbeats": [
        {"name": "backup", "interval": 10, "intervalUnit": "minutes", "lastPingTime": {"ago": "1h"}, "alertMessage": "service"},
        {"name": "mail", "interval": 1, "intervalUnit": "hours", "lastPingTime": {"ago": "0s"}, "alertMessage": "service"},
        {"name": "idle", "interval": 1, "intervalUnit": "minutes", "enabled": False, "lastPingTime": {"ago": "9h"}},
    ],
    "schedules": [{"name": "duty", "users": ["ana@example.com"]}, {"name": "nights"}],
}


def test_a_watch_names_what_expired_and_who_is_on_call(carry_out):
    run = carry_out("heartbeat-watch", BEATS)
    assert (run["code"], run["outputs"]["expired"]) == (0, ["backup"])
    (ours,) = (alert["fields"] for alert in run["emulator"].alerts() if alert["fields"]["alias"] == "heartbeat-watch")
    assert (ours["message"], ours["priority"], ours["tags"]) == ("Heartbeats expired: backup", "P2", ["heartbeat"])
    assert ours["description"] == "Expired: backup\nOn call: duty: ana@example.com; nights: nobody;"


def test_a_watch_says_so_once_keeps_it_true_and_closes_it(night_after_night):
    run, emulator = night_after_night("heartbeat-watch", BEATS)
    ours = lambda: [one for one in told(emulator) if one[0] != "service"]
    for _ in range(2):
        assert run()["status"] == "succeeded"
        assert ours() == [("Heartbeats expired: backup", "open", 1)]
    assert run(passed=timedelta(hours=2))["outputs"]["expired"] == ["backup", "mail"]
    assert ours() == [("Heartbeats expired: backup, mail", "open", 1)]
    for heartbeat in emulator.snapshot()["heartbeats"]:
        ping(emulator, heartbeat)
    for _ in range(2):
        assert run()["outputs"]["expired"] == []
        assert ours() == [("Heartbeats expired: backup, mail", "closed", 1)]


def ping(emulator, name):
    from steps.exchange import Request

    key = next(key.value for key in emulator.keys if key.kind == "integration")
    assert emulator.handle(Request("GET", f"/v2/heartbeats/{name}/ping", {"authorization": f"GenieKey {key}"})).status == 202


def test_a_watch_of_some_heartbeats_leaves_the_others(carry_out):
    run = carry_out("heartbeat-watch", BEATS, "only=^mail")
    assert (run["outputs"]["expired"], run["emulator"].writes()) == ([], [])


def test_the_plan_of_a_watch_shows_the_alert(carry_out):
    plan = carry_out("heartbeat-watch", BEATS, verb="plan")
    assert [one["step"] for one in plan["requests"] if one["effect"] == "write"] == ["raise"]


# -- nightly-hygiene -----------------------------------------------------------------------------------------------------------

UNTIDY = {
    "users": [{"username": "bo@example.com"}, {"username": "lone@example.com"}],
    "teams": [{"name": "dba", "members": [{"username": "bo@example.com"}]}],
    "alerts": [{"message": "old", "createdAt": "2020-01-01T00:00:00Z"}, {"message": "new", "createdAt": "2099-01-01T00:00:00Z"}],
    "schedules": [{"name": "duty", "users": ["bo@example.com"]}, {"name": "empty"}, {"name": "off", "enabled": False}],
}


def test_the_night_closes_what_is_stale_and_reports(carry_out):
    run = carry_out("nightly-hygiene", UNTIDY)
    assert (run["code"], run["outputs"]["closed"]) == (0, 1)
    assert json.loads(Path(run["outputs"]["report"]).read_text()) == {
        "closed": [alert["fields"]["id"] for alert in run["emulator"].alerts() if alert["fields"]["message"] == "old"],
        "schedules_without_anybody": ["empty"],
        "users_without_team": ["lone@example.com"],
    }
    hygiene = run["emulator"].alerts()[-1]["fields"]
    assert (hygiene["message"], hygiene["priority"]) == ("Hygiene: 1 users without a team, 1 schedules with nobody on call", "P5")
    assert hygiene["description"] == "Without a team: lone@example.com\nNobody on call: empty"


def test_the_next_night_tells_only_what_is_new(night_after_night):
    run, emulator = night_after_night("nightly-hygiene", UNTIDY)
    assert [run()["status"] for _ in range(2)] == ["succeeded", "succeeded"]
    assert len([one for one in told(emulator) if one[0].startswith("Hygiene")]) == 1


def test_a_tidy_account_hears_nothing(carry_out):
    run = carry_out("nightly-hygiene", {})
    assert (run["code"], run["emulator"].writes(), run["outputs"]["closed"]) == (0, [], 0)


# -- key-expiry-check ----------------------------------------------------------------------------------------------------------


def test_a_key_first_seen_is_not_due_and_the_end_of_the_api_is_told(carry_out):
    run = carry_out("key-expiry-check", {}, "api_ends=2020-01-01T00:00:00Z")
    assert (run["code"], run["outputs"]["due"], run["outputs"]["api_ends_soon"], run["outputs"]["domains"]) == (0, False, True, 9)
    assert told(run["emulator"]) == [("Opsgenie's REST API ends on 2020-01-01", "open", 1)]
    assert carry_out("key-expiry-check", {}, "api_ends=2999-01-01T00:00:00Z")["outputs"]["api_ends_soon"] is False


def test_a_key_that_grew_old_is_told_once_until_it_has_another_name(night_after_night):
    run, emulator = night_after_night("key-expiry-check", {})
    calm = ("api_ends=2999-01-01T00:00:00Z", "change_after=90d")
    assert [run(*calm, passed=timedelta(days=days))["outputs"]["due"] for days in (0, 89)] == [False, False]
    for _ in range(2):
        assert run(*calm, passed=timedelta(days=2))["outputs"]["due"] is True
        assert told(emulator) == [("The Opsgenie key main is older than 90d", "open", 1)]
    assert run(*calm, "key=new")["outputs"]["due"] is False
    assert len(told(emulator)) == 1


def test_a_key_that_is_refused_fails_the_check(carry_out):
    faults = {"faults": [{"match": "*", "answer": "http_401", "times": 99}]}
    run = carry_out("key-expiry-check", faults)
    assert (run["code"], run["by_id"]["account"]["status"]) == (4, "failed")
