"""A run in this process: what reaches the journal, threads on a real clock, concurrency groups."""

import json
import os
import threading

import pytest

from engine.app import App, Options


def events(command):
    (log,) = (command.folder / "state" / "runs").glob("*/audit.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_intent_is_written_before_and_the_result_after(command, fake):
    App(Options(config="", emulator=True)).run(command.runbook("steps: [{id: w, uses: fake.write, with: {a: 1}}]"))
    written = events(command)
    assert [event["event"] for event in written] == ["run.started", "step.started", "step.intent", "step.result", "step.ended", "run.ended"]
    intent = written[2]
    assert (intent["key"], intent["effect"], intent["method"], intent["host"]) == ("w@1.1", "write", "POST", "fake.example")
    assert len(intent["request_hash"]) == 64
    assert "body" not in intent


def test_when_a_write_leaves_its_intent_and_all_answers_before_it_are_on_disk(command, fake, monkeypatch):
    synced, real, left = {}, os.fdatasync, []

    def sync(file):
        real(file)
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size

    def leave(given):
        (place,) = (command.folder / "state" / "runs").iterdir()
        files = [place / name for name in ("audit.jsonl", "results.jsonl")]
        left.append([synced.get(file.stat().st_ino, 0) == file.stat().st_size for file in files])

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(fake, "seen", type("Leaving", (list,), {"append": lambda self, given: leave(given)})())
    App(Options(config="", emulator=True)).run(
        command.runbook("steps: [{uses: fake.write, with: {n: 1}}, {uses: fake.write, with: {n: 2}}]")
    )
    assert left == [[True, True], [True, True]]


def test_waits_on_the_virtual_clock_cost_nothing(command, fake):
    result = App(Options(config="", emulator=True)).run(command.runbook("steps: [{wait: 300d}]"))
    assert result.exit_status == 0
    assert {"wait.started", "wait.ended"} <= {event["event"] for event in events(command)}


def test_items_go_side_by_side_in_threads_on_the_real_clock(command, fake, monkeypatch):
    together = threading.Barrier(3, timeout=5)
    steps = type(fake).steps

    def meeting(self):
        found = steps(self)
        found["fake.boom"]._perform = lambda given, context: {"place": together.wait() >= 0, "n": given["n"]}
        return found

    monkeypatch.setattr(type(fake), "steps", meeting)
    book = command.runbook('steps: [{id: s, for_each: [1, 2, 3], max_parallel: 3, uses: fake.boom, with: {n: "{{ item }}"}}]')
    result = App(Options(config="")).run(book)
    assert [item["n"] for item in result.document["steps"][0]["outputs"]] == [1, 2, 3]


@pytest.mark.parametrize("step", ["fake.fail", "fake.doubt"])
def test_a_failing_thread_ends_the_loop(command, fake, step):
    result = App(Options(config="")).run(command.runbook(f"steps: [{{id: s, for_each: [1, 2, 3], max_parallel: 2, uses: {step}}}]"))
    assert result.document["status"] == {"fake.fail": "failed", "fake.doubt": "in_doubt"}[step]


def test_a_queued_run_waits_for_the_group(command, fake):
    from engine.system.stop import Stop

    app = App(Options(config="", emulator=True))
    book = command.runbook("concurrency: {group: g, on_conflict: queue}\nsteps: [{uses: fake.say, with: {value: 1}}]")
    with app.state.lock("g", "fail", Stop()):
        other = threading.Thread(target=lambda: app.run(book))
        other.start()
        other.join(0.05)
        assert (other.is_alive(), fake.seen) == (True, [])
    other.join(5)
    assert fake.seen == [1]
