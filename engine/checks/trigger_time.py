"""RB220: a trigger that names no time.

`cron` is five fields: minute, hour, day of the month, month, day of the week; `timezone` an IANA name. An expression that no day ever fits
is refused too. `max_lateness` without `missed: run_once` does nothing, and a `jitter` longer than the time between two moments would let
one run begin after the next one should have: both are warnings.

Bad:

```yaml
triggers:
  - {cron: "0 25 * * *", timezone: Europe/Berln}
```

Good:

```yaml
triggers:
  - {cron: "0 5 * * *", timezone: Europe/Berlin, missed: run_once, max_lateness: 2h}
```

What to do: correct the field or the name; `opsbook schedule next RUNBOOK` shows the moments that come of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import available_timezones

from engine import duration
from engine.advice import did_you_mean
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.model import Path, Trigger
from engine.schedule import cron

IDS: tuple[str, ...] = ("RB220",)

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_SOME = 6


def check(subject: Subject) -> Iterator[Finding]:
    """Wrong cron texts and zones, and what cannot come true of the rest."""
    for index, trigger in enumerate(subject.runbook.triggers):
        path: Path = ("triggers", index)
        wrong = [*_zone(subject, trigger, path), *_cron(subject, trigger, path)]
        yield from wrong or _jitter(subject, trigger, path)
        if trigger.max_lateness is not None and trigger.missed == "skip":
            message, hint = "max_lateness does nothing where missed moments are skipped", "add missed: run_once"
            yield subject.document.finding("RB220", message, (*path, "max_lateness"), key=True, severity="warning", hint=hint)


def _zone(subject: Subject, trigger: Trigger, path: Path) -> Iterator[Finding]:
    try:
        cron.zone(trigger.timezone)
    except ValueError as error:
        hint = did_you_mean(trigger.timezone, available_timezones()) or "write an IANA name such as Europe/Berlin"
        yield subject.document.finding("RB220", str(error), (*path, "timezone"), hint=hint)


def _cron(subject: Subject, trigger: Trigger, path: Path) -> Iterator[Finding]:
    try:
        cron.check(trigger.cron)
    except cron.CronProblem as problem:
        yield subject.document.finding("RB220", f"cron: {problem}", (*path, "cron"), hint=problem.hint)


def _jitter(subject: Subject, trigger: Trigger, path: Path) -> Iterator[Finding]:
    some = islice(cron.moments(trigger.cron, cron.zone(trigger.timezone), _SOME_DAY), _SOME)
    apart = min((later.timestamp() - earlier.timestamp() for earlier, later in pairwise(some)), default=0.0)
    if trigger.jitter > apart > 0:
        message = f"the jitter is longer than the {duration.spoken(apart)} between two moments"
        yield subject.document.finding("RB220", message, (*path, "jitter"), severity="warning", hint="shorten the jitter")
