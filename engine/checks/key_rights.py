"""RB204: no key of the connection may make a step's calls, or there is no such connection.

Each operation names the kinds of key the service takes for it and the right the key must be granted. They are compared with what the
configuration says of the connection's keys; no key is read and nothing is sent. Without connections in the configuration nothing is
compared.

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

What to do: add a key of one of the kinds named, or name another connection; `opsbook steps show NAME` says what a step needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.advice import did_you_mean
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Step

IDS: tuple[str, ...] = ("RB204",)


def check(subject: Subject) -> Iterator[Finding]:
    """Every connection that is not there, and every need of a step that no key of its connection meets."""
    for step in (*subject.steps, *subject.notices):
        yield from _unknown(subject, step)
        if subject.keys is None:
            continue
        kind = subject.kind(step)
        if kind is None:
            continue
        for need in kind.needs:
            reason = subject.keys(step, need)
            if reason is not None:
                message = f"{kind.name}: {reason}"
                hint = f"it takes a key of kind {' or '.join(need.kinds)} with the right {need.right}"
                yield subject.document.finding("RB204", message, (*step.path, "uses"), hint=hint)


def _unknown(subject: Subject, step: Step) -> Iterator[Finding]:
    """The connection a step names, where there are connections and none of that name."""
    known = subject.connections() if step.connection is not None else ()
    if step.connection is not None and known and step.connection not in known:
        message, hint = f"there is no connection {step.connection!r} in the configuration", did_you_mean(step.connection, known)
        yield subject.document.finding("RB204", message, (*step.path, "connection"), hint=hint)
