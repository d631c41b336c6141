"""What an event says to people, and how grave it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]

GRAVE = {"failed": "error", "in_doubt": "error", "interrupted": "warning", "cancelled": "warning"}
"""Level of what ended so; of anything else, info."""
QUIET = frozenset({"carried", "moment", "secret.resolved", "step.intent", "step.result", "wait.ended", "wait.started"})
"""Events that only somebody who looks closely wants."""


def of(event: str, fields: Fields) -> tuple[str, str]:
    """The level and the message of an event."""
    told = _MESSAGES.get(event)
    return _level(event, fields), told(fields) if told else event


def _level(event: str, fields: Fields) -> str:
    if event == "said":
        return str(fields["level"])
    if event in ("step.ended", "run.ended", "run.parked"):
        level = GRAVE.get(fields["status"], "info")
        return "warning" if fields.get("continued") else level
    if event in ("step.doubt", "warned"):
        return "warning"
    if event == "command.failed":
        return "error"
    return "debug" if event in QUIET else "info"


def _ended(what: str) -> Callable[[Fields], str]:
    return lambda fields: f"{what} {fields['status']}{' (kept)' if fields.get('kept') else ''}{_why(fields)}"


def _why(fields: Fields) -> str:
    return f": {fields['error']['message']}" if fields.get("error") else ""


def _request(fields: Fields) -> str:
    return f"{fields['method']} {fields['host']}{fields['path']}" if "path" in fields else str(fields["action"])


def _answer(fields: Fields) -> str:
    answer = fields.get("answer") or {}
    status, took = answer.get("status"), answer.get("took")
    return f"{fields['action']} {fields['outcome']}{f' with {status}' if status else ''}{f' in {took} s' if took else ''}{_why(fields)}"


_MESSAGES: dict[str, Callable[[Fields], str]] = {
    "command.failed": lambda fields: str(fields["error"]["message"]),
    "doubt.decided": lambda fields: f"a person decided about {fields['key']}: {fields['decision']}",
    "run.carried": lambda _: "what the run before had done is taken over",
    "run.cancelling": lambda _: "the run was cancelled; its finally runs",
    "run.ended": _ended("run"),
    "run.parked": _ended("run"),
    "run.resumed": lambda fields: f"run resumed by {fields['actor']['user']} ({fields['actor']['trigger']})",
    "run.started": lambda fields: f"run started by {fields['actor']['user']} ({fields['actor']['trigger']})",
    "said": lambda fields: str(fields["message"]),
    "secret.resolved": lambda fields: f"secret resolved: {fields['reference']}",
    "step.doubt": lambda fields: f"{fields['action']}: no answer is known{_why(fields)}",
    "step.ended": _ended("step"),
    "step.intent": _request,
    "step.result": _answer,
    "step.skipped": lambda fields: f"step skipped: not {fields['condition']}",
    "step.started": lambda fields: f"step started: {fields['uses']}",
    "wait.ended": lambda _: "wait ended",
    "warned": lambda fields: str(fields["message"]),
    "wait.started": lambda fields: f"waiting until {fields['until']}",
}
