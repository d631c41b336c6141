"""What follows the end of a run: one ping after success, one alert after failure, and no exit code that they change."""

import json
import signal
import threading

import pytest

from engine.audit import journal
from engine.state import history
from engine.app import App, Options
from engine.audit.journal import Journal
from engine.secret import Secret
from engine.state import State
from engine.system.stop import Stop
from engine.system.clock import RealClock
from steps.opsgenie.emulator import Emulator
from steps.opsgenie.emulator.server import serve

NOTICES = """
on_success: {heartbeat: "{{ runbook }}-alive"}
on_failure: {alert: {message: "{{ runbook }} {{ run.status }}: {{ error.message }}", description: "{{ run.id }}"}}
"""
SAY = "steps: [{id: s, uses: fake.say}]"
FAIL = "steps: [{id: s, uses: fake.fail, with: {message: no room}}]"
DOUBT = "steps: [{id: s, uses: fake.doubt}]"


@pytest.fixture
def run(command, fake, emulators):
    def run(text, *more):
        return command("run", command.runbook(NOTICES + text), "--emulator", *more)

    return run


def writes(emulators):
    return [line for emulator in emulators for line in pings(emulator)]


def pings(emulator):
    return [f"{line.method} {line.path}" for line in emulator.requests if line.path.endswith("/ping") or line.method != "GET"]


def alerts(emulator):
    return [alert["fields"] for alert in emulator.snapshot()["alerts"].values()]


def log(command):
    (place,) = State(command.folder / "state").every_run()
    return list(journal.events(place / history.LOG))


def test_a_run_that_succeeded_pings_its_heartbeat_once(run, emulators, command):
    done = run(SAY)
    assert done.code == 0 and writes(emulators) == ["GET /v2/heartbeats/test-alive/ping"]
    told = [(event["event"], event.get("step")) for event in log(command)][-5:]
    own = "run.on_success"
    assert told == [("step.started", own), ("step.intent", own), ("step.result", own), ("step.ended", own), ("run.ended", None)]


def test_a_run_that_failed_raises_an_alert_that_says_why(run, emulators):
    done = run(FAIL)
    (alert,) = alerts(emulators[0])
    assert done.code == 1 and writes(emulators) == ["POST /v2/alerts"]
    assert (alert["message"], alert["alias"]) == ("test failed: no room", "opsbook-test-failed")


def test_night_after_night_of_failure_is_one_alert(command, fake, monkeypatch):
    made = Emulator(clock=RealClock(Stop()))
    server = serve(made, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        command.write("opsbook.yaml", f"connections: {{opsgenie: {{url: '{server.url}', keys: [{{kind: integration, secret: 'env:K'}}]}}}}")
        monkeypatch.setenv("K", next(key.value for key in made.keys if key.kind == "integration"))
        book = command.runbook(NOTICES + FAIL)
        assert [command("run", book).code for _ in range(2)] == [1, 1]
    finally:
        server.shutdown()
        thread.join()
    (alert,) = alerts(made)
    assert alert["count"] == 2


def test_what_is_too_long_for_the_service_is_cut_rather_than_refused(run, emulators):
    assert run(FAIL.replace("no room", "x" * 500)).code == 1
    assert alerts(emulators[0])[0]["message"] == ("test failed: " + "x" * 500)[:130]


@pytest.mark.parametrize(("text", "code"), [(SAY, 0), (FAIL, 1)])
def test_a_notice_that_fails_is_a_warning_even_when_quiet_and_changes_no_exit_code(run, text, code):
    done = run(text, "-q", "--faults", "opsgenie.heartbeat.ping=http_503*99,opsgenie.alert.create=http_422*9")
    key = "on_success" if code == 0 else "on_failure"
    assert done.code == code and done.out == ""
    assert f"warning: {key}: " in done.err and done.err.count("warning: ") == 1


def test_the_document_says_what_became_of_it(run):
    told = json.loads(run(SAY, "--json").out)["notices"]
    assert told == [{"id": "on_success", "uses": "opsgenie.heartbeat.ping", "status": "succeeded", "error": None}]
    (told,) = json.loads(run(SAY, "--json", "--faults", "opsgenie.heartbeat.ping=http_401*9").out)["notices"]
    assert told["status"] == "failed" and told["error"]["message"]


def test_a_run_in_doubt_is_told_once_and_its_end_again(run, command, emulators):
    assert run(DOUBT).code == 7
    run_id = log(command)[0]["run"]
    assert [alert["message"] for alert in alerts(emulators[0])] == ["test in_doubt: whether it was done cannot be known"]
    assert command("resume", run_id).code == 7
    assert writes(emulators[1:]) == [], "it is in doubt still, and somebody knows"


def killed(monkeypatch, work, event, step):
    """Does work that dies once an event of a step is written."""

    class Killed(BaseException):
        pass

    append = Journal.append

    def dying(log, name, **fields):
        written = append(log, name, **fields)
        if (name, fields.get("step")) == (event, step):
            raise Killed
        return written

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Journal, "append", dying)
        work()


