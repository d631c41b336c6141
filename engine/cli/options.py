"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from engine.cli.session import Session


def inputs_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-i` and `--inputs-file`."""
    command = click.option("--inputs-file", type=click.Path(), help="A YAML or JSON mapping of inputs.")(command)
    return click.option(
        "-i", "--input", "given", multiple=True, metavar="NAME=VALUE", help="An input; NAME=@file.csv, .json or .yaml reads a file."
    )(command)


def emulator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--emulator`, `--emulator-state` and `--faults`."""
    command = click.option("--faults", metavar="LIST", help="What goes wrong on the emulator, such as opsgenie.alert.create=lost.")(command)
    command = click.option("--emulator-state", type=click.Path(), help="Who and what is there, and what people do meanwhile (YAML).")(
        command
    )
    return click.option("--emulator", is_flag=True, help="Use the embedded Opsgenie and a virtual clock: no account, no waiting.")(command)


def surroundings(session: Session, flags: Mapping[str, Any], **more: Any) -> Any:
    """What the flags of `run` and `plan` say about the surroundings, as engine.app.Options. Raises Invalid."""
    from engine.app import Options

    return Options(
        config=session.config,
        connection=flags["connection"],
        emulator=flags["emulator"] or flags["emulator_state"] is not None,
        emulator_state=load_state(flags["emulator_state"]),
        emulator_faults=flags["faults"],
        **more,
    )


def load_state(path: str | None) -> Mapping[str, Any] | None:
    """The emulator's state before a run, which knows where each part of it stands. Raises Invalid."""
    if path is None:
        return None
    from engine import source
    from engine.contracts import FromFile
    from engine.errors import Finding, Invalid

    document = source.load(path)
    value = document.value
    if not isinstance(value, dict):
        raise Invalid([Finding("RB121", "error", f"{path} must hold a mapping such as teams: [{{name: dba}}]")])
    return FromFile(value, document.finding)
