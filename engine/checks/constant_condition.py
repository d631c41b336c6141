"""RB207: a condition that always comes out the same.

A value compared with a word it never is, or a condition without anything that changes. One that can never hold is an error: what stands
behind it never runs. One that always holds, or a part of a larger condition, is a warning.

Bad:

```yaml
inputs:
  priority: {type: string, enum: [P1, P2, P3]}
steps:
  - if: inputs.priority == "p1"
    uses: core.log
    with: {message: urgent}
```

Good:

```yaml
inputs:
  priority: {type: string, enum: [P1, P2, P3]}
steps:
  - if: inputs.priority == "P1"
    uses: core.log
    with: {message: urgent}
```

What to do: compare with one of the values there are, or leave the condition out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from engine.analysis.site import Site
from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB207",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every condition that is settled before the run."""
    for site, problem in subject.problems("impossible_comparison"):
        yield subject.at(site, "RB207", problem.message, fragment=problem.fragment, hint=problem.hint)
    for site, problem in subject.problems("constant_condition"):
        yield subject.at(site, "RB207", problem.message, fragment=problem.fragment, hint=problem.hint, severity=_severity(site))


def _severity(site: Site) -> Literal["error", "warning"]:
    return "error" if site.bare and site.schema.get("const") is False else "warning"
