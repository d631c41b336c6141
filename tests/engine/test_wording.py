"""What events say to people."""

import pytest

from engine.audit import events
from engine import wording

ERROR = {"message": "no room", "code": "refused", "status": 409}


@pytest.mark.parametrize(
    ("event", "fields", "level", "message"),
    [
        ("run.started", {"actor": {"user": "ana", "trigger": "cron"}}, "info", "run started by ana (cron)"),
        ("run.resumed", {"actor": {"user": "ana", "trigger": "cli"}}, "info", "run resumed by ana (cli)"),
        ("run.cancelling", {}, "info", "the run was cancelled; its finally runs"),
        ("run.ended", {"status": "succeeded", "error": None}, "info", "run succeeded"),
        ("run.ended", {"status": "failed", "error": ERROR}, "error", "run failed: no room"),
        ("run.parked", {"status": "interrupted", "error": ERROR}, "warning", "run interrupted: no room"),
        ("run.parked", {"status": "in_doubt", "error": ERROR}, "error", "run in_doubt: no room"),
        ("step.started", {"uses": "core.log"}, "info", "step started: core.log"),
        ("step.ended", {"status": "failed", "error": ERROR}, "error", "step failed: no room"),
        ("step.ended", {"status": "failed", "error": ERROR, "continued": True}, "warning", "step failed: no room"),
        ("step.skipped", {"condition": "1 > 2"}, "info", "step skipped: not 1 > 2"),
        ("step.intent", {"action": "a.b", "method": "GET", "host": "h", "path": "/v2"}, "debug", "GET h/v2"),
        ("step.intent", {"action": "core.command"}, "debug", "core.command"),
        ("step.result", {"action": "a.b", "outcome": "succeeded", "answer": {"status": 202, "took": 0.3}}, "debug", "a.b succeeded with 202 in 0.3 s"),
        ("step.result", {"action": "a.b", "outcome": "failed", "error": ERROR}, "debug", "a.b failed: no room"),
        ("step.doubt", {"action": "a.b", "error": ERROR}, "warning", "a.b: no answer is known: no room"),
        ("doubt.decided", {"key": "a", "decision": "skip"}, "info", "a person decided about a: skip"),
        ("wait.started", {"until": "12:00"}, "debug", "waiting until 12:00"),
        ("wait.ended", {}, "debug", "wait ended"),
        ("said", {"message": "hello", "level": "warning"}, "warning", "hello"),
        ("warned", {"message": "hello"}, "warning", "hello"),
        ("command.failed", {"error": ERROR}, "error", "no room"),
        ("run.carried", {}, "info", "what the run before had done is taken over"),
        ("step.ended", {"status": "succeeded", "kept": True}, "info", "step succeeded (kept)"),
        ("unheard.of", {}, "info", "unheard.of"),
    ],
)  # fmt: skip
def test_an_event_has_a_level_and_a_message(event, fields, level, message):
    assert wording.of(event, fields) == (level, message)


def test_every_event_of_the_audit_log_has_its_words():
    told = events.EVENTS.keys() - wording._MESSAGES.keys()
    assert told == {"carried", "log.continued", "moment"}, "what are mere notes to the engine itself need none"
