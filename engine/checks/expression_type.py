"""RB208: a value of the wrong type.

A template that is exactly one `{{ … }}` keeps its type, and that type must be what the field takes: a list where text is wanted fails
the step. The same goes for what operators and filters take, for the list of `for_each`, and for the durations of `wait`, `until` and
`timeout`.

Bad:

```yaml
inputs:
  users: {type: string}
steps:
  - for_each: "{{ inputs.users }}"
    uses: core.log
    with: {message: "{{ item }}"}
```

Good:

```yaml
inputs:
  users: {type: array, items: {type: string}}
steps:
  - for_each: "{{ inputs.users }}"
    uses: core.log
    with: {message: "{{ item }}"}
```

What to do: read another field, or change the value's type: `| int`, `| string`, `| tojson`, `| split(",")`, `| join(", ")`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.site import Site
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.inference import compatible
from engine.schema import spell_path

IDS: tuple[str, ...] = ("RB208",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every operand of a type its operator does not take, and every template whose value the field does not take."""
    for site, problem in subject.problems("type_mismatch"):
        yield subject.at(site, "RB208", problem.message, fragment=problem.fragment, hint=problem.hint)
    for site in subject.sites:
        if _is_forgotten_list(site):
            yield subject.at(site, "RB208", "for_each is text, and a list is needed", hint=_list_hint(site))
        reason = _misfit(site)
        if reason is not None:
            yield subject.at(site, "RB208", reason, hint="read another field, or change the type: | int, | string, | tojson, | split")


def _is_forgotten_list(site: Site) -> bool:
    """Whether a loop goes over plain text; other fields with plain text in them are compared with their schema by the loader."""
    return site.is_static and site.path[-1] == "for_each"


def _list_hint(site: Site) -> str:
    source = site.source.strip()
    named = source.partition(".")[0] in {*site.view.names, "steps"}
    return f'write "{{{{ {source} }}}}"' if named else "write a list, or a template that gives one"


def _misfit(site: Site) -> str | None:
    if site.bare or site.is_static or site.wanted is None:
        return None
    below = site.path[len(site.step.path) :] if site.step is not None else site.path
    return compatible(site.schema, site.wanted, spell_path(below).lstrip("."))
