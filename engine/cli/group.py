"""The command group: every command by name, each imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

import click

from engine.advice import did_you_mean
from engine.cli.session import Session
from engine.version import VERSION

COMMANDS = {
    "audit": "engine.cli.audit:audit",
    "cancel": "engine.cli.cancel:cancel",
    "completion": "engine.cli.completion:completion",
    "connections": "engine.cli.connections:connections",
    "doctor": "engine.cli.doctor:doctor",
    "plan": "engine.cli.plan:plan",
    "resume": "engine.cli.resume:resume",
    "retry": "engine.cli.retry:retry",
    "run": "engine.cli.run:run",
    "runs": "engine.cli.runs:runs",
    "schedule": "engine.cli.schedule:schedule",
    "schema": "engine.cli.catalogue:schema",
    "steps": "engine.cli.catalogue:steps",
    "validate": "engine.cli.validate:validate",
}
"""Name → `module:command`; what providers add is asked of them."""


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Keeps a global flag wherever it stands; the one nearer to the end wins."""
    if value is not None and value is not False and value != ():
        assert param.name is not None
        setattr(ctx.ensure_object(Session), param.name, value)
    return value


def global_options() -> list[click.Option]:
    """The flags every command takes, before and after the verb."""

    def option(*names: str, **about: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_set, **about)

    return [
        option("-q", "--quiet", "quiet", is_flag=True, help="Silent when all is well."),
        option("-v", "--verbose", "verbose", is_flag=True, help="Say each request."),
        option("--json", "json", is_flag=True, help="One JSON document on standard output."),
        option(
            "--color", "color", type=click.Choice(["auto", "always", "never"]), help="Colours: auto unless NO_COLOR or FORCE_COLOR is set."
        ),
        option("--no-input", "no_input", is_flag=True, help="Never ask."),
        option("--config", "config", type=click.Path(), help="The configuration file."),
        option(
            "--log-level",
            "log_level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            help="Log what is done, from this level on.",
        ),
        option(
            "--log-format",
            "log_format",
            type=click.Choice(["people", "json", "journald"]),
            help="Log in this form: what suits the place unless given.",
        ),
        option("--log-file", "log_file", type=click.Path(), help="Log to the end of this file, instead of to standard error."),
    ]


class Group(click.Group):
    """A group whose commands are imported late, take the global flags, and are suggested when mistyped."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, those of providers included."""
        del ctx
        return sorted({*COMMANDS, *_provided()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, ready to take the global flags."""
        del ctx
        command = _load(COMMANDS[cmd_name]) if cmd_name in COMMANDS else _provided().get(cmd_name)
        return None if command is None else with_global_options(command)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; a mistyped one gets advice."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            advice = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"There is no command {args[0]!r}; {advice or 'see opsbook --help'}", ctx) from error


def with_global_options(command: click.Command) -> click.Command:
    """A command, and the commands below it, with the global flags added once."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_global_options(below)
    taken = {flag for param in command.params for flag in param.opts}
    command.params.extend(option for option in global_options() if taken.isdisjoint(option.opts))
    return command


def _load(place: str) -> click.Command:
    module, _, attribute = place.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def _provided() -> dict[str, click.Command]:
    from engine.catalog import Catalog
    from engine.project import PROVIDERS

    catalog = Catalog(PROVIDERS)
    providers = [catalog.provider(prefix) for prefix in catalog.prefixes]
    return {command.name: command for provider in providers if provider for command in provider.commands()}


root = Group(
    name="opsbook",
    params=[*global_options()],
    help="Runbooks in YAML, with Opsgenie steps: validated, planned, carried out once, audited.\n\nStart with: opsbook demo",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
)
root = click.version_option(VERSION, prog_name="opsbook")(root)
