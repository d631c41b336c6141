"""`demo`: a whole incident, without an account."""

from __future__ import annotations

import click

from engine.contracts import CommandLine

DEMO_STATE = {
    "teams": [{"name": "dba", "members": [{"username": "ana@example.com"}]}, {"name": "sre_leads"}],
    "users": [{"username": "ana@example.com", "fullName": "Ana Ops", "role": "User"}],
    "escalations": [{"name": "dba_escalation", "team": "dba"}],
    "during": [{"after": "4m", "do": "opsgenie.alert.acknowledge", "as": "ana@example.com"}],
}
"""A small company, in which Ana takes four minutes to wake up and acknowledge."""

DEMO_INPUTS = ("summary=Database is not answering", "service=db", "priority=P1", "team=dba")


@click.command()
@click.option("--faults", metavar="LIST", help="What goes wrong, such as opsgenie.alert.create=lost.")
@click.pass_obj
def demo(line: CommandLine, faults: str | None) -> int:
    """A whole incident on the embedded Opsgenie: raised, routed, acknowledged, closed. No account is needed."""
    line.say("An incident on the embedded Opsgenie; its clock is virtual, so the waits cost no time.")
    return line.run_runbook(line.shipped_runbook("page-and-follow"), DEMO_INPUTS, emulator_state=DEMO_STATE, faults=faults)
