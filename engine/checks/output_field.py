"""RB201: a field that is not there.

A template reads a field which the schema of the outputs (or of a list's item, an error, a loop's item) does not have. Field names are
the vendor's own, letter for letter, so a slip of case is enough. Before the run, this is a typing error; in it, a failed step.

Bad:

```yaml
steps:
  - id: create
    uses: opsgenie.alert.create
    with: {message: disk full}
  - uses: opsgenie.alert.close
    with: {identifier: "{{ steps.create.outputs.alertID }}"}
```

Good:

```yaml
steps:
  - id: create
    uses: opsgenie.alert.create
    with: {message: disk full}
  - uses: opsgenie.alert.close
    with: {identifier: "{{ steps.create.outputs.alertId }}"}
```

What to do: take the name that the hint offers; `opsbook steps show NAME` lists a step's outputs. After a loop, the outputs are a list: take
one item, or use `map`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB201",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every read of a field that its schema does not have."""
    for site, problem in subject.problems("no_such_field"):
        yield subject.at(site, "RB201", problem.message, fragment=problem.fragment, hint=problem.hint)
