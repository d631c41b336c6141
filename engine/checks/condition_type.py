"""RB206: a condition that is not true or false.

A condition must be boolean by itself: text, numbers and lists are never taken as true. What is not compared with anything is most often a
condition half written.

Bad:

```yaml
inputs:
  team: {type: string}
steps:
  - if: inputs.team
    uses: core.log
    with: {message: for a team}
```

Good:

```yaml
inputs:
  team: {type: string}
steps:
  - if: inputs.team != ""
    uses: core.log
    with: {message: for a team}
```

What to do: compare the value with something: `x != ""`, `x > 0`, `x | length > 0`, `x is defined`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB206",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every condition of another type."""
    for site, problem in subject.problems("not_boolean"):
        yield subject.at(site, "RB206", problem.message, fragment=problem.fragment, hint=problem.hint)
