"""RB202: a name, or a step, that cannot be seen from here.

Steps run in the order they are written, so a step can read those before it in its list and in the lists around it; the steps of a block
can be read after the block. `rescue` sees the steps of its block, `always` sees both, `finally` sees everything. `result` is there in
`until` and `expect`, `error` in `rescue` and `retry.if`, a loop's item inside the loop.

Bad:

```yaml
steps:
  - uses: core.log
    with: {message: "opened {{ steps.create.outputs.alertId }}"}
  - id: create
    uses: opsgenie.alert.create
    with: {message: disk full}
```

Good:

```yaml
steps:
  - id: create
    uses: opsgenie.alert.create
    with: {message: disk full}
  - uses: core.log
    with: {message: "opened {{ steps.create.outputs.alertId }}"}
```

What to do: move the step that is read up, or correct its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.advice import did_you_mean
from engine.analysis.site import Site
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.language.notices import WORDS
from engine.model import Step
from engine.template import Reference

IDS: tuple[str, ...] = ("RB202",)

_WHERE = {
    "result": "`result` is there in until and expect only",
    "error": "`error` is there in rescue and retry.if only; elsewhere read steps.<id>.error",
    "loop": "`loop` is there inside for_each only",
    "item": "`item` is there inside for_each only",
    "now": "`now` is there in steps and vars only",
}


def check(subject: Subject) -> Iterator[Finding]:
    """Every reference to a name that is not there, or to a step that has not run."""
    steps = {step.id: step for step in subject.steps}
    for site in subject.sites:
        for reference in site.references:
            told = _problem(site, reference, steps)
            if told is not None:
                message, hint = told
                yield subject.at(site, "RB202", message, fragment=reference.fragment, hint=hint)


def _problem(site: Site, reference: Reference, steps: Mapping[str, Step]) -> tuple[str, str | None] | None:
    root, *rest = reference.path
    is_told_after = site.path[0] in WORDS
    if root != "steps" or is_told_after:
        if root in site.view.names:
            return None
        where = None if is_told_after else _WHERE.get(str(root))
        known = [*site.view.names] if is_told_after else [*site.view.names, "steps"]
        return f"there is no `{root}` here", where or did_you_mean(str(root), known)
    name = str(rest[0]) if rest else None
    if name is None or name in site.view.ran:
        return None
    return _unseen(site, name, steps)


def _unseen(site: Site, name: str, steps: Mapping[str, Step]) -> tuple[str, str | None]:
    """Why a step cannot be read from here."""
    step = steps.get(name)
    if step is None:
        return f"there is no step `{name}`", did_you_mean(name, [known for known, one in steps.items() if one.named])
    if site.step is not None and step is site.step:
        return f"step `{name}` reads itself before it has ended", "in until and expect, its outputs are `result`"
    if site.path[: len(step.path)] == step.path:
        return f"step `{name}` is around this place and has not ended", "read the steps inside it instead"
    return f"step `{name}` runs after this place", "move it up, or read it in a later step"
