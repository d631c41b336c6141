"""What Opsgenie adds to the command line: one file a command, and the table that lists them."""

from __future__ import annotations

import click

from steps.opsgenie.commands.connect import connect
from steps.opsgenie.commands.demo import demo
from steps.opsgenie.commands.emulator import emulator

COMMANDS: dict[str, click.Command] = {
    "connect": connect,
    "demo": demo,
    "emulator": emulator,
}
