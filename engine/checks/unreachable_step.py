"""RB214: a step that can never run.

`return` and `fail` leave the list they stand in. Without an `if`, what follows them in the same list never runs.

Bad:

```yaml
steps:
  - fail: not ready yet
  - uses: core.log
    with: {message: never said}
```

Good:

```yaml
steps:
  - if: inputs.dry
    fail: not ready yet
  - uses: core.log
    with: {message: said when not dry}
```

What to do: give the `return` or `fail` an `if`, or delete what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Block, Fail, Return, Step

IDS: tuple[str, ...] = ("RB214",)


def check(subject: Subject) -> Iterator[Finding]:
    """The first unreachable step of every list."""
    for steps in _lists(subject):
        for step, following in pairwise(steps):
            if _leaves(step):
                message = f"this step never runs: the `{step.kind}` before it always leaves"
                hint = f"give the {step.kind} an if, or delete what follows"
                yield subject.document.finding("RB214", message, following.path, hint=hint)
                break


def _lists(subject: Subject) -> Iterator[tuple[Step, ...]]:
    yield subject.runbook.steps
    yield subject.runbook.finally_
    for step in subject.steps:
        if isinstance(step.body, Block):
            yield from (step.body.steps, step.body.rescue, step.body.always)


def _leaves(step: Step) -> bool:
    if step.condition is not None or step.for_each is not None:
        return False
    return isinstance(step.body, Return) or (isinstance(step.body, Fail) and not step.continue_on_error)
