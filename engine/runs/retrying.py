"""What may be retried: an ended run with something left to do, not retried yet, whose done steps still read the same."""

from __future__ import annotations

from engine import source
from engine.advice import did_you_mean
from engine.audit import journal
from engine.errors import Invalid, UsageError
from engine.model import Runbook, walk
from engine.runs.carry import Kept, rewritten
from engine.runs.past import Past
from engine.state import LOG, State


def refuse_second(state: State, run: str) -> None:
    """Raises UsageError for a run that has a retry already: what that one did would be done again."""
    if not state.ledger.exists():
        return
    known = [entry["run"] for entry in journal.events(state.ledger) if entry.get("retry_of") == run]
    begun = [name for name in known if not (state.runs / name).is_dir() or next(journal.events(state.runs / name / LOG), None)]
    if begun:
        raise UsageError(
            f"the run {run} was retried before, as {begun[-1]}",
            hint=f"opsbook retry {begun[-1]}, or --from STEP to do that step and all after it again",
        )


def refuse_unfit(past: Past, before: Runbook, after: Runbook, start: str | None) -> None:
    """Whether a retry makes sense.

    Raises:
        UsageError: there is no step to start from, or nothing is left to do.
        Invalid: a step that was done reads otherwise in the new runbook.
    """
    run = past.place.name
    ids = [step.id for step in walk(after.steps)]
    if start is not None and start not in ids:
        raise UsageError(f"--from {start}: {after.name} has no such step", hint=did_you_mean(start, ids) or f"steps: {', '.join(ids)}")
    events = list(journal.events(past.place / LOG))
    if start is None and past.status == "succeeded" and not any(event.get("continued") for event in events):
        raise UsageError(f"every step of the run {run} was done", hint="--from STEP does that step and all after it again")
    known = start if any(step.id == start for step in before.every_step()) else None
    found = list(rewritten(before, after, Kept(before, events, known).whole()))
    if found:
        document = source.read(after.text, after.file)
        hint = "put it back as it was, or retry from it with --from"
        raise Invalid(
            [
                document.finding(
                    "RB111",
                    f"the step {id_} was done by the run {run} and {'reads otherwise now' if step else 'is gone'}",
                    step.path if step else ("steps",),
                    hint=hint,
                )
                for id_, step in found
            ]
        )
