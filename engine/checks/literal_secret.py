"""RB209: a secret written into the runbook.

A runbook is read by many and kept in version control. Looked for: the forms of well-known tokens, `GenieKey …`, `Bearer …`, `Basic …`, a
password inside a URL, and any fixed text in a field whose name says that it holds a secret. The value itself is never shown.

Bad:

```yaml
steps:
  - uses: core.http
    with:
      method: GET
      url: https://grafana.example.com/api/health
      headers: {X-Api-Key: 0a1b2c3d4e5f}
```

Good:

```yaml
secrets: [GRAFANA_KEY]                # in opsbook.yaml: secrets: {GRAFANA_KEY: "env:GRAFANA_KEY"}
steps:
  - uses: core.http
    with:
      method: GET
      url: https://grafana.example.com/api/health
      auth: {header: {name: X-Api-Key, value: "{{ secrets.GRAFANA_KEY }}"}}
```

What to do: take the value out, and change the secret if the file was ever shared; secrets belong to the configuration, by reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Path

IDS: tuple[str, ...] = ("RB209",)

_NAME = re.compile(
    r"(pass(word|wd|phrase)|bearer|secret|(?<!page)token|(api|genie|private)[-_]?key|authorization|credentials?)\Z", re.IGNORECASE
)
_ENTRY = re.compile(r"([\w-]+)[\"']?\s*:\s+[\"']?(?!\{)[^\s\"']")
_OWN_HEADER = ("auth", "header", "value")
_MARK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_FORMS: Mapping[str, re.Pattern[str]] = {
    "an API key": re.compile(r"\bGenieKey\s+[0-9a-f]{8}-?[0-9a-f]{4}", re.IGNORECASE),
    "an access token": re.compile(
        r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|glsa_\w{20,}|xox[abpr]-[\w-]{10,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16})"
    ),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
    "credentials of a request": re.compile(r"\b(Bearer|Basic)\s+(?=[\w+/=.~-]*\d)[\w+/=.~-]{12,}", re.IGNORECASE),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@", re.IGNORECASE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


def check(subject: Subject) -> Iterator[Finding]:
    """Every text of the document that looks like a secret; its line is not shown."""
    for path, text in _texts(subject.document.value):
        what = _secret(path, text)
        if what is not None:
            message = f"{_name(path) or 'this text'} looks like {what}; a runbook must not hold secrets"
            hint = "take it out and change it; keys belong to the configuration, by reference"
            yield subject.document.finding("RB209", message, path, hint=hint)


def hidden(found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, of whatever check, without the source of lines that hold a secret, nor a secret in their words."""
    known = list(found)
    lines = {finding.place.line for finding in known if finding.id == "RB209" and finding.place}
    for finding in known:
        secret = (finding.place is not None and finding.place.line in lines) or _tells(finding.source or "")
        told = replace(finding, message=_masked(finding.message), hint=finding.hint and _masked(finding.hint))
        yield replace(told, source=None, width=1) if secret else told


def _masked(text: str) -> str:
    """A message without the key that was written where a word belongs, and is quoted as unknown."""
    for form in _FORMS.values():
        text = form.sub("***", text)
    return text


def _tells(line: str) -> bool:
    return _form(line) is not None or any(_NAME.search(entry[1]) for entry in _ENTRY.finditer(line))


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, (*path, index))


def _form(text: str) -> str | None:
    return next((what for what, form in _FORMS.items() if form.search(text)), None)


def _secret(path: Path, text: str) -> str | None:
    fixed = _MARK.sub("", text)
    named = fixed == text and fixed.strip() and (_NAME.search(_name(path)) or path[-3:] == _OWN_HEADER)
    return _form(fixed) or ("a secret, by the name of the field" if named else None)


def _name(path: Path) -> str:
    """What the field is called: the last name; for the default of an input or the value of an output, its own."""
    return next((part for part in reversed(path) if isinstance(part, str) and part not in ("default", "value")), "")
