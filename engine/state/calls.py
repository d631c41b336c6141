"""Every call that the audit log tells of: what a key did, and what touched an alert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from engine.audit import journal
from engine.secret import told
from engine.state import LOG

OUTCOMES = {"step.doubt": "in doubt", "step.intent": "unknown"}
"""What became of a call whose last event this is; a result says it itself."""


def every(places: Sequence[Path]) -> list[dict[str, Any]]:
    """The calls of some runs, in order: each its intent as the log has it, with `outcome`, and the `answer` or `error` it had."""
    return [call for place in places for call in _of_run(place)]


def _of_run(place: Path) -> Iterator[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    latest: dict[str, dict[str, Any]] = {}
    for event in journal.events(place / LOG):
        name, key = event.get("event"), event.get("key", "")
        if name == "step.intent":
            latest[key] = {**event, "outcome": OUTCOMES[name]}
            calls.append(latest[key])
        elif name in ("step.result", "step.doubt") and key in latest:
            latest[key]["outcome"] = event.get("outcome", OUTCOMES["step.doubt"])
            latest[key] |= {field: event[field] for field in ("answer", "error") if field in event}
    return iter(calls)


def chosen(calls: Sequence[dict[str, Any]], *, key: str | None = None, alert: str | None = None) -> list[dict[str, Any]]:
    """Those made with a key (its reference, kind or fingerprint) and about an alert (its id, alias or short id)."""
    found = [call for call in calls if key is None or _is_with(call, key)]
    if alert is None:
        return found
    followed = _followed(calls)
    names = {alert} | {_id(call) for call in calls if alert in _names(call, followed)} - {None}
    return [call for call in found if names & _names(call, followed)]


def _is_with(call: Mapping[str, Any], key: str) -> bool:
    """Whether a key was used that is asked for as the log tells it, or as the configuration may have it: a path may be relative there."""
    used = (call.get("key_used") or {}).values()
    source, _, path = key.partition(":")
    return told(key) in used or (source == "file" and any(str(one).endswith(f"/{path.removeprefix('./')}") for one in used))


Followed = Mapping[tuple[Any, Any], set[str]]
"""By run and id of an accepted request, the names in the answers about it."""


def _followed(calls: Sequence[Mapping[str, Any]]) -> Followed:
    found: dict[tuple[Any, Any], set[str]] = {}
    for call in calls:
        request = call.get("ids", {}).get("requestId")
        if request:
            found.setdefault((call.get("run"), request), set()).update(_answered(call).values())
    return found


def _names(call: Mapping[str, Any], followed: Followed) -> set[str | None]:
    """Every name that a call, its answer, or what became of it gives the alert it is about."""
    request = (call.get("answer") or {}).get("requestId")
    return _given(call) | set(_answered(call).values()) | followed.get((call.get("run"), request), set())


def _given(call: Mapping[str, Any]) -> set[str | None]:
    """How the call itself names an alert: in its path, or in the body of a new one."""
    _, about, rest = call.get("path", "").partition("/alerts")
    if not about:
        return set()
    return {call["ids"].get("identifier"), call["ids"].get("alias"), unquote(rest.strip("/").partition("/")[0])} - {None, ""}


def _answered(call: Mapping[str, Any]) -> Mapping[str, str]:
    names: Mapping[str, str] = (call.get("answer") or {}).get("names", {})
    return names


def _id(call: Mapping[str, Any]) -> str | None:
    return _answered(call).get("alertId")
