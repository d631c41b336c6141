"""One command line's flags, and how it speaks: to people, as one JSON document, or not at all."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import Invalid, KeyProblem, OpsbookError

Row = TypeVar("Row")

if TYPE_CHECKING:
    from engine.contracts import Listener
    from engine.redaction import Redactor


class Session:
    """The global flags, and standard output and error. The `obj` of every click context.

    Attributes:
        quiet: say nothing unless the command fails; then everything.
        verbose: say each request too.
        json: one document on standard output, messages on standard error.
        acts: the command carries a run out: its exit code says how that went, whatever becomes of the output.
        log_level, log_format, log_file: how the log is wanted.
        told: hears warnings, and why the command failed, once there may be a log.
        about: which run or runbook the command is about, for the log.
        noticed: a service was told that the command failed.
        redactor: what the command's keys are hidden by, once it may read any; the last filter before both streams.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.json = False
        self.color: str | None = None
        self.no_input = False
        self.config: str | None = None
        self.acts = False
        self.redactor: Redactor | None = None
        self.log_level: str | None = None
        self.log_format: str | None = None
        self.log_file: str | None = None
        self.told: Listener | None = None
        self.about: dict[str, str] = {}
        self.noticed = False
        self._held: list[str] = []
        self._logged: list[str] | None = None

    @property
    def colour(self) -> bool:
        """Whether messages may be coloured."""
        if self.color in ("always", "never"):
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        return bool(os.environ.get("FORCE_COLOR")) or self.interactive

    @property
    def interactive(self) -> bool:
        """Whether messages go to a terminal."""
        stream = sys.stderr if self.json else sys.stdout
        return stream.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, message: str) -> None:
        """A message for people: held back while quiet. A log on standard error takes its place there."""
        if self.quiet:
            self._held.append(message)
        elif not (self.json and self._logged is not None):
            print(self._hidden(message), file=sys.stderr if self.json else sys.stdout, flush=True)

    def log(self, line: str) -> None:
        """A line of the log, on standard error: held back while quiet."""
        if self._logged is None:
            self._logged = []
        if self.quiet:
            self._logged.append(line)
        else:
            print(self._hidden(line), file=sys.stderr, flush=True)

    def warn(self, message: str) -> None:
        """Something is wrong that fails nothing; said even while quiet."""
        if self.told is not None:
            self.told("warned", {**self.about, "message": message})
        else:
            self.warned(message)

    def warned(self, message: str) -> None:
        """Says a warning, unless a log on standard error does."""
        from engine.redaction import one_line

        if self._logged is not None and not self.quiet:
            return
        label = "\x1b[1;33mwarning\x1b[0m" if self.colour else "warning"
        print(f"{label}: {one_line(self._hidden(message))}", file=sys.stderr, flush=True)

    @property
    def wanted_log(self) -> dict[str, str]:
        """How the flags want the log."""
        wanted = {"level": self.log_level, "format": self.log_format, "file": self.log_file}
        return {name: value for name, value in wanted.items() if value is not None}

    def _hidden(self, text: str) -> str:
        return self.redactor.text(text) if self.redactor else text

    def print_json(self, document: Any) -> None:
        """The one document on standard output."""
        from engine.redaction import clean_json

        shown = self.redactor.value(document) if self.redactor else document
        print(clean_json(jsonlib.dumps(shown, indent=2, ensure_ascii=False, default=str)))

    def list_rows(self, rows: Sequence[Row], line: Callable[[Row], str], nothing: str) -> None:
        """Rows as one document, or each in a line; `nothing` is said where there are none."""
        if self.json:
            self.print_json(rows)
            return
        for message in map(line, rows) if rows else (nothing,):
            self.say(message)

    def tell_held(self) -> None:
        """Says what was held back: a quiet command has failed."""
        for message in self._held if self._logged is None else self._logged:
            print(self._hidden(message), file=sys.stderr)
        self._held.clear()
        self._logged = self._logged and []

    def fail(self, error: BaseException) -> int:
        """Says what went wrong and returns the exit code."""
        told = _failure(error)
        if self.told is not None:
            self.told("command.failed", {**self.about, **told})
            self.told.flush()
        if self.json:
            self.print_json(told)
        self.tell_held()
        if self._logged is None:
            self._explain(error)
        return error.exit_status if isinstance(error, OpsbookError) else 1

    def _explain(self, error: BaseException) -> None:
        findings = getattr(error, "findings", ())
        if not isinstance(error, OpsbookError):
            self.error(f"opsbook itself has a fault: {_fault(error)}", "please report it, with the command and this line")
        elif findings:
            from engine.report import text

            files = sorted({finding.place.file for finding in findings if finding.place})
            print(self._hidden(text.render(findings, files, colour=self.colour)), file=sys.stderr)
            if isinstance(error, (Invalid, KeyProblem)) and not self.noticed:
                print("Nothing was sent.", file=sys.stderr)
        else:
            self.error(error.message, error.hint)

    def error(self, message: str, hint: str | None) -> None:
        """Says what went wrong, and what to do about it."""
        from engine.redaction import one_line

        label = "\x1b[1;31merror\x1b[0m" if self.colour else "error"
        print(f"{label}: {one_line(self._hidden(message))}", file=sys.stderr)
        if hint:
            print(f"  → {one_line(self._hidden(hint))}", file=sys.stderr)


def finding_value(finding: Any) -> dict[str, Any]:
    """A finding as documents show it."""
    place = finding.place
    at = {"file": place.file, "line": place.line, "column": place.column} if place else {"file": None, "line": None, "column": None}
    return {**at, "id": finding.id, "severity": finding.severity, "message": finding.message, "hint": finding.hint}


def _failure(error: BaseException) -> dict[str, Any]:
    """An error as documents and the log show it."""
    if not isinstance(error, OpsbookError):
        return {"error": {"message": _fault(error), "code": "fault", "hint": None}}
    findings = [finding_value(finding) for finding in getattr(error, "findings", ())]
    told = {"message": error.message, "code": error.code, "hint": error.hint}
    return {"error": told} | ({"findings": findings} if findings else {})


def _fault(error: BaseException) -> str:
    return f"{type(error).__name__} at {_where(error)}"


def _where(error: BaseException) -> str:
    """The innermost place of an unexpected error, as module and line: no values, so no secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
