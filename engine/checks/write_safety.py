"""RB211: a write that may be made twice, or to more than was meant.

Four habits are looked for. A loop of writes without `key`: items are then told apart by their place, and a list that has changed when
the run is resumed moves every place. `retry` with an `if` of its own on a write that cannot be told from its repetition: the error it
lets through may be one whose effect is already there. `retry` on such a write, or on a block that holds one: without `if` it does not
help the write, since a lost answer is never asked for again, and it makes the whole block again. A loop that deletes or closes what an
unlimited list found.

Bad:

```yaml
steps:
  - id: stale
    uses: opsgenie.alert.list
    with: {query: "status: open AND createdAt < 1700000000"}
  - for_each: "{{ steps.stale.outputs.items }}"
    uses: opsgenie.alert.close
    with: {identifier: "{{ item.id }}"}
```

Good:

```yaml
steps:
  - id: stale
    uses: opsgenie.alert.list
    with: {query: "status: open AND createdAt < 1700000000", limit: 50}
  - for_each: "{{ steps.stale.outputs.items }}"
    key: "{{ item.id }}"
    uses: opsgenie.alert.close
    with: {identifier: "{{ item.id }}"}
```

What to do: give the loop a `key` that stays with the item, leave `retry` to reads, give the list a `limit`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.contracts import Step as StepType
from engine.errors import Finding
from engine.model import Block, Step, Uses, walk

IDS: tuple[str, ...] = ("RB211",)

_BULK = (".delete", ".close")


def check(subject: Subject) -> Iterator[Finding]:
    """Every write of one of the four habits."""
    by_id = {step.id: step for step in subject.steps}
    for step in subject.steps:
        if step.for_each is not None:
            yield from _keyless(subject, step)
            yield from _unlimited(subject, step, by_id)
        if step.retry is not None:
            yield from _retried(subject, step)


def _keyless(subject: Subject, step: Step) -> Iterator[Finding]:
    assert step.for_each is not None
    writes = [kind.name for kind in _kinds(subject, step) if kind.effect == "write"]
    if writes and step.for_each.key is None:
        message = f"a loop of {writes[0]} has no key: a resumed run tells its items apart by their place only"
        hint = f'add key: "{{{{ {step.for_each.name}.… }}}}" with what stays the same for an item'
        yield subject.document.finding("RB211", message, (*step.path, "for_each"), key=True, severity="warning", hint=hint)


def _unlimited(subject: Subject, step: Step, by_id: dict[str, Step]) -> Iterator[Finding]:
    ends = [kind.name for kind in _kinds(subject, step) if kind.name.endswith(_BULK)]
    if not ends:
        return
    path = (*step.path, "for_each")
    for site in (site for site in subject.sites if site.path == path):
        for reference in site.references:
            listed = by_id.get(str(reference.path[1])) if reference.path[0] == "steps" and len(reference.path) > 1 else None
            if listed is not None and _is_unlimited(subject, listed):
                message = f"{ends[0]} is done to everything that step `{listed.id}` finds, which has no limit"
                hint = f"give {listed.id} a limit"
                yield subject.at(site, "RB211", message, fragment=reference.fragment, hint=hint, severity="warning")


def _is_unlimited(subject: Subject, step: Step) -> bool:
    kind = subject.kind(step)
    limited = isinstance(step.body, Uses) and "limit" in step.body.given
    return kind is not None and "limit" in kind.inputs.get("properties", {}) and not limited


def _retried(subject: Subject, step: Step) -> Iterator[Finding]:
    assert step.retry is not None
    path = (*step.path, "retry") if step.retry.condition is None else (*step.path, "retry", "if")
    for kind in _kinds(subject, step):
        asked = step.retry.condition is not None or kind.needs  # a program, or a request of one's own, fails with a reason one can know
        if asked and kind.effect == "write" and kind.listing().get("idempotency") == "once":
            message = f"{kind.name} cannot be told from its repetition, and {_risk(step)}"
            hint = f"leave {'.'.join(map(str, path[len(step.path) :]))} out: what is safe to repeat is repeated anyway"
            yield subject.document.finding("RB211", message, path, key=True, severity="warning", hint=hint)


def _risk(step: Step) -> str:
    """What a retry comes to for a write that is made once."""
    if step.retry is not None and step.retry.condition is not None:
        return "retry.if may repeat it after it was done"
    return "retry makes the whole block again" if isinstance(step.body, Block) else "retry does not repeat it when its answer is lost"


def _kinds(subject: Subject, step: Step) -> Iterator[StepType]:
    """The operations of a step and of the steps inside it."""
    return filter(None, map(subject.kind, walk((step,))))
