"""`cancel` on the command line."""

from __future__ import annotations

import json
import os

import pytest

from engine.state import history
from engine.audit.journal import Journal
from engine.state import State
from engine.system.stop import CANCEL

BOOK = """
steps: [{id: a, uses: fake.write, with: {n: 1}}, {id: b, uses: fake.write, with: {n: 2}}]
finally: [{id: c, uses: fake.write, with: {status: "{{ run.status }}"}}]
"""


class Killed(BaseException):
    """Nothing catches it."""


@pytest.fixture
def interrupted(command, fake, monkeypatch):
    """A run that was killed after its first step."""
    append = Journal.append

    def dying(log, name, **fields):
        written = append(log, name, **fields)
        if name == "step.ended":
            raise Killed
        return written

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Journal, "append", dying)
        command("run", command.runbook(BOOK), "--emulator")
    (place,) = State(command.folder / "state").every_run()
    return place


def test_what_was_interrupted_ends_after_its_finally(command, fake, interrupted):
    done = command("cancel", interrupted.name, "--json")
    assert (done.code, json.loads(done.out)["status"]) == (0, "cancelled")
    assert fake.seen == [{"n": 1}, {"status": "cancelled"}]
    assert command("audit", "verify").code == 0
    assert command("cancel", interrupted.name).code == command("resume", interrupted.name).code == 2


def test_a_run_under_way_is_told_by_signal(command, interrupted, monkeypatch):
    told = []
    monkeypatch.setattr(os, "kill", lambda *how: told.append(how))
    with history.hold(interrupted):
        done = command("cancel", interrupted.name)
        assert (done.code, told) == (0, [(os.getpid(), CANCEL)])
        assert "told to stop" in done.out
        assert json.loads(command("cancel", interrupted.name, "--json").out)["status"] == "running"


def test_a_process_that_cannot_be_told(command, interrupted, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    with history.hold(interrupted):
        done = command("cancel", interrupted.name)
    assert done.code == 2 and "Operation not permitted" in done.err
