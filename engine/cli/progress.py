"""What people see of a run: one line a step, and in the end what happened, where it is written down, and what to type next."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from engine import duration
from engine.cli.session import Session
from engine.redaction import clean, one_line
from engine.state import history

MARKS = {"succeeded": ("✔", "32"), "failed": ("✘", "31"), "skipped": ("·", "90"), "cancelled": ("·", "90"), "in_doubt": ("?", "33")}


def _set_in(text: str) -> str:
    """Text of several lines, none of which begins where a line of ours does."""
    return clean(text).replace("\n", "\n      ")


class Progress:
    """Hears a run's events."""

    def __init__(self, session: Session) -> None:
        session.acts = True
        self._session = session
        self._live = session.interactive and not session.quiet and not session.json
        self._began: dict[str, float] = {}
        self._uses: dict[str, str] = {}
        self._items: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._requests: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Takes in one event."""
        with self._lock:
            if event == "step.started":
                self._start(fields)
            elif event in ("step.ended", "step.skipped"):
                self._end(fields, fields.get("status", "skipped"))
            elif event == "said":
                self._say(fields["message"], fields["level"])
            elif event == "warned":
                self._session.warned(fields["message"])
            elif self._session.verbose:
                self._detail(event, fields)

    def flush(self) -> None:
        """Each line is said at once."""

    def _detail(self, event: str, fields: Mapping[str, Any]) -> None:
        """What only `-v` shows: waits, and each request with its answer."""
        if event == "wait.started":
            self._line(f"    waiting until {fields['until']}")
        elif event == "step.intent" and "path" in fields:
            self._requests[fields["key"]] = f"{fields['method']} {fields['host']}{history.path(fields)}"
        elif event in ("step.result", "step.doubt") and fields["key"] in self._requests:
            answer = fields["answer"]["status"] if "answer" in fields else fields["error"]["message"]
            self._line(f"    {one_line(self._requests.pop(fields['key']))} → {one_line(str(answer))}")

    def _say(self, message: str, level: str) -> None:
        """What a step tells people."""
        self._line(f"    {'' if level == 'info' else level + ': '}{_set_in(message)}")

    def _start(self, fields: Mapping[str, Any]) -> None:
        self._began[fields["key"]] = time.monotonic()
        self._uses[fields["key"]] = fields["uses"]
        if fields.get("of") is not None:
            self._totals[fields["step"]] = fields["of"]
        if self._live and fields.get("item") is None:
            print(f"  … {fields['step']}  {fields['uses']}", end="\r", flush=True)

    def _end(self, fields: Mapping[str, Any], status: str) -> None:
        self._session.noticed = self._session.noticed or fields["step"] == "run.on_failure"
        item = fields.get("item")
        began, uses = self._began.pop(fields["key"], None), self._uses.pop(fields["key"], "")
        if item is not None and status in ("succeeded", "skipped"):
            self._count(fields["step"])
            return
        mark, colour = MARKS[status]
        took = "skipped" if began is None else "kept" if fields.get("kept") else duration.spoken(time.monotonic() - began)
        name = fields["step"] if item is None else f"{fields['step']}[{one_line(item)}]"
        error = f"  {one_line(fields['error']['message'])}" if fields.get("error") else ""
        passed_over = " (went on)" if fields.get("continued") else ""
        self._line(f"  {self._paint(mark, colour)} {name}  {uses}  {took}{error}{passed_over}")

    def _count(self, step: str) -> None:
        """A loop on a terminal: how many items are done."""
        self._items[step] = self._items.get(step, 0) + 1
        if self._live:
            print(f"  … {step}  {self._items[step]} of {self._totals.get(step, '?')}", end="\r", flush=True)

    def _line(self, text: str) -> None:
        self._session.say(("\x1b[2K" if self._live else "") + text)

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._session.colour else text

    def close(self, result: Any, *, report: str | None) -> None:
        """The ending."""
        document = result.document
        mark, colour = MARKS.get(document["status"], ("!", "33"))
        took = f" ({document['status']})"
        self._line(f"{self._paint(mark, colour)} {document['runbook']} {document['run_id']}{took}")
        if result.error is not None:
            self._line(f"  error: {one_line(result.error.message)}")
            if result.error.hint:
                self._line(f"  → {one_line(result.error.hint)}")
        for name, value in document["outputs"].items():
            self._line(f"  {name}: {one_line(str(value))}")
        audit = document["audit"]
        self._line(f"  audit: {audit['path']} ({audit['events']} events, head {audit['head'][:16]})")
        if report:
            self._line(f"  report: {report}")
        self._line(f"  next: {self._next(document)}")

    @staticmethod
    def _next(document: dict[str, Any]) -> str:
        if document["status"] == "succeeded":
            return f"opsbook audit show --run {document['run_id']}"
        if document["status"] == "interrupted":
            return f"opsbook resume {document['run_id']}"
        if document["status"] == "in_doubt":
            return f"look whether it was done; then opsbook resume {document['run_id']} --on-doubt skip, resend or fail"
        return f"mend the cause; then opsbook retry {document['run_id']} (what was done is kept; --use-new takes the mended runbook)"
