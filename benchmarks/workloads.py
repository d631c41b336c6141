"""What is measured: runbooks written for the purpose, and the plain script that makes the same calls."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN = Path(__file__).with_name("plain.py")

_HEAD = "apiVersion: runbook/v1\nname: bench\ndescription: A benchmark.\n"
_LOOP = """\
inputs:
  items: {{type: array, maxItems: 100000, items: {{type: string}}}}
steps:
  - id: each
    for_each: "{{{{ inputs.items }}}}"
    max_parallel: {parallel}
    uses: opsgenie.request
    with: {{method: POST, path: /v2/teams, body: {{name: "{{{{ item }}}}"}}}}
"""


@dataclass(frozen=True)
class Workload:
    """One command to measure.

    Attributes:
        name: W1 …; the rows of the table.
        by: "opsbook" or "plain httpx".
        calls: how many requests the server must see.
        slow: whether it talks to the server that takes its time.
        first: whether it begins with an empty state folder; else the runbook is unchanged since a run before.
    """

    name: str
    by: str
    command: tuple[str, ...]
    calls: int
    slow: bool = False
    first: bool = False


def plain(name: str, url: str, calls: int) -> Workload:
    return Workload(name, "plain httpx", (sys.executable, str(PLAIN), url, str(calls)), calls)


def cold(folder: Path, *, first: bool = False) -> Workload:
    """One step."""
    return replace(_opsbook("W1", folder, _chain(1), 1), name="W1 first" if first else "W1", first=first)


def chained(folder: Path, steps: int) -> Workload:
    """Steps that each use the answer of the one before."""
    return _opsbook("W2", folder, _chain(steps), steps)


def loop(name: str, folder: Path, items: int, parallel: int, *, slow: bool = False) -> Workload:
    """A loop over many items, some side by side."""
    inputs = folder / f"{name}.json"
    inputs.write_text(json.dumps({"items": [f"team-{number:06}" for number in range(items)]}))
    return _opsbook(name, folder, _HEAD + _LOOP.format(parallel=parallel), items, "--inputs-file", str(inputs), slow=slow)


def _chain(steps: int) -> str:
    lines = [_HEAD + "steps:\n"]
    for number in range(steps):
        name = f"{{{{ steps.s{number - 1}.outputs.data.id }}}}" if number else "start"
        given = f'{{method: POST, path: /v2/teams, body: {{name: "{name}"}}}}'
        lines.append(f"  - id: s{number}\n    uses: opsgenie.request\n    with: {given}\n")
    return "".join(lines)


def _opsbook(name: str, folder: Path, runbook: str, calls: int, *more: str, slow: bool = False) -> Workload:
    path = folder / f"{name}.yaml"
    path.write_text(runbook)
    config = folder / ("slow.yaml" if slow else "fast.yaml")
    return Workload(name, "opsbook", (sys.executable, "-m", "engine", "--config", str(config), "run", "-q", str(path), *more), calls, slow)


def write_config(path: Path, url: str) -> None:
    """The configuration: one connection to the server."""
    key = '{kind: account, secret: "env:BENCH_KEY"}'
    path.write_text(f"connections:\n  opsgenie:\n    service: opsgenie\n    url: {url}\n    keys: [{key}]\n")
