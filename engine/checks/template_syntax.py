"""RB210: a template or a condition that cannot be taken.

It cannot be read, names a filter or a test that there is not, or holds a construct that a runbook may not hold: calls, assignments,
names that start with an underscore, arithmetic beyond `+` and `-`. Keys are no templates: one that holds braces would be taken as it is.

Bad:

```yaml
steps:
  - if: "{{ inputs.team }} != ''"
    uses: core.log
    with: {message: "{{ inputs.team | uper }}"}
```

Good:

```yaml
steps:
  - if: inputs.team != ""
    uses: core.log
    with: {message: "{{ inputs.team | upper }}"}
```

What to do: follow the hint. A condition is written without braces; text that should hold two braces is written `{{ "{{" }}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from engine import template
from engine.analysis.site import Site
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Path

IDS: tuple[str, ...] = ("RB210",)

_HOLE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_RENDERED = ("vars", "steps", "finally", "outputs")


def check(subject: Subject) -> Iterator[Finding]:
    """Every template and condition that is refused, and every key that was meant as one."""
    for site in subject.sites:
        for fault in _faults(site):
            yield subject.at(site, "RB210", fault.message, fragment=fault.fragment, hint=fault.hint)
    for path in _keys({name: subject.document.value.get(name) for name in _RENDERED}):
        message = "a key is not a template: this one stays as it is written"
        yield subject.document.finding("RB210", message, path, key=True, hint="write the key out; only values are rendered")


def _faults(site: Site) -> Iterable[template.TemplateError]:
    """What is refused in a site: Jinja stops at the first, so every hole is looked at by itself where the faults can be told apart."""
    if site.fault is None:
        return ()
    holes = () if site.bare else _HOLE.findall(site.source)
    found = {fault.fragment: fault for fault in map(_fault, holes) if fault is not None and fault.fragment}
    return found.values() if site.fault.fragment in found else (site.fault,)


def _fault(hole: str) -> template.TemplateError | None:
    try:
        template.text(hole)
    except template.TemplateError as error:
        return error
    return None


def _keys(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every key that holds a template."""
    if isinstance(value, dict):
        for name, part in value.items():
            if "{{" in name or "{%" in name:
                yield (*path, name)
            yield from _keys(part, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _keys(item, (*path, index))
