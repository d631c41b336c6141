"""The connections there are: how they stand, and what a set of runbooks needs of their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.advice import did_you_mean
from engine.contracts import ConnectionStanding, KeyUsage, Need, Surroundings, Vendor
from engine.contracts import Step as StepType
from engine.errors import KeyProblem, UsageError
from engine.model import Step, Uses

Settings = Mapping[str, Mapping[str, Any]]
"""The settings of every connection, by name."""


def standings(settings: Settings, names: Sequence[str], vendor: Vendor, surroundings: Surroundings) -> list[ConnectionStanding]:
    """How connections stand, by reads alone; without names, all of them.

    Raises:
        KeyProblem: there is no connection at all.
        UsageError: there is none of that name.
    """
    if not settings:
        raise KeyProblem("there is no connection", hint="opsbook connect opsgenie makes one; without one, try --emulator")
    for name in names:
        if name not in settings:
            raise UsageError(f"there is no connection {name!r}", hint=did_you_mean(name, settings) or "opsbook connections")
    return [vendor.standing(name, settings[name], surroundings) for name in names or settings]


@dataclass(frozen=True, slots=True)
class StepNeed:
    """What one step asks of a connection's keys.

    Attributes:
        runbook: its file.
        connection: the name of the connection the step goes over.
        key: what its key is told as; None when no key may make the call, for the reason in `problem`, or none needs to be configured.
    """

    runbook: str
    step: str
    uses: str
    connection: str
    right: str
    kinds: tuple[str, ...]
    key: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of runbooks needs; `usage` holds every configured connection, used or not."""

    runbooks: tuple[str, ...]
    steps: tuple[StepNeed, ...]
    usage: Mapping[str, Sequence[KeyUsage]]

    @property
    def met(self) -> bool:
        """Whether every step has a key it can go with."""
        return all(step.problem is None for step in self.steps)


def needs(
    runbooks: Mapping[str, Iterable[Step]], settings: Settings, vendor: Vendor, find: Callable[[str], StepType | None], default: str | None
) -> Needs:
    """What runbooks, by their files, need of the connections' keys; nothing is sent and no secret read.

    Args:
        runbooks: the steps of each runbook, with those after its end, by its file.
        settings: of the connections.
        vendor: knows the keys.
        find: a step's kind by its name.
        default: the connection of steps that name none, instead of the one called like their provider.
    """
    asked = [one for file, steps in runbooks.items() for one in _asked(file, steps, find, default)]
    usage: dict[str, Sequence[KeyUsage]] = {}
    keys: dict[int, str] = {}
    for name, connection in settings.items():
        places = [place for place, (row, _) in enumerate(asked) if row.connection == name]
        usage[name] = vendor.key_usage(connection, [asked[place][1] for place in places])
        keys |= {places[used]: key.reference for key in usage[name] for used in key.used}
    rows = (
        replace(row, key=keys[place]) if place in keys else replace(row, problem=_problem(row, need, settings, vendor))
        for place, (row, need) in enumerate(asked)
    )
    return Needs(tuple(runbooks), tuple(rows), usage)


def _asked(
    file: str, steps: Iterable[Step], find: Callable[[str], StepType | None], default: str | None
) -> Iterator[tuple[StepNeed, Need]]:
    """Each need of each step, as far as the runbook tells it."""
    for step in steps:
        kind = find(step.body.name) if isinstance(step.body, Uses) else None
        for need in kind.needs if kind else ():
            assert kind is not None
            connection = step.connection or default or kind.name.partition(".")[0]
            yield StepNeed(file, step.id, kind.name, connection, need.right, need.kinds), need


def _problem(row: StepNeed, need: Need, settings: Settings, vendor: Vendor) -> str | None:
    if row.connection not in settings:
        return f"there is no connection {row.connection}"
    return vendor.key_findings(settings[row.connection], need)
