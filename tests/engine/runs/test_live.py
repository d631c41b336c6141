"""Runs that were stopped, and what going on with them comes to."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.audit import journal
from engine.runs import live
from engine.state import history
from engine.app import App, Options
from engine.system.clock import VirtualClock
from engine.errors import AuditUnwritable, ChainBroken, Overlap, UsageError
from engine.audit.journal import Journal
from engine.runs.past import unfinished
from engine.runs.result import RunResult
from engine.state import LOG, State


class Killed(BaseException):
    """What kill -9 is to a test: nothing catches it."""


@pytest.fixture
def kill(monkeypatch):
    """Does work that dies at the nth event of a name: once it is written, or just before."""

    def kill(work, event, nth=1, *, before=False):
        append, seen = Journal.append, []

        def dying(log, name, **fields):
            seen.extend([name] if name == event and log.path.name == LOG else [])
            if before and len(seen) == nth:
                raise Killed
            written = append(log, name, **fields)
            if len(seen) == nth:
                raise Killed
            return written

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Journal, "append", dying)
            work()

    return kill


@pytest.fixture
def app(command, fake):
    return App(Options(config="", emulator=True))


@pytest.fixture
def place(command):
    """The folder of the only run."""

    def place():
        (found,) = State(command.folder / "state").every_run()
        return found

    return place


def told(place, *names):
    return [event for event in journal.events(place / LOG) if event["event"] in names]


def resume(place, on_doubt=None):
    return App(Options(config="")).resume(place.name, on_doubt)


def verified(place):
    return history.verify(State(place.parents[1])).problems


THREE = """
steps:
  - {id: a, uses: fake.write, with: {n: 1}}
  - {id: b, uses: fake.write, with: {from: "{{ steps.a.outputs.id }}"}}
finally:
  - {id: c, uses: fake.write, with: {status: "{{ run.status }}"}}
