"""The runbooks that are killed, starved and signalled: shipped ones, and one with every construct there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

EVERY = """
apiVersion: runbook/v1
name: every
description: Every construct and every modifier.
inputs: {hosts: {type: array, items: {type: string}}}
checks: [{that: (inputs.hosts | length) > 0, message: hosts are needed}]
concurrency: {group: every, on_conflict: fail}
timeout: 6h
defaults: {timeout: 30s, retry: {attempts: 3, delay: 2s}}
vars: {began: "{{ now }}"}
steps:
  - {id: said, uses: core.log, with: {message: "began {{ vars.began }}"}}
  - {id: kept, uses: core.set, with: {count: "{{ inputs.hosts | length }}"}}
  - {id: held, uses: core.assert, with: {that: steps.kept.outputs.count == 2, message: two hosts}}
  - {id: ran, uses: core.command, with: {argv: [sh, -c, "echo ran >> ran"]}}
  - id: open
    for_each: "{{ inputs.hosts }}"
    as: host
    key: "{{ host }}"
    max_parallel: 2
    fail_fast: false
    block:
      - {id: create, uses: opsgenie.alert.create, with: {message: "{{ host }} is down"}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "seen {{ now }}"}}
    always:
      - {id: tag, if: steps.create.status == "succeeded", uses: opsgenie.alert.add_tags, with: {identifier: "{{ steps.create.outputs.alertId }}", tags: [seen]}}
  - id: watched
    uses: opsgenie.alert.get
    retry: {attempts: 4, delay: 1s, backoff: linear, if: error.status == 503}
    with: {identifier: "{{ steps.create.outputs[0].alertId }}"}
    until: {condition: result.acknowledged, every: 30s, timeout: 2m, on_timeout: continue}
    expect: [result.status == "open"]
  - {id: pause, wait: 10m}
  - {id: later, wait: {until: "2026-11-23T14:00:00Z"}}
  - id: tried
    timeout: 5m
    block:
      - {id: missing, uses: opsgenie.alert.get, continue_on_error: true, with: {identifier: nobody}}
      - {id: broken, fail: broken on purpose}
    rescue:
      - {id: sorry, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs[0].alertId }}", note: "{{ error.message }}"}}
  - {id: user, uses: opsgenie.user.ensure, with: {username: ana@example.com, fullName: Ana, role: {name: User}, teams: [{name: dba}]}}
  - {id: report, uses: core.write, with: {path: report.json, json: "{{ steps.create.outputs }}"}}
  - id: close
    for_each: "{{ steps.create.outputs }}"
    as: made
    key: "{{ made.alias }}"
    uses: opsgenie.alert.close
    with: {identifier: "{{ made.alertId }}", note: closed by this run}
  - id: done
    if: steps.close.status == "succeeded"
    return: {alerts: "{{ steps.create.outputs | length }}"}
  - {id: never, fail: a return was passed over}
finally:
  - {id: last, uses: opsgenie.alert.create, with: {message: "run {{ run.status }}"}}
outputs:
  alerts: {type: integer, value: "{{ steps.kept.outputs.count }}"}
"""

TROUBLE = """
apiVersion: runbook/v1
name: trouble
steps:
  - {id: create, uses: opsgenie.alert.create, with: {message: trouble}}
  - id: lookup
    uses: opsgenie.alert.get
    retry: {attempts: 5, delay: 2s}
    with: {identifier: "{{ steps.create.outputs.alertId }}"}
  - id: tried
    block:
      - {id: missing, uses: opsgenie.alert.get, with: {identifier: nobody}}
    rescue:
      - {id: sorry, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "{{ error.message }}"}}
  - {id: user, uses: opsgenie.user.create, with: {username: ana@example.com, fullName: Ana, role: {name: User}}}
  - {id: broken, fail: broken on purpose}
finally:
  - id: end
    if: steps.create.status == "succeeded"
    uses: opsgenie.alert.add_note
    with: {identifier: "{{ steps.create.outputs.alertId }}", note: "{{ run.status }}"}
"""

AGAIN = """
apiVersion: runbook/v1
name: again
inputs: {users: {type: array, items: {type: string}}}
vars: {alias: "joining-{{ run.id }}"}
steps:
  - {id: create, uses: opsgenie.alert.create, with: {message: people join, alias: "{{ vars.alias }}"}}
  - {id: pause, wait: 10m}
  - id: join
    for_each: "{{ inputs.users }}"
    as: name
    key: "{{ name }}"
    max_parallel: 2
    fail_fast: false
    block:
      - {id: user, uses: opsgenie.user.create, with: {username: "{{ name }}@example.com", fullName: "{{ name }}", role: {name: User}}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ vars.alias }}", identifierType: alias, note: "{{ name }} has joined"}}
    always:
      - {id: said, uses: core.log, with: {message: "{{ name }} was seen to"}}
  - {id: report, uses: core.write, with: {path: report.json, json: "{{ steps.user.outputs }}"}}
  - {id: close, uses: opsgenie.alert.close, with: {identifier: "{{ steps.create.outputs.alertId }}"}}
