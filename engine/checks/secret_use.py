"""RB217: a secret where none may stand, or one that the runbook does not list.

A secret is a name listed under `secrets:` at the top; the configuration says where it lives. `{{ secrets.NAME }}` is the whole value of a
field that takes one: `auth` of core.http (`bearer`, the `password` of `basic`, the `value` of `header`) and `env` of core.command.
Anywhere else it would end up in a note, a file, an output or a log, so it is refused there, in a run too.

Bad:

```yaml
secrets: [GRAFANA_TOKEN]
steps:
  - uses: core.http
    with:
      method: GET
      url: "https://grafana.example.com/api/health?token={{ secrets.GRAFANA_TOKEN }}"
```

Good:

```yaml
secrets: [GRAFANA_TOKEN]
steps:
  - uses: core.http
    with:
      method: GET
      url: https://grafana.example.com/api/health
      auth: {bearer: "{{ secrets.GRAFANA_TOKEN }}"}
```

What to do: give the secret to a field that takes one, alone and without text around it; list its name under `secrets:`.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import rendering, template
from engine.advice import did_you_mean
from engine.analysis.site import Site
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.schema import spell_path

IDS: tuple[str, ...] = ("RB217",)

_TAKES = "fields that take one are auth of core.http and env of core.command"


def check(subject: Subject) -> Iterator[Finding]:
    """Every text that reads a secret and may not, and every field that takes nothing else and is given something else."""
    for site in subject.sites:
        told = _problem(site, subject.runbook.secrets)
        if told is not None:
            message, hint = told
            fragment = next((reference.fragment for reference in site.references if reference.path[0] == "secrets"), None)
            yield subject.at(site, "RB217", message, fragment=fragment, hint=hint)


def _problem(site: Site, listed: tuple[str, ...]) -> tuple[str, str | None] | None:
    takes = site.wanted is not None and bool(site.wanted.get("x-secret"))
    if not template.reads_secrets(site.references):
        only = takes and site.wanted is not None and "not" in site.wanted and not site.is_static
        return (f"{spell_path(site.path[-1:]).lstrip('.')} takes a secret and nothing else", "write {{ secrets.NAME }}") if only else None
    named = None if site.bare else rendering.secret_name(site.source)
    if not takes:
        return "a secret may not stand here: it would be shown or kept", _TAKES
    if named is None:
        return "a secret stands alone in its field, without text or filters", "write {{ secrets.NAME }} and nothing else"
    if named.name not in listed:
        hint = did_you_mean(named.name, listed) or f"write secrets: [{', '.join([*listed, named.name])}] at the top"
        return f"there is no `{named.name}` under secrets:", hint
    return None