@pytest.mark.parametrize(("event", "again"), [("step.started", 1), ("step.intent", 1), ("step.result", 0), ("step.ended", 0)])
def test_a_run_that_is_resumed_to_its_end_is_told_of_once(run, command, emulators, monkeypatch, event, again):
    book = command.runbook(NOTICES + SAY)
    killed(monkeypatch, lambda: App(Options(config="", emulator=True)).run(book), event, "run.on_success")
    before = len(writes(emulators))
    assert command("resume", log(command)[0]["run"]).code == 0
    assert len(writes(emulators)) - before == again and before + again == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_ping_parks_the_run_or_leaves_it_ended(command, fake, emulators, number, ears):
    class Stopping(type(ears)):
        def __call__(self, event, fields):
            if (event, fields.get("step")) == ("step.started", "run.on_success"):
                app.stop._take(number, None)

    app = App(Options(config="", emulator=True), Stopping())
    result = app.run(command.runbook(NOTICES + SAY))
    if number == signal.SIGINT:
        assert (result.document["status"], result.exit_status) == ("succeeded", 0)
        return
    assert (result.document["status"], result.exit_status) == ("interrupted", 14)
    assert command("resume", result.document["run_id"]).code == 0
    assert writes(emulators) == ["GET /v2/heartbeats/test-alive/ping"]


def test_a_cancelled_run_is_told_to_nobody(command, fake, emulators):
    app = App(Options(config="", emulator=True))
    app.stop.cancel()
    assert app.run(command.runbook(NOTICES + SAY)).document["status"] == "cancelled"
    assert writes(emulators) == []


def test_a_retried_run_tells_its_own_end(run, command, emulators, fake):
    assert run("steps: [{id: s, uses: fake.fail, with: {times: 1}}]").code == 1
    assert command("retry", log(command)[0]["run"]).code == 0
    assert writes(emulators)[-1] == "GET /v2/heartbeats/test-alive/ping"


@pytest.mark.parametrize(
    ("text", "given", "code"),
    [
        ("steps: [{uses: fake.absent}]", (), 3),
        ("inputs: {n: {type: integer}}\n" + SAY, ("-i", "n=x"), 3),
        ("steps: [", (), 3),
        ("name: [1]\n" + SAY, (), 3),
    ],
)
def test_a_run_that_could_not_begin_is_told_too(command, fake, emulators, text, given, code):
    command.write("opsbook.yaml", "on_failure: {alert: {message: '{{ runbook }} could not begin: {{ error.code }}'}}")
    done = command("run", command.runbook(text, "nightly-job.yaml"), "--emulator", *given)
    assert done.code == code and "Nothing was sent" not in done.err
    (alert,) = alerts(emulators[-1])
    name = "test" if text.startswith(("steps: [{", "inputs")) else "nightly-job"
    assert (alert["message"], alert["alias"]) == (f"{name} could not begin: invalid", f"opsbook-{name}-failed")
    events = log(command)
    assert [event["event"] for event in events if event["event"].startswith("run.")] == ["run.started", "run.ended"]
    assert command("audit", "verify").code == 0


@pytest.mark.parametrize("asking", [(), ("--if-due",)])
def test_a_scheduled_run_that_could_not_begin_is_told_too(command, fake, emulators, asking):
    book = command.runbook("on_failure: {alert: {message: m}}\ntriggers: [{cron: '* * * * *'}]\nsteps: [{uses: fake.absent}]")
    trigger = ("--emulator", "--trigger", "cron", "--scheduled", "* * * * * UTC", *asking)
    assert command("run", book, *trigger).code == 3
    assert [alert["alias"] for alert in alerts(emulators[-1])] == ["opsbook-test-failed"]
    started = log(command)[0]
    assert (started["scheduled"]["trigger"], started["actor"]["trigger"]) == ("* * * * * UTC", "cron")


def test_a_trigger_that_is_no_name_is_told_to_nobody(command, fake, emulators):
    book = command.runbook("on_failure: {alert: {message: m}}\n" + SAY)
    assert command("run", book, "--emulator", "--scheduled", "tomorrow").code == 2
    assert emulators == []


def test_the_runbooks_own_word_counts_as_far_as_it_can_be_read(command, fake, emulators):
    command.write("opsbook.yaml", "on_failure: {alert: {message: by the configuration}}")
    for own in ("its own", "'{{ error.nothing }}'", "'{{ steps.s }}'"):
        command("run", command.runbook(f"on_failure: {{alert: {{message: {own}}}}}\nsteps: [{{uses: fake.absent}}]"), "--emulator")
    assert [alerts(emulator)[0]["message"] for emulator in emulators] == ["its own", *["by the configuration"] * 2]
    emulators.clear()
    for own in ("{alert: {message: its own}}", "{alert: {mesage: its own}}"):
        command("run", command.runbook(f"on_failure: {own}\nsteps: [{{uses: fake.absent}}]"), "--emulator")
    assert [alerts(emulator)[0]["message"] for emulator in emulators] == ["its own", "by the configuration"]


