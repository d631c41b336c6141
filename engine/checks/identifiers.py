"""RB213: a name that stands for two things.

Ids live in one namespace of the runbook, those inside blocks and loops included: of two steps with one id, only one could be read. The
`as` of a loop must not hide a name of the context, nor the item of the loop around it, and the `key` of a loop must tell its items apart.

Bad:

```yaml
steps:
  - {id: note, uses: core.log, with: {message: first}}
  - {id: note, uses: core.log, with: {message: second}}
```

Good:

```yaml
steps:
  - {id: first_note, uses: core.log, with: {message: first}}
  - {id: second_note, uses: core.log, with: {message: second}}
```

What to do: give one of them another name.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Block, Step

IDS: tuple[str, ...] = ("RB213",)

_CONTEXT = frozenset({"error", "inputs", "loop", "now", "result", "run", "secrets", "steps", "vars"})


def check(subject: Subject) -> Iterator[Finding]:
    """Every id that stands twice, and every loop's name that hides another."""
    lines: dict[str, int] = {}
    for step in subject.steps:
        path = (*step.path, "id")
        if step.named and step.id in lines:
            message = f"the id `{step.id}` stands already on line {lines[step.id]}"
            yield subject.document.finding("RB213", message, path, hint="give one of them another id")
        elif step.named:
            lines[step.id] = subject.document.place(path).line
        if step.for_each is not None and step.for_each.key is not None:
            yield from _same_for_all(subject, step, step.for_each.name)
    for steps in (subject.runbook.steps, subject.runbook.finally_):
        yield from _hidden(subject, steps, frozenset())


def _same_for_all(subject: Subject, step: Step, item: str) -> Iterator[Finding]:
    """A key that says nothing of the item: two items would have the same."""
    path = (*step.path, "key")
    sites = [site for site in subject.sites if site.path == path]
    if not any(reference.path[0] in (item, "loop") for site in sites for reference in site.references):
        hint = f'write key: "{{{{ {item}.… }}}}" with what tells one item from another'
        yield subject.document.finding("RB213", f"the key is the same for every item: it does not name `{item}`", path, hint=hint)


def _hidden(subject: Subject, steps: tuple[Step, ...], around: frozenset[str]) -> Iterator[Finding]:
    for step in steps:
        name = step.for_each.name if step.for_each is not None else None
        if name is not None and name in _CONTEXT | around:
            what = "a name of the context" if name in _CONTEXT else "the item of the loop around it"
            key = "as" if name != "item" else "for_each"
            yield subject.document.finding(
                "RB213", f"the loop's `{name}` hides {what}", (*step.path, key), hint="give it another name with as:"
            )
        if isinstance(step.body, Block):
            inside = around | {name} if name is not None else around
            yield from _hidden(subject, (*step.body.steps, *step.body.rescue, *step.body.always), inside)
