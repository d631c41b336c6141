"""RB210: a template or a condition that cannot be taken.

It cannot be read, names a filter or a test that there is not, or holds a construct that a runbook may not hold: calls, assignments,
names that start with an underscore, arithmetic beyond `+` and `-`.

Bad:

```yaml
steps:
  - if: "{{ inputs.team }} != ''"
    uses: core.log
    with: {message: "{{ inputs.team | uper }}"}
```

Good:

```yaml
steps:
  - if: inputs.team != ""
    uses: core.log
    with: {message: "{{ inputs.team | upper }}"}
```

What to do: follow the hint. A condition is written without braces; text that should hold two braces is written `{{ "{{" }}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB210",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every template and condition that is refused."""
    for site in subject.sites:
        if site.fault is not None:
            yield subject.at(site, "RB210", site.fault.message, fragment=site.fault.fragment, hint=site.fault.hint)
