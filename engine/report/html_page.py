"""The page that shows a run: one self-contained HTML file without scripts, fit for a phone, a printer and a mail attachment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.redaction import clean

if TYPE_CHECKING:
    from jinja2 import Template

_TONES = {
    "succeeded": "good",
    "failed": "bad",
    "in_doubt": "bad",
    "waiting": "wait",
    "interrupted": "wait",
    "running": "wait",
}
_MOST_REQUESTS = 20
_MOST_CHARACTERS = 4000
_ONE_LINE = 72


def render(run: Mapping[str, Any]) -> str:
    """The page of a run, given the document of `run --json` and what else is known of it; what it is given is redacted already.

    Every key may be missing: `run_id, runbook, description, status, started_at, ended_at` (RFC 3339 or datetime), `trigger,
    actor {user, host}, inputs, outputs, steps [{id, name, uses, status, started_at, ended_at, attempts, error {message, status, code},
    items {total, succeeded, failed, skipped, failures [{item, message}]}, requests [{method, url, status, key {kind, reference}}]}],
    audit {path, events, head}, error {message, hint, code, status}, next`.
    """
    started, ended = _moment(run.get("started_at")), _moment(run.get("ended_at"))
    steps = [_step(step, started, ended) for step in _mappings(run.get("steps"))]
    return _template().render(
        run=run,
        word=_words(run.get("status")),
        tone=_TONES.get(str(run.get("status")), "calm"),
        facts=_facts(run, started, ended),
        steps=steps,
        values={title: _pairs(run.get(title)) for title in ("inputs", "outputs")},
        audit=_mapping(run.get("audit")),
        error=_error(run.get("error")),
    )


@cache
def _template() -> Template:
    from jinja2 import ChainableUndefined, Environment

    environment = Environment(autoescape=True, undefined=ChainableUndefined, finalize=_printable, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(Path(__file__).with_name("run.html.jinja").read_text(encoding="utf-8"))


def _printable(value: Any) -> Any:
    """Text from outside shows its control and bidi characters instead of obeying them."""
    if value is None:
        return ""
    return clean(value) if type(value) is str else value


def _facts(run: Mapping[str, Any], started: datetime | None, ended: datetime | None) -> list[tuple[str, str]]:
    actor = _mapping(run.get("actor"))
    who = "@".join(str(actor[part]) for part in ("user", "host") if actor.get(part))
    facts = [
        ("Run", str(run.get("run_id") or "")),
        ("Started", _stamp(started)),
        ("Ended", _stamp(ended)),
        ("Took", _duration(started, ended)),
        ("Trigger", _shown(run["trigger"]) if run.get("trigger") else ""),
        ("Started by", who),
    ]
    return [fact for fact in facts if fact[1]]


def _step(step: Mapping[str, Any], run_started: datetime | None, run_ended: datetime | None) -> dict[str, Any]:
    started, ended = _moment(step.get("started_at")), _moment(step.get("ended_at"))
    status = str(step.get("status") or "unknown")
    lines = _request_lines(_mappings(step.get("requests")))
    return {
        "title": step.get("name") or step.get("id") or step.get("uses"),
        "id": step.get("id") if step.get("name") else None,
        "uses": step.get("uses"),
        "word": _words(status),
        "tone": _TONES.get(status, "calm"),
        "attempts": step.get("attempts"),
        "at": started.strftime("%H:%M:%S") if started else "",
        "took": _duration(started, ended),
        "bar": _bar(run_started, run_ended, started, ended),
        "error": _error(step.get("error")),
        "items": _items(_mapping(step.get("items"))),
        "requests": lines[:_MOST_REQUESTS],
        "more": max(len(lines) - _MOST_REQUESTS, 0),
    }


def _items(items: Mapping[str, Any]) -> dict[str, Any] | None:
    """A loop: how far it came, with the share of each outcome in per cent."""
    counts = {name: _number(items.get(name)) for name in ("total", "succeeded", "failed", "skipped")}
    if not counts["total"]:
        return None
    shares = {f"{name}_share": min(100 * counts[name] / counts["total"], 100) for name in ("succeeded", "failed", "skipped")}
    return counts | shares | {"failures": _mappings(items.get("failures"))}


def _request_lines(requests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line a request; the same request again and again, as a poll sends it, is one line with a count."""
    lines = [
        (
            str(request.get("method") or ""),
            _path(str(request.get("url") or "")),
            str(request.get("status") or "no answer"),
            str(_mapping(request.get("key")).get("kind") or ""),
        )
        for request in requests
    ]
    names = ("method", "path", "status", "key")
    return [dict(zip(names, line, strict=True)) | {"times": len(list(same))} for line, same in groupby(lines)]


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _bar(
    run_started: datetime | None, run_ended: datetime | None, started: datetime | None, ended: datetime | None
) -> dict[str, float] | None:
    """Where the step lies within the run, in per cent of the run's time; never too thin to be seen."""
    if not (run_started and run_ended and started and ended) or run_ended <= run_started:
        return None
    whole = (run_ended - run_started).total_seconds()
    left = min(max((started - run_started).total_seconds() / whole * 100, 0), 99)
    width = min(max((ended - started).total_seconds() / whole * 100, 1), 100 - left)
    return {"left": round(left, 2), "width": round(width, 2)}


def _error(error: Any) -> dict[str, Any] | None:
    if not error:
        return None
    if not isinstance(error, Mapping):
        return {"message": str(error), "facts": "", "hint": None}
    facts = [str(error["code"])] if error.get("code") else []
    facts += [f"HTTP {error['status']}"] if error.get("status") else []
    return {"message": error.get("message") or "failed", "facts": " · ".join(facts), "hint": error.get("hint")}


def _pairs(values: Any) -> list[tuple[str, str]]:
    if isinstance(values, Mapping):
        return [(str(name), _shown(value)) for name, value in values.items()]
    return [("", _shown(values))] if values else []


def _shown(value: Any) -> str:
    """Text as it is, anything else as JSON: on one line where it fits."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > _ONE_LINE and not isinstance(value, str):
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    hidden = len(text) - _MOST_CHARACTERS
    return f"{text[:_MOST_CHARACTERS]}… ({hidden} more characters)" if hidden > 0 else text


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def _duration(started: datetime | None, ended: datetime | None) -> str:
    if not (started and ended):
        return ""
    seconds = max((ended - started).total_seconds(), 0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _words(status: Any) -> str:
    return str(status or "unknown").replace("_", " ")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []
