"""The audit log as one file, and what is found when somebody changes that."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from engine.audit import chain, ledger
from engine.state import export, history
from engine.errors import UsageError
from engine.audit.journal import Journal
from engine.state import LOG, State


@pytest.fixture
def state(tmp_path):
    """Two runs, one of them in several files."""
    made = State(tmp_path / "state")
    for name, segment in (("run-1", 10**6), ("run-2", 600)):
        (made.runs / name).mkdir(parents=True)
        ledger.write(made.ledger, "run.opened", run=name, segment=500)
        log = Journal(made.runs / name / LOG, fields={"run": name}, segment=segment)
        for number in range(5):
            log.append("step.intent", step=f"s{number}", time=f"2026-01-0{number + 1}", item="=HYPERLINK()", ids={"identifier": "a"})
        log.append("run.ended", status="succeeded", error={"message": "é, and \n more"})
        ledger.write(made.ledger, "run.closed", run=name, head=log.head, events=log.events, segment=500)
        log.close()
    assert history.verify(made).problems == []
    return made


def exported(state, pick=None, **facts):
    return list(export.lines(export.logs(state, state.every_run(), ledger=pick is None), pick, facts))


def found(lines):
    return [(problem.file, problem.line) for problem in export.check("x", lines).problems]


def test_everything_is_there_as_it_was_written(state):
    manifest, *lines = exported(state, engine="1")
    files = [state.ledger, state.ledger.with_name("ledger.2.jsonl"), *(state.runs / "run-1").iterdir()]
    files += sorted((state.runs / "run-2").iterdir(), key=lambda part: (len(part.name), part.name))
    assert b"".join(lines) == b"".join(part.read_bytes() for part in files)
    told = json.loads(manifest)
    assert [(log["log"], log["lines"] == log["events"]) for log in told["logs"]] == [("ledger", True), ("run-1", True), ("run-2", True)]
    checked = export.check("x", [manifest, *lines])
    assert (checked.problems, checked.events, checked.head) == ([], len(lines), history.verify(state).head)
    assert {log["head"] for log in told["logs"]} <= checked.heads


def test_every_changed_removed_doubled_or_moved_line_is_found(state):
    whole = exported(state)
    for at, line in enumerate(whole):
        for position in (0, len(line) // 2, len(line) - 2):
            changed = line[:position] + bytes([line[position] ^ 1]) + line[position + 1 :]
            assert found([*whole[:at], changed, *whole[at + 1 :]])[0] == ("x", at + 1)
        without = [*whole[:at], *whole[at + 1 :]]
        assert (found(without) != []) is (at > 0)  # without the manifest it is a plain copy, such as a sink's
        assert found([*whole[: at + 1], *whole[at:]]) != []
        if at + 1 < len(whole):
            assert found([*whole[:at], whole[at + 1], line, *whole[at + 2 :]]) != []
    for end in range(1, len(whole)):
        assert found(whole[:end]) != []


def test_a_part_is_checked_line_by_line(state):
    whole = exported(state, lambda event: event.get("step") in ("s1", "s3"), filter={"key": "k"})
    assert len(whole) == 5
    assert found(whole) == []
    for at in range(1, 5):
        assert found([*whole[:at], *whole[at + 1 :]]) != []
        assert found([*whole[:at], whole[at].replace(b'"s', b'"t'), *whole[at + 1 :]])[0] == ("x", at + 1)
    assert found([*whole[:1], *reversed(whole[1:])]) != []


def test_logs_may_be_interleaved_as_a_sink_gets_them(state):
    _, *lines = exported(state)
    logs = {name: [line for line in lines if chain.parsed(line).get("run") == name and b'"log"' not in line] for name in ("run-1", "run-2")}
    mixed = [line for pair in zip(logs["run-1"], logs["run-2"], strict=False) for line in pair]
    assert found(mixed) == []
    assert found([*mixed[:5], mixed[3], *mixed[5:]]) == []  # handed on once more after a crash
    assert found(mixed[:4] + mixed[6:]) != []
    assert found([*mixed, mixed[-1][:40]]) == []  # a crash, while the next line was written


def test_a_manifest_may_not_lie(state):
    whole = exported(state)

    def lying(**other):
        manifest = {**json.loads(whole[0]), **other}
        return [chain.canonical({**manifest, "hash": chain.digest(manifest)}) + b"\n", *whole[1:]]

    logs = json.loads(whole[0])["logs"]
    assert found(lying()) == []
    assert found(lying(sha256="0" * 64)) == [("x", 1)]
    assert found(lying(logs=[{**logs[0], "head": "0" * 64}, *logs[1:]])) == [("x", 1)]
    assert found(lying(logs=[*logs, {"log": "run-3", "lines": 1, "events": 1, "head": "0"}])) == [("x", 1)]
    assert (
        "was broken when it was exported: f:3: m"
        in export.check("x", lying(problems=[{"file": "f", "line": 3, "message": "m"}])).problems[0].message
    )


def test_a_run_that_the_ledger_tells_of_otherwise_is_named(state):
    ledger.write(state.ledger, "run.opened", run="run-3")
    assert found(exported(state)) == [("x", 7)]
    ledger.write(state.ledger, history.PRUNED, run="run-3", events=0, head=chain.GENESIS)
    assert found(exported(state)) == []
    ledger.write(state.ledger, "run.closed", run="run-1", events=9, head="0")
    assert found(exported(state)) == [("x", 9)]


def test_a_log_that_is_pruned_meanwhile_is_no_whole_export(state):
    lines = export.lines(export.logs(state, state.every_run(), ledger=False), None, {})
    next(lines)
    for part in (state.runs / "run-2").iterdir():
        part.unlink()
    with pytest.raises(UsageError, match="while it was exported"):
        list(lines)


def test_a_table_keeps_the_chain_and_holds_no_formula(state):
    text = b"".join(export.table(export.logs(state, state.every_run(), ledger=True), lambda event: "step" in event)).decode()
    head, *rows = csv.reader(io.StringIO(text))
    assert head == list(export.COLUMNS) and len(rows) == 10
    row = dict(zip(head, rows[0], strict=True))
    assert (row["item"], row["ids"], row["step"], row["seq"], row["prev"]) == ("'=HYPERLINK()", "identifier=a", "s0", "1", chain.GENESIS)


def test_what_is_no_log_is_named():
    assert found([b"hello\n", b"[]\n", b"{}\n", b"x"]) == [("x", 1), ("x", 2), ("x", 3), ("x", 4)]
    assert export.check("x", []).events == 0
    event = {"event": "e", "seq": "one", "prev": chain.GENESIS}
    assert found([chain.canonical({**event, "hash": chain.digest(event)}) + b"\n"]) == [("x", 1)]


def checked_elsewhere(lines):
    """The three steps of docs/audit.md, without any of our code."""

    def hash_of(event):
        bare = {name: value for name, value in event.items() if name != "hash"}
        return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    manifest, *rest = lines
    told = json.loads(manifest)
    assert hash_of(told) == told["hash"]
    assert hashlib.sha256(b"".join(rest)).hexdigest() == told["sha256"]
    for log in told["logs"]:
        own, rest = [json.loads(line) for line in rest[: log["lines"]]], rest[log["lines"] :]
        for before, event in zip([{"seq": 0, "hash": "0" * 64}, *own], own, strict=False):
            assert hash_of(event) == event["hash"]
            assert event["seq"] != before["seq"] + 1 or event["prev"] == before["hash"]
        if log["lines"] == log["events"]:
            assert [event["seq"] for event in own] == list(range(1, log["events"] + 1)) and own[-1]["hash"] == log["head"]
    assert rest == []


def test_another_program_can_check_it(state):
    checked_elsewhere(exported(state))
    checked_elsewhere(exported(state, lambda event: event.get("step") in ("s1", "s3", "s4"), filter={"key": "k"}))
    whole = exported(state)
    with pytest.raises(AssertionError):
        checked_elsewhere([*whole[:3], whole[3].replace(b'"s', b'"t'), *whole[4:]])
