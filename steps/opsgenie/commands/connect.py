"""`connect`: a service, by a key that somebody has made."""

from __future__ import annotations

from typing import Any

import click

from engine.contracts import CommandLine
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.settings import HOSTS, RIGHTS


@click.group()
def connect() -> None:
    """Connect a service: asks for what is needed, tries the key by reads, saves where it lives."""


def _where_keys_are_made() -> str:
    told = [f"{kind}: {found.menu}. For {found.purpose}. Made by {found.makers}; {found.plans}." for kind, found in KINDS.items()]
    return "Where each kind of key is made:\n\n" + "\n\n".join(told)


@connect.command(epilog=_where_keys_are_made())
@click.option("--name", default="opsgenie", show_default=True, help="Of the connection; opsgenie steps use the one called opsgenie.")
@click.option("--region", type=click.Choice([*HOSTS]), help="Where the account lives.")
@click.option("--url", help="Instead of a region: the address of an emulator or a proxy.")
@click.option("--kind", type=click.Choice([*KINDS]), help="Kind of key.")
@click.option("--team", help="The team that a key of kind team belongs to.")
@click.option("--rights", help=f"What the key was granted, with commas: {', '.join(RIGHTS)}.")
@click.option("--key-from", metavar="REFERENCE", help="Where the key lives, such as env:NAME; never the key itself.")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input and store it where --key-from says (keyring:, file:).")
@click.option("--project/--user", default=None, help="Save into the project's opsbook.yaml, or the user's own; the user's by default.")
@click.option("--check/--no-check", default=True, help="Try the key before it is saved; yes by default.")
@click.option("--proxy", help="An HTTP proxy, such as http://proxy:3128.")
@click.option("--ca-file", help="Certificates to trust instead of the well-known ones.")
@click.argument("rest", nargs=-1, metavar="")
@click.pass_obj
def opsgenie(line: CommandLine, /, rest: tuple[str, ...], **flags: Any) -> int:
    """Connect an Opsgenie account.

    Asks for what the flags do not say. Sends reads only, and the key only to the region that was named. Run it again to add another
    key to the same connection. Exit code 4 when the key is refused, 5 when the service cannot be reached: nothing is saved then.
    """
    from pathlib import Path

    from engine.errors import Interrupted, UsageError
    from steps.opsgenie.connecting import Wishes, find, read_rights, refuse_keys, save

    refuse_keys([*rest, flags["rights"]])
    if rest:
        raise UsageError("this command takes flags only", hint="opsbook connect opsgenie --help")
    if flags["region"] and flags["url"]:
        raise UsageError("--region and --url exclude each other", hint="the address of a region is known")
    settings = {name: flags[name] for name in ("region", "url", "proxy", "ca_file") if flags[name]}
    if "ca_file" in settings:
        settings["ca_file"] = str(Path(settings["ca_file"]).absolute())
    wishes = Wishes(
        name=flags["name"],
        settings=settings,
        kind=flags["kind"],
        team=flags["team"],
        rights=None if flags["rights"] is None else read_rights(flags["rights"]),
        key_from=flags["key_from"],
        key_given=flags["key_stdin"],
        project=flags["project"],
        check=flags["check"],
    )
    try:
        found = find(line, wishes)
    except (click.Abort, KeyboardInterrupt):
        line.say("")  # past the question
        raise Interrupted("it was broken off; nothing was saved", ends=True) from None
    save(line, wishes.name, found)
    return 0
