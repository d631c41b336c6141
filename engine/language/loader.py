"""A file → a Runbook, or every finding with its place."""

from __future__ import annotations

import copy
import functools
import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine import advice, duration, schema, source
from engine.contracts import Step as StepType
from engine.control import CONSTRUCTS
from engine.errors import Finding, Invalid
from engine.language import grammar
from engine.model import Check, Concurrency, Path, Runbook, Step, Trigger
from engine.modifiers import for_each, retry, until
from engine.schema import Problem

Catalogue = Callable[[str], StepType | None]
"""Finds a step by name; None when there is no such step."""


def read(document: source.Document, catalogue: Catalogue, names: Sequence[str] = ()) -> Runbook:
    """The runbook a document holds.

    Args:
        document: the file as it was read.
        catalogue: finds a step by name.
        names: every step's name, for advice on an unknown one.

    Raises:
        Invalid: it breaks the grammar, or a step's `with` breaks the step's schema; carries every finding.
    """
    runbook, findings = examine(document, catalogue, names)
    if runbook is None or findings:
        raise Invalid(findings)
    return runbook


def examine(document: source.Document, catalogue: Catalogue, names: Sequence[str] = ()) -> tuple[Runbook | None, list[Finding]]:
    """The runbook a document holds, None when it breaks the grammar, and every finding.

    A runbook whose steps are given something wrong can still be checked further, so that an author sees everything at once.
    """
    if document.value is None:
        return None, [document.finding("RB101", "the file is empty", (), hint="begin with apiVersion: runbook/v1, a name: and steps:")]
    broken = schema.problems(document.value, grammar.runbook())
    value = _with_known_keys(document.value, broken)
    left = schema.problems(value, grammar.runbook()) if broken else []
    steps = raw_steps(value)
    misplaced = [finding for path, step in steps for finding in _misplaced_findings(document, path, step)]
    used = [(path, step) for path, step in steps if "uses" in step and not _is_broken(path, left)]
    wrong = [finding for path, step in used for finding in _uses_findings(document, path, step, catalogue, names)]
    wrong += notice_findings(document, value, catalogue)
    found = [_finding(document, _advised(problem), "RB101") for problem in broken] + misplaced + wrong
    return None if left or misplaced else build(document.file, document.text, value), found


def _is_broken(step: Path, problems: Sequence[Problem]) -> bool:
    """Whether a step does not say in words of the language what it uses, and with what."""
    return any(problem.path[: len(step) + 1] in ((*step, "uses"), (*step, "with")) for problem in problems)


def _advised(problem: Problem) -> Problem:
    """The problem with better advice on a key that another language has."""
    word = str(problem.path[-1]) if problem.known is not None else ""
    meant = advice.elsewhere(word, problem.known or ())
    return replace(problem, hint=advice.ABSENT.get(word) or (f"it is called {meant} here" if meant else problem.hint))


def _with_known_keys(value: Any, broken: Sequence[Problem]) -> Any:
    """The value as it was meant: keys that the language does not have are corrected, or left out, so that the rest can be checked."""
    unknown = [problem for problem in broken if problem.known is not None]
    if not unknown:
        return value
    value = copy.deepcopy(value)
    for problem in sorted(unknown, key=lambda problem: len(problem.path), reverse=True):
        *above, word = problem.path
        holder = functools.reduce(operator.getitem, above, value)
        meant = _meant(str(word), problem.known or ())
        part = holder.pop(word, None)  # None: an alias shows one mapping at several places, and it was corrected before
        if meant is not None and part is not None:
            holder.setdefault(meant, part)
    return value


def _meant(word: str, known: Sequence[str]) -> str | None:
    return None if word in advice.ABSENT else advice.elsewhere(word, known) or advice.closest(word, known)


def _finding(document: source.Document, problem: Problem, check: str, below: Path = ()) -> Finding:
    found = document.finding(check, _sentence(problem, below), (*below, *problem.path), key=problem.key, hint=problem.hint)
    return replace(found, source=None) if problem.secret else found


def _sentence(problem: Problem, below: Path) -> str:
    where = schema.spell_path((*below, *problem.path)).lstrip(".")
    return f"{where}: {problem.message}" if where else problem.message


def raw_steps(value: Any) -> list[tuple[Path, Mapping[str, Any]]]:
    """Each step as written and its path, those inside blocks included, in the order of the file; what is no step is passed over."""
    found: list[tuple[Path, Mapping[str, Any]]] = []

    def collect(holder: Any, key: str, path: Path) -> None:
        steps = holder.get(key) if isinstance(holder, Mapping) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, Mapping):
                found.append(((*path, key, index), step))
            for inner in ("block", "rescue", "always"):
                collect(step, inner, (*path, key, index))

    collect(value, "steps", ())
    collect(value, "finally", ())
    return found


def _misplaced_findings(document: source.Document, path: Path, step: Mapping[str, Any]) -> list[Finding]:
    return [document.finding("RB102", message, (*path, key), key=True, hint=hint) for key, message, hint in _misplaced(step)]


