"""The static checks of a runbook: one file a check, its page is its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from engine.advice import did_you_mean
from engine.analysis.subject import Check, Subject
from engine.checks import (
    condition_type,
    constant_condition,
    declared_schema,
    expression_type,
    identifiers,
    input_name,
    key_rights,
    literal_secret,
    output_field,
    possibly_skipped,
    secret_use,
    step_reference,
    template_syntax,
    time_budget,
    trigger_inputs,
    trigger_time,
    unreachable_step,
    unused_name,
    write_safety,
)
from engine.errors import Finding, UsageError
from engine.language import grammar_pages
from engine.source import Document

CHECKS: dict[str, Check] = {
    "condition_type": condition_type,
    "constant_condition": constant_condition,
    "declared_schema": declared_schema,
    "expression_type": expression_type,
    "identifiers": identifiers,
    "input_name": input_name,
    "key_rights": key_rights,
    "literal_secret": literal_secret,
    "output_field": output_field,
    "possibly_skipped": possibly_skipped,
    "secret_use": secret_use,
    "step_reference": step_reference,
    "template_syntax": template_syntax,
    "time_budget": time_budget,
    "trigger_inputs": trigger_inputs,
    "trigger_time": trigger_time,
    "unreachable_step": unreachable_step,
    "unused_name": unused_name,
    "write_safety": write_safety,
}


def findings(subject: Subject) -> list[Finding]:
    """Everything every check finds, in the order of the file, without what a `# noqa` on its line silences."""
    found = {finding for check in CHECKS.values() for finding in check.check(subject)}
    heard = (finding for finding in literal_secret.hidden(found) if not _silenced(subject.document, finding))
    return sorted(heard, key=_order)


def _order(finding: Finding) -> tuple[int, int, str, str]:
    line, column = (finding.place.line, finding.place.column) if finding.place else (0, 0)
    return line, column, finding.id, finding.message


def _silenced(document: Document, finding: Finding) -> bool:
    ids = document.noqa(finding.place.line) if finding.place else None
    return ids is not None and (not ids or finding.id in ids)


def pages() -> dict[str, str]:
    """The page of every id, in Markdown, those of the loader included."""
    return dict(sorted({**grammar_pages.PAGES, **dict(_pages())}.items()))


def _pages() -> Iterator[tuple[str, str]]:
    for check in CHECKS.values():
        for name in check.IDS:
            yield name, f"# {inspect.getdoc(check)}\n"


def explain(id: str) -> str:  # noqa: A002 - the name that findings have
    """The page of an id. Raises UsageError."""
    known = pages()
    page = known.get(id.upper())
    if page is None:
        raise UsageError(f"there is no check {id!r}", hint=did_you_mean(id, known))
    return page
