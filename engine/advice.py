"""Advice on a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FEW = 12
"""So many words may be listed in full."""

ELSEWHERE: Final[dict[str, str]] = {
    "args": "with",
    "assert": "expect",
    "condition": "if",
    "foreach": "for_each",
    "forks": "max_parallel",
    "ignore_errors": "continue_on_error",
    "items": "for_each",
    "jobs": "steps",
    "loop": "for_each",
    "on_error": "rescue",
    "on_failure": "rescue",
    "parameters": "inputs",
    "params": "inputs",
    "register": "id",
    "tasks": "steps",
    "variables": "vars",
    "when": "if",
    "with_items": "for_each",
}
"""Words of Ansible, GitHub Actions and their like, and what they are called here."""

_COMMAND: Final = "write uses: core.command with: {argv: [program, argument]}"
_ORDER: Final = "steps run in the order they are written: put it after what it needs"
_START: Final = 'write triggers: [{cron: "0 3 * * *", timezone: Europe/Berlin}]'

ABSENT: Final[dict[str, str]] = {
    "approval": "there is no approval in this version: end the runbook before it, and start the next one by hand",
    "command": _COMMAND,
    "debug": "write uses: core.log",
    "depends_on": _ORDER,
    "exec": _COMMAND,
    "hosts": "steps run on this machine alone",
    "needs": _ORDER,
    "on": _START,
    "parallel": "there is no parallel in this version: for_each with max_parallel does one step for many items at a time",
    "run": _COMMAND,
    "schedule": _START,
    "script": _COMMAND,
    "set_fact": "write uses: core.set",
    "shell": _COMMAND,
    "sleep": "write wait: 10m",
    "switch": "there is no switch in this version: give each step an if",
}
"""Words that have no key of their own here, and what to do instead."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, whatever the case; None when none is like it."""
    from difflib import get_close_matches

    lower = {option.lower(): option for option in known}
    near = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to this one, or all of them when they are few."""
    options = list(known)
    near = closest(word, options)
    if near:
        return f"did you mean {near}?"
    return f"known here: {', '.join(options)}" if 0 < len(options) <= FEW else None


def elsewhere(word: str, known: Iterable[str]) -> str | None:
    """The key that a word from another language stands for here, where that is one of the known."""
    meant = ELSEWHERE.get(word)
    return meant if meant in set(known) else None
