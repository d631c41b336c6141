"""A new run that starts where an ended one stopped: what was done is kept, and only that."""

from __future__ import annotations

import pytest

from engine.audit import journal
from engine.state import history
from engine.app import App, Options
from engine.errors import Invalid, Overlap, UsageError
from engine.audit.journal import Journal
from engine.state import LOG, State

LOOP = """
steps:
  - {id: before, uses: fake.write, with: {n: 0}}
  - id: each
    for_each: [a, b, c]
    as: row
    key: "{{ row }}"
    fail_fast: false
    block:
      - {id: first, uses: fake.write, with: {row: "{{ row }}", n: 1}}
      - {id: shaky, if: row == "b", uses: fake.fail, with: {times: 1}}
      - {id: second, uses: fake.write, with: {row: "{{ row }}", n: 2}}
  - {id: after, uses: fake.say, with: {value: "{{ steps.second.outputs }}"}}
finally: [{id: last, uses: fake.write, with: {n: 9}}]
"""


@pytest.fixture
def state(command, fake):
    return State(command.folder / "state")


def app():
    return App(Options(config="", emulator=True))


def failed(command, text):
    """The id of a run of a runbook, which failed."""
    result = app().run(command.runbook(text))
    assert result.document["status"] == "failed"
    return result.document["run_id"]


def statuses(result):
    return {step["id"]: step["status"] for step in result.document["steps"]}


def test_done_items_keep_their_outputs_and_only_the_bad_one_goes_on(command, fake, state):
    run = failed(command, LOOP)
    sent = [value for value in fake.seen if isinstance(value, dict)]
    assert {"row": "b", "n": 2} not in sent
    fake.seen.clear()
    result = app().retry(run)
    assert result.document["status"] == "succeeded"
    assert result.document["retry_of"] == run
    assert fake.seen == [{"row": "b", "n": 2}, [{"id": "made"}] * 3, {"n": 9}]  # `finally` belongs to each run
    told = [event for event in journal.events(state.runs / result.document["run_id"] / LOG) if event["event"] == "step.ended"]
    assert [event["key"] for event in told if event.get("kept")] == [
        "before", "each[a]/first", "each[a]/second", "each[a]/each", "each[b]/first", "each[c]/first", "each[c]/second", "each[c]/each",
    ]  # fmt: skip
    assert not history.verify(state).problems


def test_templates_and_markers_go_on_under_the_first_runs_id(command, fake):
    run = failed(
        command,
        """
        vars: {alias: "db-{{ run.id }}", at: "{{ now }}"}
        steps:
          - {id: shaky, uses: fake.fail, with: {times: 2}}
          - {id: said, uses: fake.say, with: {value: "{{ vars.alias }} {{ run.id }} {{ vars.at }}"}}
        """,
    )
    again = app().retry(run)
    assert (again.document["status"], fake.seen) == ("failed", [])
    last = app().retry(again.document["run_id"])
    assert last.document["status"] == "succeeded"
    alias, id_, at = fake.seen[0].split()
    assert (alias, id_) == (f"db-{run}", run)
    assert at[:4].isdecimal()


def test_waits_and_polls_that_are_over_are_not_waited_for_again(command, fake):
    run = failed(
        command,
        """
        steps:
          - {id: pause, wait: 1h}
          - {id: poll, uses: fake.count, until: {condition: result.n > 2, every: 10m, timeout: 2h}}
          - {id: began, uses: fake.say, with: {value: "{{ now }}"}}
          - {id: shaky, uses: fake.fail, with: {times: 4}}
          - {id: n, uses: fake.say, with: {value: "{{ steps.poll.outputs.n }}"}}
        """,
    )
    at = fake.seen[0]
    result = app().retry(run)
    assert result.document["status"] == "succeeded"
    assert fake.seen[1] == at  # a read that calls nothing is computed again, from the same moment
    assert result.document["started_at"] >= at


