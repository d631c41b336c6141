"""`plan`: everything a run would send, with which key, and nothing sent."""

import json

import pytest

from engine.cli.plan import row

WRITES = """
    inputs: {team: {type: string, default: dba}}
    steps:
      - id: create
        uses: opsgenie.alert.create
        with: {message: down, responders: [{type: team, name: "{{ inputs.team }}"}]}
      - {id: get, uses: opsgenie.alert.get, with: {identifier: "{{ steps.create.outputs.alertId }}"}}
      - {id: ack, if: not steps.get.outputs.acknowledged, uses: opsgenie.alert.acknowledge, with: {identifier: "{{ steps.create.outputs.alertId }}"}}
      - {id: users, uses: opsgenie.user.list}
      - {id: each, for_each: "{{ steps.users.outputs.items }}", as: user, key: "{{ user.username }}", uses: opsgenie.alert.add_note,
         with: {identifier: "{{ steps.create.outputs.alertId }}", note: "for {{ user.username }}"}}
    finally: [{id: close, if: steps.create.status == "succeeded", uses: opsgenie.alert.close, with: {identifier: "{{ steps.create.outputs.alertId }}"}}]
"""


@pytest.fixture
def planned(command, emulators):
    state = command.write("state.yaml", "users: [{username: ana@example.com}, {username: bo@example.com}]")
    done = command("--json", "plan", command.runbook(WRITES), "--emulator", "--emulator-state", state)
    assert done.code == 0, done.err
    return json.loads(done.out), emulators[0]


def test_no_write_is_sent_and_known_reads_are_made(planned):
    _, emulator = planned
    assert emulator.writes() == []
    assert [line.path.partition("?")[0] for line in emulator.requests] == ["/v2/users"]


def test_each_request_says_where_what_and_with_which_key(planned):
    document, _ = planned
    create = document["requests"][0]
    assert create["step"] == "create"
    assert (create["method"], create["effect"], create["made"]) == ("POST", "write", False)
    assert create["url"].endswith("/v2/alerts")
    assert create["body"]["message"] == "down"
    assert create["body"]["responders"] == [{"type": "team", "name": "dba"}]
    assert create["key"] == {"kind": "integration", "reference": "emulator:integration"}


def test_later_steps_stand_on_placeholders(planned):
    document, _ = planned
    urls = {one["step"]: one["url"].split(".invalid")[1] for one in document["requests"]}
    assert urls["ack"].partition("?")[0] == "/v2/alerts/<steps.create.outputs.alertId>/acknowledge"


def test_loops_over_what_a_read_gave_are_spelt_out(planned):
    document, _ = planned
    assert [(one["item"], one["body"]["note"].partition(" [")[0]) for one in document["requests"] if one["step"] == "each"] == [
        ("ana@example.com", "for ana@example.com"),
        ("bo@example.com", "for bo@example.com"),
    ]


def test_what_only_a_real_run_can_decide_is_marked(planned):
    document, _ = planned
    marked = {one["step"]: one["conditional"] for one in document["requests"]}
    assert marked["ack"] == ["not steps.get.outputs.acknowledged"]
    assert marked["create"] == marked["close"] == []


def test_needs_say_right_kinds_and_key(planned):
    document, _ = planned
    assert {"step": "create", "right": "create_and_update", "key": "emulator:integration"}.items() <= document["needs"][0].items()
    assert "integration" in document["needs"][0]["kinds"]
    assert {need["step"] for need in document["needs"]} == {"create", "get", "ack", "users", "each", "close"}


def test_offline_makes_no_read_either(command, emulators):
    done = command("--json", "plan", command.runbook(WRITES), "--emulator", "--offline")
    assert done.code == 0
    assert [line for emulator in emulators for line in emulator.requests] == []
    assert [one["item"] for one in json.loads(done.out)["requests"] if one["step"] == "each"] == ["<steps.users.outputs.items[0].username>"]


def test_people_see_the_same(command):
    done = command("plan", command.runbook(WRITES), "--emulator", "--offline")
    assert "+ create: POST" in done.out
    assert "key: integration (emulator:integration)" in done.out
    assert "if not steps.get.outputs.acknowledged (known only in a real run)" in done.out
    assert "of them would write." in done.out


def test_a_plan_that_cannot_go_on_says_where_it_ends(command, fake):
    done = command("--json", "plan", command.runbook("steps: [{uses: fake.write, with: {}}, {fail: no room}]"), "--emulator")
    document = json.loads(done.out)
    assert (done.code, document["error"], len(document["requests"])) == (1, {"message": "no room"}, 1)


def test_a_configured_key_is_named_and_never_shown(command, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "k3y-of-the-team-0001")
    monkeypatch.setenv("ACCOUNT_KEY", "k3y-of-the-account-1")
    command.write("opsbook.yaml", """
        connections:
          opsgenie:
            url: http://127.0.0.1:9
            keys: [{kind: account, secret: "env:ACCOUNT_KEY"}, {kind: team, team: dba, secret: "env:TEAM_KEY"}]
    """)  # fmt: skip
    book = command.runbook("""
        steps:
          - {id: alert, uses: opsgenie.alert.create, with: {message: down}}
          - {id: user, uses: opsgenie.user.create, with: {username: a@example.com, fullName: A, role: {name: User}}}
    """)
    for flags in (["--json"], []):
        done = command("plan", book, "--offline", *flags)
        assert done.code == 0, done.err
        assert "env:TEAM_KEY" in done.out
        assert "env:ACCOUNT_KEY" in done.out
        assert "k3y-of" not in done.both


def test_dry_run_is_plan(command):
    book = command.runbook(WRITES)
    assert command("--json", "run", book, "--dry-run", "--emulator").out == command("--json", "plan", book, "--emulator").out


def test_a_row_spells_placeholders_as_they_are_read():
    from engine.backends.dry import Planned
    from engine.contracts import Call

    call = Call("x", "write", "POST", "https://x/v2/alerts/%3Csteps.a.outputs.items%5B0%5D.id%3E/close?note=a%20b", body={"a": 1})
    assert (
        row(Planned("s", None, call, (), made=False), lambda _name: None)["url"]
        == "https://x/v2/alerts/<steps.a.outputs.items[0].id>/close?note=a%20b"
    )


def test_a_plan_says_what_cannot_be_undone(command):
    command.write(
        "r.yaml",
        """
        apiVersion: runbook/v1
        name: r
        steps:
          - {id: c, uses: opsgenie.alert.create, with: {message: hi}}
          - {uses: opsgenie.alert.acknowledge, with: {identifier: "{{ steps.c.outputs.alertId }}"}}
          - {uses: opsgenie.team.delete, with: {identifier: t}}
    """,
    )
    document = json.loads(command("plan", "r.yaml", "--emulator", "--json").out)
    assert [(one["action"].rpartition(".")[2], one["undoable"]) for one in document["requests"] if one["effect"] == "write"] == [
        ("create", False),
        ("acknowledge", True),
        ("delete", False),
    ]
    assert command("plan", "r.yaml", "--emulator").out.count("cannot be undone") == 2
