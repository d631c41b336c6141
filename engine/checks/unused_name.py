"""RB215: an input, a var or a secret that nothing reads.

Whoever starts the runbook is asked for an input that makes no difference; most often its name is misspelled where it should be read. A
secret that nothing takes must be there all the same before the run begins.

Bad:

```yaml
inputs:
  summary: {type: string}
  team: {type: string}
steps:
  - uses: core.log
    with: {message: "{{ inputs.summary }}"}
```

Good:

```yaml
inputs:
  summary: {type: string}
steps:
  - uses: core.log
    with: {message: "{{ inputs.summary }}"}
```

What to do: read it, or delete it.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB215",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every declared name without a reader."""
    read = {reference.path[:2] for site in subject.sites for reference in site.references}
    unread = [site.source for site in subject.sites if site.fault is not None]
    runbook = subject.runbook
    for root, kind, names in (("inputs", "input", runbook.inputs), ("vars", "var", runbook.vars), ("secrets", "secret", runbook.secrets)):
        for index, name in enumerate(names):
            named = (root,) in read or (root, name) in read or any(name in source for source in unread)
            if not named:
                message = f"nothing reads the {kind} `{name}`"
                path, key = ((root, index), False) if root == "secrets" else ((root, name), True)
                yield subject.document.finding("RB215", message, path, key=key, severity="warning", hint="read it, or delete it")