def test_a_rescued_block_is_kept_whole_and_what_cleans_up_is_done_again(command, fake):
    run = failed(
        command,
        """
        steps:
          - id: mended
            block: [{id: broken, uses: fake.fail, with: {times: 1}}]
            rescue: [{id: plaster, uses: fake.write, with: {n: 1}}]
          - id: torn
            block:
              - {id: done, uses: fake.write, with: {n: 2}}
              - {id: shaky, if: steps.broken.status == "failed", uses: fake.fail, with: {times: 2}}
            always: [{id: tidy, uses: fake.write, with: {n: 3}}]
        """,
    )
    assert fake.seen == [{"n": 1}, {"n": 2}, {"n": 3}]
    fake.seen.clear()
    result = app().retry(run)
    assert result.document["status"] == "succeeded"
    assert statuses(result) == {"mended": "succeeded", "broken": "failed", "plaster": "succeeded"} | dict.fromkeys(
        ("torn", "done", "shaky", "tidy"), "succeeded"
    )
    assert fake.seen == [{"n": 3}]


def test_from_does_a_step_and_all_after_it_again(command, fake):
    book = command.runbook("""
        steps:
          - {id: a, uses: fake.write, with: {n: 1}}
          - id: box
            block:
              - {id: b, uses: fake.write, with: {n: 2}}
              - {id: c, uses: fake.write, with: {n: 3}}
          - {id: d, uses: fake.write, with: {n: 4}}
    """)
    run = app().run(book).document["run_id"]
    fake.seen.clear()
    assert app().retry(run, "c").document["status"] == "succeeded"
    assert fake.seen == [{"n": 3}, {"n": 4}]
    app().retry(run, "box")  # said by its author, so it may be done as often as they say
    assert fake.seen[2:] == [{"n": 2}, {"n": 3}, {"n": 4}]
    with pytest.raises(UsageError, match="no such step") as caught:
        app().retry(run, "boks")
    assert "box" in caught.value.hint


def test_what_cannot_be_retried_is_said(command, fake, state):
    run = app().run(command.runbook("steps: [{uses: fake.write, with: {n: 1}}]")).document["run_id"]
    with pytest.raises(UsageError, match="every step of the run .* was done"):
        app().retry(run)
    run = failed(command, "steps: [{id: shaky, uses: fake.fail, with: {times: 9}}]")
    second = app().retry(run).document["run_id"]
    with pytest.raises(UsageError, match="was retried before, as") as caught:
        app().retry(run)
    assert second in caught.value.hint
    with history.hold(state.run(second)), pytest.raises(Overlap):
        app().retry(second)


@pytest.mark.parametrize("left", [b"", b'{"actor":', b'{"actor":{"trig'])
def test_a_retry_that_a_crash_ended_in_its_first_line_never_began(command, fake, state, left):
    run = failed(command, "steps: [{id: shaky, uses: fake.fail, with: {times: 9}}]")
    second = app().retry(run).document["run_id"]
    (state.run(second) / LOG).write_bytes(left)
    assert app().retry(run).document["retry_of"] == run


def test_a_corrected_runbook_keeps_what_was_done_where_it_still_reads_the_same(command, fake):
    text = """
        steps:
          - {id: a, uses: fake.write, with: {n: 1}}
          - {id: b, uses: fake.fail}
    """
    run = failed(command, text)
    fake.seen.clear()
    command.runbook(text.replace("uses: fake.fail", "uses: fake.write, with: {n: 2}"))
    assert app().retry(run).document["status"] == "failed"  # its own runbook, unless asked
    command.runbook(text.replace("{n: 1}", "{n: 7}"))
    with pytest.raises(Invalid) as caught:
        app().retry(run, "b", use_new=True)
    assert [(found.id, found.place.line) for found in caught.value.findings] == [("RB111", 5)]
    command.runbook(text.replace("id: a,", "id: other,"))
    with pytest.raises(Invalid, match="a was done by the run .* and is gone"):
        app().retry(run, "b", use_new=True)
    command.runbook(text.replace("uses: fake.fail", "uses: fake.write, with: {n: 2}"))
    result = app().retry(run, "b", use_new=True)
    assert result.document["status"] == "succeeded"
    assert fake.seen == [{"n": 2}]


