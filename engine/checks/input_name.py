"""RB203: an input or a var that the runbook does not declare.

`inputs.x` needs an `x` under `inputs:`, `vars.x` one under `vars:`. Vars are computed in order, so a var can read only those above it.

Bad:

```yaml
inputs:
  service: {type: string}
vars:
  alias: "{{ inputs.servce }}-alias"
```

Good:

```yaml
inputs:
  service: {type: string}
vars:
  alias: "{{ inputs.service }}-alias"
```

What to do: declare the name, correct it, or move the var that is read up.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.advice import did_you_mean
from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB203",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every read of an input or a var that is not there."""
    for site in subject.sites:
        for reference in site.references:
            root, *rest = reference.path
            if root not in ("inputs", "vars") or root not in site.view.names or not rest:
                continue
            known = site.view.names[root]["properties"]
            if rest[0] not in known:
                message, hint = _told(root, str(rest[0]), known, subject)
                yield subject.at(site, "RB203", message, fragment=reference.fragment, hint=hint)


def _told(root: str, name: str, known: dict[str, object], subject: Subject) -> tuple[str, str | None]:
    if root == "vars" and name in subject.runbook.vars:
        return f"vars.{name} is computed after this place", "vars are computed in order: move it up"
    kind = {"inputs": "input", "vars": "var"}[root]
    return f"there is no {kind} `{name}`", did_you_mean(name, known) or f"declare it under {root}:"
