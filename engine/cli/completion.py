"""`completion`: shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from engine.cli.session import Session


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of SHELL; put `eval "$(opsbook completion bash)"` into its start-up file."""
    assert isinstance(ctx.obj, Session)
    maker = get_completion_class(shell)
    assert maker is not None
    print(maker(ctx.find_root().command, {}, "opsbook", "_OPSBOOK_COMPLETE").source())
    return 0