def test_new_inputs_are_held_against_what_was_done(command, fake):
    book = """
        inputs: {rows: {type: array, items: {type: object}}}
        steps:
          - id: each
            for_each: "{{ inputs.rows }}"
            as: row
            key: "{{ row.id }}"
            fail_fast: false
            block:
              - {id: check, uses: core.assert, with: {that: row.n > 0, message: no}}
              - {id: put, uses: fake.write, with: {n: "{{ row.n }}"}}
    """
    run = app().run(command.runbook(book), ['rows=[{"id": "a", "n": 1}, {"id": "b", "n": 0}]']).document["run_id"]
    fake.seen.clear()
    changed = app().retry(run, given=['rows=[{"id": "a", "n": 5}, {"id": "b", "n": 2}]'])
    assert "was done in the run before, with another request than now" in changed.document["error"]["message"]
    assert fake.seen == [{"n": 2}]
    fixed = app().retry(run, "each", given=['rows=[{"id": "a", "n": 1}, {"id": "b", "n": 2}]'])
    assert fixed.document["status"] == "succeeded"
    assert fake.seen == [{"n": 2}, {"n": 1}, {"n": 2}]


class Killed(BaseException):
    """What kill -9 is to a test: nothing catches it."""


@pytest.mark.parametrize("event", ["run.started", "carried", "run.carried", "step.started"])
def test_a_retry_that_was_killed_goes_on_without_the_run_it_came_from_being_done_again(command, fake, state, monkeypatch, event):
    run = failed(command, LOOP)
    fake.seen.clear()
    append = Journal.append

    def dying(log, name, **fields):
        written = append(log, name, **fields)
        if name == event and log.path.parent.name != run:
            raise Killed
        return written

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Journal, "append", dying)
        app().retry(run)
    (other,) = (place.name for place in state.every_run() if place.name != run)
    result = App(Options(config="")).resume(other)
    assert result.document["status"] == "succeeded"
    assert [value for value in fake.seen if isinstance(value, dict)] == [{"row": "b", "n": 2}, {"n": 9}]
    with pytest.raises(UsageError, match="was retried before"):
        app().retry(run)
    assert not history.verify(state).problems


def test_the_command_says_what_was_kept_and_what_to_type(command, fake):
    first = command("run", command.runbook(LOOP), "--emulator")
    assert first.code == 1
    run = first.out.partition("opsbook retry ")[2].split()[0]
    again = command("retry", run)
    assert again.code == 0
    assert "✔ before  fake.write  kept" in again.out
    refused = command("retry", run)
    assert refused.code == 2
    assert "was retried before" in refused.err


@pytest.mark.parametrize("uses", ["add_note", "escalate"])
def test_what_a_cancelled_run_had_under_way_is_not_sent_again(command, emulators, monkeypatch, uses):
    """The service accepted it, and the run ended before it said that it was done."""
    given = {"add_note": "note: seen", "escalate": "escalation: {name: leads}"}[uses]
    book = command.runbook(f"""
        steps:
          - {{id: open, uses: opsgenie.alert.create, with: {{message: m}}}}
          - {{id: sent, uses: opsgenie.alert.{uses}, with: {{identifier: "{{{{ steps.open.outputs.alertId }}}}", {given}}}}}
    """)
    account = {"teams": [{"name": "sre"}], "escalations": [{"name": "leads", "team": "sre"}]}
    begun, append = App(Options(config="", emulator=True, emulator_state=account)), Journal.append

    def cancelling(log, name, **fields):
        written = append(log, name, **fields)
        if name == "step.result" and fields["key"] == "sent@1.1":
            begun.stop.cancel()
        return written

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", cancelling)
        result = begun.run(book)
    assert result.document["status"] == "cancelled"
    assert app().retry(result.document["run_id"]).document["status"] == "succeeded"
    told = [line for emulator in emulators for line in emulator.writes() if line.endswith(("/notes", "/escalate"))]
    assert len(told) == 1
