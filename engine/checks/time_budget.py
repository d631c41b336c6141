"""RB212: waiting that is longer than the time there is.

The times of `wait` and the limits of `until`, where they are no templates, are added up over the steps that no condition may skip. When
they come to more than the `timeout` of the run or of the block, the run may end while it waits as it was told to.

Bad:

```yaml
timeout: 10m
steps:
  - uses: opsgenie.alert.get
    with: {identifier: "{{ inputs.alert }}"}
    until: {condition: result.acknowledged, timeout: 15m}
```

Good:

```yaml
timeout: 1h
steps:
  - uses: opsgenie.alert.get
    with: {identifier: "{{ inputs.alert }}"}
    until: {condition: result.acknowledged, timeout: 15m}
```

What to do: raise the `timeout`, or wait for less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine import duration
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Block, Path, Step, Wait

IDS: tuple[str, ...] = ("RB212",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every limit that the waiting below it exceeds."""
    budgets: list[tuple[Path, Any, Iterable[Step]]] = [(("timeout",), subject.runbook.timeout, subject.runbook.steps)]
    budgets += [
        ((*step.path, "timeout"), step.timeout, (*step.body.steps, *step.body.always))
        for step in subject.steps
        if isinstance(step.body, Block)
    ]
    for path, written, steps in budgets:
        limit, needed = _seconds(written), _waiting(steps)
        if limit and needed > limit:
            message = f"the steps may wait for {duration.spoken(needed)}, and the timeout is {duration.spoken(limit)}"
            yield subject.document.finding("RB212", message, path, severity="warning", hint="raise the timeout, or wait for less")


def _waiting(steps: Iterable[Step]) -> float:
    """Seconds of waiting that are written down, in steps that no condition may skip."""
    return sum(_one(step) for step in steps if step.condition is None)


def _one(step: Step) -> float:
    if step.until is not None:
        return _seconds(step.until.timeout)
    if isinstance(step.body, Block):
        return _waiting((*step.body.steps, *step.body.always))
    return _seconds(step.body.duration) if isinstance(step.body, Wait) else 0.0


def _seconds(written: Any) -> float:
    """Seconds of a duration as written; 0 for a template, or when there is none."""
    try:
        return duration.seconds(written) if isinstance(written, str) else 0.0
    except ValueError:
        return 0.0