def test_a_file_that_is_not_there_is_told_by_the_configuration(command, fake, emulators):
    command.write("opsbook.yaml", "on_failure: {alert: {message: '{{ error.message }}'}}")
    assert command("run", "absent.yaml", "--emulator").code == 3
    assert "absent.yaml" in alerts(emulators[-1])[0]["message"]


def test_a_missing_key_is_told_with_another_one(command, fake, emulators, monkeypatch):
    command.write(
        "opsbook.yaml",
        """
        on_failure: {alert: {message: '{{ error.code }}'}, connection: other}
        connections: {opsgenie: {keys: [{kind: account, secret: 'env:ABSENT'}]}, other: {keys: [{kind: integration, secret: 'env:K'}]}}
        """,
    )
    seen = []
    monkeypatch.setenv("K", "0123456789abcdef")
    monkeypatch.setattr(
        "steps.opsgenie.connection.Connection.perform", lambda self, row, given, context: seen.append((row.name, given)) or {}
    )
    assert command("run", command.runbook("steps: [{uses: opsgenie.user.list}]")).code == 4
    assert [(name, given["message"]) for name, given in seen] == [("opsgenie.alert.create", "key")]


def test_what_overlaps_is_told_unless_it_is_to_be_skipped(command, fake, emulators):
    book = command.runbook(NOTICES + "concurrency: {group: g, on_conflict: fail}\n" + SAY)
    app = App(Options(config="", emulator=True))
    with app.state.lock("g", "fail", app.stop):
        assert command("run", book, "--emulator", "--on-conflict", "skip").code == 0
        assert emulators == []
        assert command("run", book, "--emulator").code == 11
    assert "another run of g" in alerts(emulators[-1])[0]["message"]


def test_where_nobody_is_to_be_told_a_refusal_leaves_nothing(command, fake):
    assert command("run", command.runbook("steps: [{uses: fake.absent}]"), "--emulator").code == 3
    assert State(command.folder / "state").every_run() == []


def test_a_refusal_that_cannot_be_told_is_a_warning(command, fake):
    command.write("opsbook.yaml", "on_failure: {alert: {message: m}}")
    done = command("-q", "run", command.runbook("steps: [{uses: fake.absent}]"))
    assert done.code == 3 and "warning: on_failure: there is no connection 'opsgenie'" in done.err


def test_no_alert_holds_a_key(command, fake, emulators, ears):
    class Learning(type(ears)):
        def __call__(self, event, fields):
            app.redactor.learn(Secret("canary-value", "env:X"))

    app = App(Options(config="", emulator=True), Learning())
    assert app.run(command.runbook(NOTICES + FAIL.replace("no room", "it said canary-value"))).exit_status == 1
    assert [alert["message"] for alert in alerts(emulators[0])] == ["test failed: it said ***"]


def test_a_key_that_the_notice_would_lack_is_said_at_the_beginning(command, fake, monkeypatch):
    command.write("opsbook.yaml", "connections: {opsgenie: {keys: [{kind: integration, secret: 'env:ABSENT'}]}}")
    done = command("run", command.runbook(NOTICES + SAY))
    assert done.code == 0
    said = [line for line in done.err.splitlines() if line.startswith("warning")]
    assert [line.split(":")[1].strip() for line in said] == ["on_success", "on_failure", "on_success"]
    assert "ABSENT" in said[0] and said[0].endswith("the run goes on")


def test_a_plan_shows_both(command, fake, emulators):
    document = json.loads(command("--json", "plan", command.runbook(NOTICES + SAY), "--emulator").out)
    ping, alert = document["requests"]
    assert (ping["step"], ping["conditional"], ping["made"]) == ("run.on_success", ['run.status == "succeeded"'], False)
    assert ping["url"].endswith("/v2/heartbeats/test-alive/ping")
    assert (alert["step"], alert["conditional"]) == ("run.on_failure", ['run.status == "failed"'])
    assert alert["body"]["message"] == "test failed: <run.error.message>" and alert["body"]["description"] == "<run.id>"
    assert [need["step"] for need in document["needs"]] == ["run.on_success", "run.on_failure"]
    assert writes(emulators) == []


def test_notices_are_no_change_that_a_plan_is_asked_about(command, fake):
    book = command.runbook(NOTICES + SAY)
    assert command("plan", book, "--emulator", "--detailed-exitcode").code == 0
    assert command("plan", command.runbook(NOTICES + "steps: [{uses: fake.write}]"), "--emulator", "--detailed-exitcode").code == 10
