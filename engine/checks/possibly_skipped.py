"""RB205: outputs of a step that may not have any.

A step that was skipped, or that failed, has no outputs: reading them fails the reader. A step may have none when it or its block has an
`if`, when it has `continue_on_error`, when it stands in `rescue`, or in a block that has a `rescue`. In `finally` that is true of every
step of the main part, since the run may have ended before it.

Bad:

```yaml
steps:
  - id: find
    if: inputs.priority == "P1"
    uses: opsgenie.alert.get
    with: {identifier: "{{ inputs.alias }}", identifierType: alias}
  - uses: core.log
    with: {message: "owner {{ steps.find.outputs.owner }}"}
```

Good:

```yaml
steps:
  - id: find
    if: inputs.priority == "P1"
    uses: opsgenie.alert.get
    with: {identifier: "{{ inputs.alias }}", identifierType: alias}
  - uses: core.log
    if: steps.find.status == "succeeded"
    with: {message: "owner {{ steps.find.outputs.owner }}"}
```

What to do: test `steps.X.status == "succeeded"` or `steps.X.outputs is defined` in the reader's `if` or in the template, repeat the same
`if`, or give a value for its absence: `{{ steps.find.outputs.owner | default("nobody") }}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB205",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every unguarded read of outputs that may be absent."""
    for site in subject.sites:
        for reference in site.references:
            if reference.guarded or len(reference.path) < 3 or reference.path[0] != "steps" or reference.path[2] != "outputs":
                continue
            name = str(reference.path[1])
            doubts = site.view.doubts(name) if name in site.view.ran else ()
            if doubts:
                message = f"step `{name}` may have no outputs: {doubts[0].why}"
                hint = f'guard it with steps.{name}.status == "succeeded", or give it a value with default(…)'
                yield subject.at(site, "RB205", message, fragment=reference.fragment, hint=hint)
