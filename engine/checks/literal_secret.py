"""RB209: a secret written into the runbook.

A runbook is read by many and kept in version control. Looked for: the forms of well-known tokens, `GenieKey …`, `Bearer …`, `Basic …`, a password inside
a URL, and any fixed text in a field whose name says that it holds a secret. The value itself is never shown.

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
# opsbook.yaml
connections:
  opsgenie:
    region: eu
    keys: [{kind: integration, secret: "env:OPSGENIE_INTEGRATION_KEY"}]
```

What to do: take the value out, and change the secret if the file was ever shared; keys belong to the configuration, by reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import Finding
from engine.model import Path
from engine.site import Site
from engine.subject import Subject

IDS = ("RB209",)

_NAME = re.compile(r"(pass(word|wd|phrase)|secret|(?<!page)token|api[-_]?key|genie[-_]?key|private[-_]?key|authorization|credentials?)\Z", re.IGNORECASE)
_MARK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_FORMS: Mapping[str, re.Pattern[str]] = {
    "an API key": re.compile(r"\bGenieKey\s+[0-9a-f]{8}-?[0-9a-f]{4}", re.IGNORECASE),
    "an access token": re.compile(
        r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|glsa_\w{20,}|xox[abpr]-[\w-]{10,}|sk-[\w-]{20,}|AKIA[0-9A-Z]{16})"
    ),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
    "credentials of a request": re.compile(r"\A\s*(Bearer|Basic)\s+[\w+/=.~-]{8,}", re.IGNORECASE),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@", re.IGNORECASE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}


def check(subject: Subject) -> Iterator[Finding]:
    """Every text that looks like a secret; its line is not shown."""
    for path, text in (*_written(subject.sites), *_declared(subject)):
        what = _secret(path, text)
        if what is not None:
            message = f"{_spelled(path)} looks like {what}; a runbook must not hold secrets"
            finding = subject.document.finding("RB209", message, path, hint="take it out and change it; keys belong to the configuration, by reference")
            yield replace(finding, source=None, width=1)


def _written(sites: tuple[Site, ...]) -> Iterator[tuple[Path, str]]:
    return ((site.path, site.source) for site in sites if not site.bare)


def _declared(subject: Subject) -> Iterator[tuple[Path, str]]:
    for name, declared in subject.runbook.inputs.items():
        if isinstance(declared.get("default"), str):
            yield ("inputs", name, "default"), declared["default"]


def _secret(path: Path, text: str) -> str | None:
    fixed = _MARK.sub("", text)
    for what, form in _FORMS.items():
        if form.search(fixed):
            return what
    named = any(_NAME.search(str(part)) for part in _names(path))
    return "a secret, by the name of the field" if named and fixed == text and fixed.strip() else None


def _names(path: Path) -> tuple[Any, ...]:
    """What the field is called: the last name; for the default of an input, the input's."""
    return tuple(part for part in path if isinstance(part, str) and part not in ("default", "value"))[-1:]


def _spelled(path: Path) -> str:
    return str(_names(path)[0]) if _names(path) else "this text"
