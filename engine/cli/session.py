"""One command line's flags, and how it speaks: to people, as one JSON document, or not at all."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from typing import TYPE_CHECKING, Any

from engine.errors import Invalid, KeyProblem, OpsbookError

if TYPE_CHECKING:
    from engine.redaction import Redactor


class Session:
    """The global flags, and standard output and error. The `obj` of every click context.

    Attributes:
        quiet: say nothing unless the command fails; then everything.
        verbose: say each request too.
        json: one document on standard output, messages on standard error.
        acts: the command carries a run out: its exit code says how that went, whatever becomes of the output.
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
        self._held: list[str] = []

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
        """A message for people: held back while quiet."""
        if self.quiet:
            self._held.append(message)
        else:
            print(self._hidden(message), file=sys.stderr if self.json else sys.stdout, flush=True)

    def _hidden(self, text: str) -> str:
        return self.redactor.text(text) if self.redactor else text

    def print_json(self, document: Any) -> None:
        """The one document on standard output."""
        from engine.redaction import clean_json

        shown = self.redactor.value(document) if self.redactor else document
        print(clean_json(jsonlib.dumps(shown, indent=2, ensure_ascii=False, default=str)))

    def tell_held(self) -> None:
        """Says what was held back: a quiet command has failed."""
        for message in self._held:
            print(self._hidden(message), file=sys.stderr)
        self._held.clear()

    def fail(self, error: BaseException) -> int:
        """Says what went wrong and returns the exit code."""
        self.tell_held()
        if isinstance(error, OpsbookError):
            self._explain(error)
            return error.exit_status
        fault = f"{type(error).__name__} at {_where(error)}"
        if self.json:
            self.print_json({"error": {"message": fault, "code": "fault", "hint": None}})
        self.error(f"opsbook itself has a fault: {fault}", "please report it, with the command and this line")
        return 1

    def _explain(self, error: OpsbookError) -> None:
        findings = getattr(error, "findings", ())
        if self.json:
            listed = [finding_value(finding) for finding in findings]
            extra = {"findings": listed} if findings else {}
            self.print_json({"error": {"message": error.message, "code": error.code, "hint": error.hint}, **extra})
        if findings:
            from engine.report import text

            files = sorted({finding.place.file for finding in findings if finding.place})
            print(self._hidden(text.render(findings, files, colour=self.colour)), file=sys.stderr)
            if isinstance(error, (Invalid, KeyProblem)):
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


def _where(error: BaseException) -> str:
    """The innermost place of an unexpected error, as module and line: no values, so no secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
