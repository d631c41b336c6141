"""Report formats: the findings of a validation, one file a format, and the page that shows a run (`html_page`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.errors import Finding
from engine.report import github, json_document, junit, sarif, text


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