"""


@pytest.mark.parametrize(
    ("event", "nth", "done"),
    [("run.started", 1, []), ("step.result", 1, ["a"]), ("step.ended", 1, ["a"]), ("step.result", 2, "ab"), ("step.result", 3, "abc")],
)
def test_what_is_done_is_never_done_again(app, command, fake, kill, place, event, nth, done):
    book = command.runbook(THREE)
    kill(lambda: app.run(book), event, nth)
    assert len(fake.seen) <= len(done)
    Path(book).write_text("edited: it changes nothing")
    result = resume(place())
    assert result.document["status"] == "succeeded" and result.exit_status == 0
    assert fake.seen == [{"n": 1}, {"from": "made"}, {"status": "succeeded"}]
    assert [step["outputs"] for step in result.document["steps"]] == [{"id": "made"}] * 3
    ended = told(place(), "step.ended")
    assert [event["key"] for event in ended] == ["a", "b", "c"]
    assert verified(place()) == []


def test_it_needs_no_flags_wherever_it_is_called_from(app, command, kill, place, monkeypatch):
    book = command.runbook(
        "inputs: {n: {type: integer}}\nsteps: [{id: a, uses: fake.write, with: {n: '{{ inputs.n }}', t: '{{ run.trigger }}'}}]"
    )
    command.write("opsbook.yaml", "write: {allow: [/somewhere]}")
    first = App(Options(emulator=True, trigger="cron", connection="other"))
    kill(lambda: first.run(book, ["n=7"]), "run.started")
    command.write("elsewhere/x", "")
    monkeypatch.chdir(command.folder / "elsewhere")
    taken = []
    monkeypatch.setattr(App, "go_on", lambda app, past, doubt: taken.append(app) or RunResult({"status": "succeeded"}))
    App(Options(trigger="timer")).resume(place().name)
    (app,) = taken
    assert app.options.emulator and app.options.connection == "other" and app.options.trigger == "timer"
    assert app.config.settings == {"write": {"allow": ["/somewhere"]}, "project": str(command.folder)}


def test_items_of_a_loop_are_kept_by_their_keys(app, command, fake, kill, place):
    book = command.runbook("""
        inputs: {names: {type: array}}
        steps:
          - {id: each, for_each: "{{ inputs.names }}", as: name, key: "{{ name }}", uses: fake.write, with: {name: "{{ name }}"}}
    """)
    kill(lambda: app.run(book, ['names=["a/b", "a@1.1", "c#2"]']), "step.result", 2)
    result = resume(place())
    assert [given["name"] for given in fake.seen] == ["a/b", "a@1.1", "c#2"]
    assert result.document["steps"][0]["items"]["succeeded"] == 3


def test_a_failure_stays_a_failure_and_its_rescue_runs_once(app, command, fake, kill, place):
    book = command.runbook("""
        steps:
          - id: tried
            block: [{id: broken, uses: fake.fail}]
            rescue: [{id: sorry, uses: fake.write, with: {why: "{{ error.message }}"}}]
            always: [{id: anyway, uses: fake.write, with: {x: 1}}]
    """)
    kill(lambda: app.run(book), "step.result", 2)
    assert resume(place()).document["status"] == "succeeded"
    assert fake.seen == [{"why": "it broke"}, {"x": 1}]


def test_a_wait_keeps_its_end(app, command, kill, place, monkeypatch):
    book = command.runbook("steps: [{id: pause, wait: 10m}, {id: s, uses: fake.say, with: {value: '{{ now }}'}}]")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(VirtualClock, "sleep", lambda clock, seconds: (_ for _ in ()).throw(Killed))
        app.run(book)
    resume(place())
    (begun,) = told(place(), "wait.started")
    (ended,) = told(place(), "wait.ended")
    assert ended["time"] == begun["until"]


def test_a_deadline_that_has_passed_meanwhile_takes_nothing_back(app, command, fake, kill, place, monkeypatch):
    book = command.runbook("""
        timeout: 1h
        steps: [{id: a, uses: fake.write, with: {n: 1}}, {id: b, uses: fake.write, with: {n: 2}}]
        finally: [{id: c, if: steps.a.status == "succeeded", uses: fake.write, with: {n: 3}}]
    """)
    kill(lambda: app.run(book), "step.ended")
    past = unfinished(place())
    app = App(Options(config="", emulator=True))
    app.starts = past.last.replace(year=2031)
    result = app.go_on(past, None)
    assert [step["status"] for step in result.document["steps"]] == ["succeeded", "failed", "succeeded"]
    assert fake.seen == [{"n": 1}, {"n": 3}]
    assert result.error.code == "timeout"


def in_doubt(command, place, kill):
    """A run that was stopped while a program ran of which nobody knows whether it came to its end."""
    book = command.runbook(f"""
        steps:
          - {{id: a, uses: fake.write, with: {{n: 1}}}}
          - {{id: cmd, uses: core.command, with: {{argv: ["/bin/sh", "-c", "echo x >> {command.folder}/ran"]}}}}
          - {{id: b, uses: fake.say, with: {{value: "{{{{ steps.cmd.status }}}}"}}}}
        finally: [{{id: c, uses: fake.write, with: {{status: "{{{{ run.status }}}}"}}}}]
    """)
    kill(lambda: App(Options(config="", emulator=True)).run(book), "step.result", 2, before=True)
    return resume(place())


def test_what_cannot_be_known_stops_and_says_how_to_decide(command, fake, kill, place):
    result = in_doubt(command, place, kill)
    assert (result.exit_status, result.document["status"]) == (7, "in_doubt")
    assert result.error.hint == (
        f"Look at what it does before running it again. Then: opsbook resume {place().name} --on-doubt skip when it was done, "
        "--on-doubt resend when it was not, or --on-doubt fail to give up."
    )
    assert fake.seen == [{"n": 1}]  # neither b nor finally
    assert resume(place()).exit_status == 7  # asking again does not change it
    assert (command.folder / "ran").read_text() == "x\n"
    assert history.summary(place())["status"] == "in_doubt"


@pytest.mark.parametrize(
    ("decision", "status", "ran", "seen"),
    [
        ("resend", "succeeded", "x\nx\n", [{"n": 1}, "succeeded", {"status": "succeeded"}]),
        ("skip", "succeeded", "x\n", [{"n": 1}, "succeeded", {"status": "succeeded"}]),
        ("fail", "failed", "x\n", [{"n": 1}, {"status": "failed"}]),
    ],
)
def test_a_person_decides_once_and_it_is_written_down(command, fake, kill, place, decision, status, ran, seen):
    in_doubt(command, place, kill)
    result = resume(place(), decision)
    assert result.document["status"] == status
    assert (command.folder / "ran").read_text() == ran
    assert fake.seen == seen
    (decided,) = told(place(), "doubt.decided")
    assert (decided["key"], decided["call"], decided["decision"]) == ("cmd", "cmd@1.1", decision)
    assert decided["actor"]["user"] == told(place(), "run.started")[0]["actor"]["user"]
    assert verified(place()) == []


def test_a_decision_outlives_another_crash(command, fake, kill, place):
    in_doubt(command, place, kill)
    kill(lambda: resume(place(), "skip"), "doubt.decided")
    assert resume(place()).document["status"] == "succeeded"
    assert (command.folder / "ran").read_text() == "x\n"


def test_nothing_in_doubt_nothing_to_decide(app, command, kill, place):
    kill(lambda: app.run(command.runbook(THREE)), "step.ended")
    with pytest.raises(UsageError, match="nothing of the run"):
        resume(place(), "skip")


@pytest.mark.parametrize(("steps", "status"), [("[{uses: fake.say}]", "succeeded"), ("[{fail: no}]", "failed")])
def test_what_is_over_is_not_gone_on_with(app, command, place, steps, status):
    app.run(command.runbook(f"steps: {steps}"))
    with pytest.raises(UsageError, match=rf"over \({status}\)") as caught:
        resume(place())
    assert caught.value.exit_status == 2 and caught.value.hint


def test_what_never_began_is_cancelled(app, command, fake, kill, place):
    kill(lambda: app.run(command.runbook(THREE)), "run.started", before=True)
    assert history.summary(place())["status"] == "cancelled"
    assert list(App(Options(config="")).resume_all()) == []
    with pytest.raises(UsageError):
        resume(place())
    assert verified(place()) == []


def test_one_process_a_run(app, command, kill, place):
    kill(lambda: app.run(command.runbook(THREE)), "step.ended")
    with history.hold(place()):
        assert history.summary(place())["status"] == "running"
        with pytest.raises(Overlap, match="another process") as caught:
            resume(place())
    assert caught.value.exit_status == 11
    assert resume(place()).exit_status == 0


ENV = {**os.environ, "PYTHONPATH": str(Path(history.__file__).parents[2])}
RESUME = "import sys; from engine.cli import call; sys.exit(call(['resume', sys.argv[1], '-q']))"


def test_of_two_resumes_at_once_one_wins(command, emulators, kill, place):
    book = command.runbook("steps: [{id: a, uses: opsgenie.alert.create, with: {message: m}}]")
    kill(lambda: App(Options(config="", emulator=True)).run(book), "run.started")
    racers = [
        subprocess.Popen([sys.executable, "-c", RESUME, place().name], env={**ENV, "OPSBOOK_STATE": os.environ["OPSBOOK_STATE"]})
        for _ in range(2)
    ]
    codes = sorted(racer.wait() for racer in racers)
    assert codes in ([0, 11], [0, 2])  # 2: it was over by then
    assert len(told(place(), "run.resumed")) == 1


def test_a_run_holds_its_lock_from_the_beginning(app, command, fake, place, monkeypatch):
    seen = []
    monkeypatch.setattr(
        fake, "seen", type("Looking", (list,), {"append": lambda self, value: seen.append(history.summary(place())["status"])})()
    )
    app.run(command.runbook("steps: [{uses: fake.say, with: {value: 1}}]"))
    assert seen == ["running"]


def test_its_concurrency_group_holds_for_a_resumed_run_too(app, command, kill, place):
    kill(lambda: app.run(command.runbook(THREE + "concurrency: {group: g, on_conflict: fail}")), "step.ended")
    with App(Options(config="")).state.lock("g", "fail", app.stop), pytest.raises(Overlap, match="another run of g"):
        resume(place())
    assert resume(place()).exit_status == 0


@pytest.mark.parametrize("name", ["audit.jsonl", "results.jsonl"])
def test_nothing_that_was_changed_is_relied_on(app, command, fake, kill, place, name):
    kill(lambda: app.run(command.runbook(THREE)), "step.ended")
    file = place() / name
    file.write_bytes(file.read_bytes().replace(b"fake", b"evil", 1))
    with pytest.raises(ChainBroken, match="was changed") as caught:
        resume(place())
    assert caught.value.exit_status == 12
    assert fake.seen == [{"n": 1}]


def test_an_answer_that_was_lost_with_the_power_is_asked_for_again_or_in_doubt(app, command, fake, kill, place):
    kill(lambda: app.run(command.runbook(THREE)), "step.ended")
    file = place() / "results.jsonl"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    result = resume(place())  # fake.write knows no way to settle: the lost answer fails it
    assert result.error.code == "answer_lost" and fake.seen == [{"n": 1}, {"status": "failed"}]


def signalled(app, at):
    """Sends a signal at the first event of a name, as the system would."""
    append = Journal.append

    def listening(log, name, **fields):
        written = append(log, name, **fields)
        for event, number in at.items():
            if name == event and not app.stop._signal:
                app.stop._take(number, None)
        return written

    return listening


def test_sigterm_parks_and_resume_goes_on(app, command, fake, place, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", signalled(app, {"step.intent": signal.SIGTERM}))
        result = app.run(command.runbook(THREE))
    assert (result.exit_status, result.document["status"], fake.seen) == (14, "interrupted", [{"n": 1}])
    assert result.error.hint == f"opsbook resume {place().name}"
    assert resume(place()).exit_status == 0
    assert [event["event"] for event in told(place(), "run.parked", "run.resumed", "run.ended")] == [
        "run.parked",
        "run.resumed",
        "run.ended",
    ]
    assert verified(place()) == []


def test_sigint_ends_the_run_after_its_finally_even_over_a_crash(app, command, fake, kill, place, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", signalled(app, {"step.intent": signal.SIGINT}))
        kill(lambda: app.run(command.runbook(THREE)), "run.cancelling")
    result = resume(place())
    assert (result.document["status"], result.exit_status) == ("cancelled", 130)
    assert fake.seen == [{"n": 1}, {"status": "cancelled"}]
    assert len(told(place(), "run.cancelling")) == 1


def test_resume_all_goes_on_with_every_run_that_waits_whatever_befalls_one(app, command, fake, kill):
    book = command.runbook(THREE)
    app.run(book)
    for _ in range(3):
        kill(lambda: app.run(book), "run.started")
    state = State(command.folder / "state")
    waiting = [place for place in state.every_run() if history.summary(place)["status"] == "interrupted"]
    log = waiting[1] / LOG
    log.write_bytes(log.read_bytes().replace(b"test", b"tost", 1))
    results = dict(App(Options(config="")).resume_all())
    assert list(results) == [place.name for place in waiting]
    assert isinstance(results[waiting[1].name], ChainBroken)
    assert [results[place.name].exit_status for place in (waiting[0], waiting[2])] == [0, 0]


def failing(error, after):
    """os.write as of a disk that fills up after so many writes to files."""
    real, count = os.write, [0]

    def write(file, data):
        count[0] += 1
        if count[0] > after:
            raise OSError(error, os.strerror(error))
        return real(file, data)

    return write


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_what_cannot_be_written_down_is_not_sent_and_resume_goes_on(app, command, fake, monkeypatch, error):
    book = command.runbook(THREE)
    App(Options(config="", emulator=True)).run(book)  # so that locks and keys are there
    state, after = State(command.folder / "state"), 0
    while True:
        fake.forget()
        known = state.every_run()
        try:
            with monkeypatch.context() as patched:
                patched.setattr(os, "write", failing(error, after))
                App(Options(config="", emulator=True)).run(book)
            break
        except AuditUnwritable as unwritable:
            assert unwritable.exit_status == 13
        new = [place for place in state.every_run() if place not in known]
        after += 1
        if not new:
            assert fake.seen == []
            continue
        (place,) = new
        intents = told(place, "step.intent")
        assert len(fake.seen) <= len(intents), after
        if history.summary(place)["status"] == "interrupted":
            before = list(fake.seen)
            resume(place)
            assert fake.seen[: len(before)] == before
            assert [given for given in fake.seen if fake.seen.count(given) > 1] == []
            assert history.verify(state, place).problems == []
    assert after > 15


@pytest.fixture
def knowing(command, fake, ears):
    """An app that learns of a secret as the run is under way."""
    from engine.secret import Secret

    class Learning(type(ears)):
        def __call__(self, event, fields):
            app.redactor.learn(Secret("canary-value", "env:X"))

    app = App(Options(config="", emulator=True), Learning())
    return app


def test_a_secret_in_a_loop_key_is_refused_before_anything_is_sent(knowing, command, fake):
    app = knowing
    result = app.run(
        command.runbook("""
            inputs: {names: {type: array}}
            steps: [{id: each, for_each: "{{ inputs.names }}", key: "{{ item }}", uses: fake.write, with: {n: 1}}]
        """),
        ['names=["x", "canary-value-1"]'],
    )
    assert result.exit_status == 1 and len(fake.seen) == 1
    assert "canary-value" not in json.dumps(result.document)


def test_no_secret_reaches_the_log(knowing, command, place):
    knowing.run(command.runbook("steps: [{id: a, uses: fake.fail, with: {message: 'said canary-value, Y2FuYXJ5LXZhbHVl'}}]"))
    text = (place() / LOG).read_text()
    assert "canary" not in text and "Y2FuYXJ5" not in text and "said ***" in text


def test_the_log_names_keys_by_fingerprint_only(app, command, place, emulators):
    app.run(command.runbook("steps: [{uses: opsgenie.alert.create, with: {message: m}}]"))
    intent = told(place(), "step.intent")[0]
    assert set(intent["key_used"]) == {"kind", "reference", "fingerprint"} and len(intent["key_used"]["fingerprint"]) >= 16
    text = (place() / LOG).read_text()
    assert not any(key.value in text for emulator in emulators for key in emulator.keys)


def test_the_wait_before_another_attempt_is_the_same_after_a_crash(app, command, fake, kill, place):
    book = command.runbook("steps: [{id: a, retry: {attempts: 3, delay: 10s}, uses: fake.fail, with: {again: safe}}]")
    kill(lambda: app.run(book), "wait.started")
    (begun,) = told(place(), "wait.started")
    resume(place())
    ended = told(place(), "wait.ended")[0]
    assert (ended["key"], ended["time"]) == (begun["key"], begun["until"])


def test_a_resumed_run_does_not_sleep_again_before_calls_it_remembers(app, command, kill, place, monkeypatch):
    book = command.runbook("steps: [{id: a, uses: opsgenie.alert.create, with: {message: m}}, {id: b, uses: fake.say}]")
    kill(lambda: app.run(book), "step.ended")
    slept = []
    monkeypatch.setattr(VirtualClock, "sleep", lambda clock, seconds: slept.append(seconds))
    assert resume(place()).exit_status == 0
    assert slept == []


def test_items_under_way_when_another_failed_are_gone_on_with(command, fake, kill, place):
    """On a real clock items run side by side; after a crash the failed one is remembered first, and stops only what never began."""
    command.write("opsbook.yaml", "{}")
    book = command.runbook("""
        steps:
          - id: each
            for_each: [broken, slow, never]
            as: name
            key: "{{ name }}"
            max_parallel: 2
            block:
              - {id: one, uses: fake.write, with: {name: "{{ name }}"}}
              - {id: broken, if: name == "broken", uses: fake.fail}
              - {id: two, uses: fake.write, with: {two: "{{ name }}"}}
    """)
    kill(lambda: App(Options(config="")).run(book), "step.ended", 2)
    begun = {event.get("item") for event in told(place(), "step.intent")}
    result = resume(place())
    assert result.document["status"] == "failed"
    names = [given["name"] for given in fake.seen if "name" in given]
    assert sorted(names) == sorted(set(names))
    assert result.document["steps"][0]["items"]["cancelled"] <= 3 - len(begun)
