"""RB221: a trigger that gives the runbook wrong inputs.

What a trigger gives under `inputs` is held against the inputs that the runbook declares, as if somebody had given it: a name that the
runbook does not have, a value that breaks the input's schema, an input without a default that is missing. The values are taken as they
are: a template in one would be handed on as text.

Bad:

```yaml
inputs:
  days: {type: integer}
triggers:
  - {cron: "0 3 * * *", inputs: {day: "30"}}
```

Good:

```yaml
inputs:
  days: {type: integer}
triggers:
  - {cron: "0 3 * * *", inputs: {days: 30}}
```

What to do: give each input by its name and in its type, or declare a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine import schema
from engine.advice import did_you_mean
from engine.analysis.subject import Subject
from engine.checks import declared_schema
from engine.errors import Finding
from engine.model import Path

IDS: tuple[str, ...] = ("RB221",)


def check(subject: Subject) -> Iterator[Finding]:
    """What each trigger gives too much, too little and wrong."""
    if next(iter(declared_schema.check(subject)), None) is not None:
        return  # no value can be held against a schema that is none
    for index, trigger in enumerate(subject.runbook.triggers):
        path: Path = ("triggers", index)
        below: Path = (*path, "inputs")
        yield from _unknown(subject, trigger.inputs, below)
        missing = [name for name, declared in subject.runbook.inputs.items() if name not in trigger.inputs and "default" not in declared]
        if missing:
            hint = f"add inputs: {{{', '.join(f'{name}: …' for name in missing)}}}, or give it a default"
            yield subject.document.finding("RB221", f"the trigger does not give {', '.join(missing)}", path, hint=hint)


def _unknown(subject: Subject, given: Any, below: Path) -> Iterator[Finding]:
    known = subject.runbook.inputs
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, known) if known else "the runbook takes no inputs"
            yield subject.document.finding("RB221", f"the runbook has no input {name!r}", (*below, name), key=True, hint=hint)
        elif isinstance(value, str) and "{{" in value:
            yield subject.document.finding("RB221", f"{name}: a template is not evaluated here", (*below, name), hint="write the value")
        else:
            for problem in schema.problems(value, known[name]):
                message = f"{name}{schema.spell_path(problem.path)}: {problem.message}"
                yield subject.document.finding("RB221", message, (*below, name, *problem.path), key=problem.key, hint=problem.hint)
