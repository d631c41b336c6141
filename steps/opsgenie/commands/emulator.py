"""`emulator serve`: the embedded Opsgenie for any client."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from engine.contracts import CommandLine
from engine.errors import UsageError

if TYPE_CHECKING:
    from steps.opsgenie.emulator import EmulatorKey, RequestLine
    from steps.opsgenie.emulator.server import EmulatorServer


@click.group()
def emulator() -> None:
    """The embedded Opsgenie."""


@emulator.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option("--state", type=click.Path(), help="Who and what is there, and what people do meanwhile (YAML).")
@click.option("--faults", metavar="LIST", help="What goes wrong, such as opsgenie.alert.create=lost.")
@click.pass_obj
def serve(line: CommandLine, host: str, port: int, state: str | None, faults: str | None) -> int:
    """Serve the embedded Opsgenie over HTTP until SIGTERM, for any client. Each request is said on standard error."""
    from steps.opsgenie.emulator import Emulator, parse_faults
    from steps.opsgenie.emulator.server import serve as listen

    made = Emulator(
        clock=line.surroundings().clock, state=line.load_mapping(state) if state else None, faults=parse_faults(faults) if faults else ()
    )
    made.watch = _say_request
    try:
        server = listen(made, host=host, port=port)
    except OSError as error:
        raise UsageError(
            f"port {port} of {host} cannot be listened on: {error.strerror}", hint="give another --port; 0 takes a free one"
        ) from None
    if line.json:
        print(json.dumps({"url": server.url, **_told_keys(made.keys)}), flush=True)
    else:
        line.say(f"Opsgenie emulator at {server.url}; stop it with Ctrl-C.")
        for key in made.keys:
            line.say(f"  {key.kind} key{f' of {key.team}' if key.team else ''}: {key.value}")
    _until_signal(server)
    return 0


def _told_keys(keys: Sequence[EmulatorKey]) -> dict[str, Any]:
    """Every key as a client needs to know it, and under `keys` the first of each kind."""
    every = [{"kind": key.kind, "team": key.team, "rights": list(key.rights), "key": key.value} for key in keys]
    return {"keys": {key.kind: key.value for key in reversed(keys)}, "all_keys": every}


def _say_request(request: RequestLine) -> None:
    """One line on standard error for each request, as it is answered."""
    from steps.parsing import printable

    answer = request.status or "no answer"
    click.echo(f"{request.time:%H:%M:%S} {request.authorization}: {request.method} {printable(request.path)} → {answer}", err=True)


def _until_signal(server: EmulatorServer) -> None:
    """Serves until SIGTERM or SIGINT."""
    over = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    over.wait()
    server.shutdown()
