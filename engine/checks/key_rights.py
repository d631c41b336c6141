"""RB204: no key of the connection may make a step's calls.

Each operation names the kinds of key the service takes for it and the right the key must be granted. They are compared with what the
configuration says of the connection's keys; no key is read and nothing is sent. Without a configuration nothing is compared.

Bad:

```yaml
# opsbook.yaml
connections:
  opsgenie:
    region: eu
    keys: [{kind: integration, secret: "env:OPSGENIE_INTEGRATION_KEY"}]
# the runbook
steps:
  - uses: opsgenie.user.create          # takes an account key only
    with: {username: ana@example.com, fullName: Ana, role: {name: User}}
```

Good:

```yaml
connections:
  opsgenie:
    region: eu
    keys:
      - {kind: integration, secret: "env:OPSGENIE_INTEGRATION_KEY"}
      - {kind: account, rights: [read, create_and_update, configuration_access], secret: "env:OPSGENIE_ACCOUNT_KEY"}
```

What to do: add a key of one of the kinds named, or use another connection; `opsbook steps show NAME` says what a step needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.subject import Subject
from engine.errors import Finding

IDS: tuple[str, ...] = ("RB204",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every need of a step that no key of its connection meets."""
    if subject.keys is None:
        return
    for step in subject.steps:
        kind = subject.kind(step)
        if kind is None:
            continue
        for need in kind.needs:
            reason = subject.keys(step, need)
            if reason is not None:
                message = f"{kind.name}: {reason}"
                hint = f"it takes a key of kind {' or '.join(need.kinds)} with the right {need.right}"
                yield subject.document.finding("RB204", message, (*step.path, "uses"), hint=hint)
