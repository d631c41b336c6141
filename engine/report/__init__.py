"""Report formats: the findings of a validation, and a run; one file a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from engine.errors import Finding
from engine.report import github, html_page, json_document, junit, sarif, text


class Render(Protocol):
    """Turns findings into one text that ends with a newline."""

    def __call__(self, findings: Sequence[Finding], files: Sequence[str]) -> str:
        """The report on `files`, all that were looked at, with or without findings."""


FORMATS: Mapping[str, Render] = {
    "github": github.render,
    "json": json_document.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "text": text.render,
}

RUN_FORMATS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "html": html_page.render,
}
"""What can show a run, by the ending of the report's name; JSON is the run's own document."""