def _misplaced(step: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    """Keys that do not go together: two kinds in one step, or a key whose partner is missing."""
    kinds = [key for key in step if key in CONSTRUCTS]
    found: list[tuple[str, str, str | None]] = [
        (kind, f"a step is one thing: found {kinds[0]} and {kind}", "make two steps of it") for kind in kinds[1:]
    ]
    found += [
        (key, f"{key} stands without {partner}", None) for key, partner in grammar.PARTNERS.items() if key in step and partner not in step
    ]
    return found


def _uses_findings(
    document: source.Document, path: Path, step: Mapping[str, Any], catalogue: Catalogue, names: Sequence[str]
) -> list[Finding]:
    kind = catalogue(step["uses"])
    if kind is None:
        hint = advice.did_you_mean(step["uses"], names) or "opsbook steps list shows every step"
        return [document.finding("RB103", f"there is no step {step['uses']!r}", (*path, "uses"), hint=hint)]
    if "with" not in step and kind.inputs.get("required"):
        missing = ", ".join(kind.inputs["required"])
        return [document.finding("RB104", f"{kind.name} needs with: {missing}", (*path, "uses"))]
    below = (*path, "with")
    found = schema.problems(step.get("with") or {}, grammar.as_written_fields(kind))
    return [_with_finding(document, problem, below, kind) for problem in found]


def _with_finding(document: source.Document, problem: Problem, below: Path, kind: StepType) -> Finding:
    """A finding in `with`; a missing field is shown at `uses`, where the reader looks for what the step is."""
    finding = _finding(document, problem, "RB104", below)
    return finding if problem.hint else Finding(**{**_fields(finding), "hint": f"opsbook steps show {kind.name}"})


def notice_findings(document: source.Document, value: Any, catalogue: Catalogue) -> list[Finding]:
    """What breaks the alert's own schema in the `on_failure` of a runbook or of a configuration."""
    raw = value.get("on_failure") if isinstance(value, Mapping) else None
    alert = raw.get("alert") if isinstance(raw, Mapping) else None
    kind = catalogue("alert")
    if not isinstance(alert, Mapping) or kind is None:
        return []
    found = schema.problems(alert, grammar.as_written_fields(kind))
    return [_with_finding(document, problem, ("on_failure", "alert"), kind) for problem in found]


def _fields(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("id", "severity", "message", "place", "source", "width")}


def build(file: str, text: str, raw: Mapping[str, Any]) -> Runbook:
    """The runbook of a value that keeps to the grammar and to its steps' schemas."""
    defaults = raw.get("defaults", {})
    ids = {step["id"] for _, step in raw_steps(raw) if "id" in step}
    return Runbook(
        file=file,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        name=raw["name"],
        description=raw.get("description", ""),
        owners=tuple(raw.get("owners", ())),
        labels=raw.get("labels", {}),
        secrets=tuple(raw.get("secrets", ())),
        inputs=raw.get("inputs", {}),
        checks=tuple(Check(check.get("if"), check["that"], check["message"]) for check in raw.get("checks", ())),
        triggers=_triggers(raw.get("triggers", ())),
        concurrency=_concurrency(raw.get("concurrency")),
        timeout=raw.get("timeout"),
        default_timeout=duration.seconds(defaults.get("timeout", "30s")),
        default_retry=retry.read(defaults["retry"]) if "retry" in defaults else None,
        vars=raw.get("vars", {}),
        steps=_steps(raw["steps"], ("steps",), ids),
        finally_=_steps(raw.get("finally", ()), ("finally",), ids),
        outputs=raw.get("outputs", {}),
        on_success=raw.get("on_success"),
        on_failure=raw.get("on_failure"),
    )


def _concurrency(raw: Mapping[str, Any] | None) -> Concurrency | None:
    return None if raw is None else Concurrency(raw["group"], raw.get("on_conflict", "queue"))


def _triggers(raw: Sequence[Mapping[str, Any]]) -> tuple[Trigger, ...]:
    named: list[str] = []
    found = []
    for one in raw:
        cron, zone = " ".join(one["cron"].split()), one.get("timezone", "UTC")
        named.append(f"{cron} {zone}")
        again = named.count(named[-1])
        found.append(
            Trigger(
                name=named[-1] if again == 1 else f"{named[-1]} #{again}",
                cron=cron,
                timezone=zone,
                inputs=one.get("inputs", {}),
                missed=one.get("missed", "skip"),
                max_lateness=duration.seconds(one["max_lateness"]) if "max_lateness" in one else None,
                jitter=duration.seconds(one.get("jitter", "0s")),
            )
        )
    return tuple(found)


def _steps(raw: Sequence[Mapping[str, Any]], path: Path, ids: set[str]) -> tuple[Step, ...]:
    return tuple(_step(step, (*path, index), ids) for index, step in enumerate(raw))


def _step(raw: Mapping[str, Any], path: Path, ids: set[str]) -> Step:
    kind = next(key for key in raw if key in CONSTRUCTS)
    return Step(
        id=raw.get("id") or _made_id(path, ids),
        named="id" in raw,
        path=path,
        kind=kind,
        body=CONSTRUCTS[kind].read(raw, lambda key: _steps(raw.get(key, ()), (*path, key), ids)),
        name=raw.get("name"),
        condition=raw.get("if"),
        timeout=raw.get("timeout"),
        retry=retry.read(raw["retry"]) if "retry" in raw else None,
        until=until.read(raw["until"]) if "until" in raw else None,
        for_each=for_each.read(raw) if "for_each" in raw else None,
        expect=tuple(raw.get("expect", ())),
        continue_on_error=raw.get("continue_on_error", False),
        connection=raw.get("connection"),
    )


def _made_id(path: Path, ids: set[str]) -> str:
    """An id for a step without one, from its place: `steps_2`, `steps_0_rescue_1`; counted from 1, as people count."""
    made = "_".join(str(part + 1) if isinstance(part, int) else part for part in path)
    while made in ids:
        made = f"{made}_"
    ids.add(made)
    return made