finally:
  - {id: end, if: steps.create.status == "succeeded", uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.create.outputs.alertId }}", note: "{{ run.status }}"}}
"""
"""Fails at one person, and is retried."""

WIRE = """
apiVersion: runbook/v1
name: wire
inputs: {hosts: {type: array, items: {type: string}}}
steps:
  - id: open
    for_each: "{{ inputs.hosts }}"
    as: host
    key: "{{ host }}"
    max_parallel: 2
    uses: opsgenie.alert.create
    with: {message: "{{ host }} is down"}
  - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.open.outputs[0].alertId }}", note: seen}}
  - {id: pause, wait: 1h}
  - {id: close, uses: opsgenie.alert.close, with: {identifier: "{{ steps.open.outputs[0].alertId }}"}}
finally:
  - {id: last, uses: opsgenie.alert.create, with: {message: "run {{ run.status }}"}}
"""
"""For a service behind a socket."""


@dataclass(frozen=True)
class Scenario:
    """A runbook with its inputs and surroundings.

    Attributes:
        runbook: its path from the project's root, or its text.
        served: whether the service is another process, behind a socket.
        settings: its configuration; a path in it begins beside the state folder.
        retried: the run that is killed is the retry of one that has failed.
        log: a loop over what the service itself logged, where a repeatable write that was sent again shows once more.
    """

    name: str
    runbook: str
    inputs: tuple[str, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    faults: str | None = None
    served: bool = False
    retried: bool = False
    settings: str = ""
    log: str | None = None

    def path(self, folder: Path) -> str:
        if (ROOT / self.runbook.splitlines()[0]).is_file():
            return str(ROOT / self.runbook)
        file = folder / f"{self.name}.yaml"
        file.write_text(self.runbook)
        return str(file)


_COMPANY = {
    "teams": [{"name": "dba", "members": [{"username": "ana@example.com"}]}, {"name": "sre_leads"}],
    "escalations": [{"name": "dba_escalation", "team": "dba"}],
}
_INCIDENT = ("summary=db down", "service=db", "team=dba", "priority=P1")
_ACKNOWLEDGED = [{"after": "4m", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com"}]
_OPEN = [{"message": "database is slow"}, {"message": "disk full"}, {"message": "disk full"}]
_OLD = [{"message": f"old {day}", "createdAt": {"ago": f"{day}d"}} for day in (20, 30)]

GROWN = "audit: {segment: 1KiB, sinks: [{file: state/copy.jsonl, required: true}]}"
"""A log that goes on in a new file at every other event, and has a second place."""

SCENARIOS = (
    Scenario("incident-response", "runbooks/incident-response.yaml", (*_INCIDENT, "ack_within=3m"), _COMPANY),
    Scenario(
        "page-and-follow",
        "runbooks/page-and-follow.yaml",
        (*_INCIDENT[:3], "priority=P3"),
        _COMPANY | {"during": _ACKNOWLEDGED},
        log="timeline",
    ),
    Scenario("alert-triage", "runbooks/alert-triage.yaml", (), _COMPANY | {"alerts": _OPEN}),
    Scenario("stale-alerts", "runbooks/stale-alerts.yaml", (), {"alerts": _OLD}),
    Scenario(
        "nightly-hygiene",
        "runbooks/nightly-hygiene.yaml",
        (),
        {"alerts": _OLD, "users": [{"username": "ana@example.com"}], "schedules": [{"name": "duty"}]},
    ),
    Scenario("every", EVERY, ('hosts=["a", "b"]',), _COMPANY, "opsgenie.alert.get=http_503*2"),
    Scenario("trouble", TROUBLE, (), {}, "opsgenie.alert.create=lost,opsgenie.alert.get=http_503*2,opsgenie.user.create=lost"),
    Scenario("grown", TROUBLE, (), {}, "opsgenie.alert.create=lost", settings=GROWN),
    Scenario("again", AGAIN, ('users=["ana", "ben", "cem"]',), {}, "opsgenie.user.create=http_422*1+1", retried=True),
)
SERVED = Scenario("wire", WIRE, ('hosts=["a", "b", "c"]',), {"processing": 0}, served=True)
