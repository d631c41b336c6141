"""What a retry keeps of the run it starts from: the calls, moments and waits of every step and loop item that was done.

A step is done when it succeeded. What stands inside a done step goes with it, the failures that a rescue mended included. In a block
that failed, the steps that succeeded are kept, but never its `rescue` and `always`, nor an attempt after the first: a new attempt needs
those anew. `finally` belongs to the ending of a run and is never kept.

A step that the run's end cut off while a write of it was open is kept as far as it came: its retry settles that write, as a resumed run
would, and does not send it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.model import Block, Runbook, Step
from engine.state import memory

CALLS = ("step.intent", "step.result", "step.doubt")
TIMES = ("moment", "wait.started", "wait.ended")

_VARIABLE = re.compile(r"vars\.[^./]+\.now")
_OWN = re.compile(r"(?P<step>[a-z_][a-z0-9_]*).*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step stands.

    Attributes:
        index: in the order steps are written.
        above: ids of the blocks around it, the innermost last, each with whether the step stands in its `rescue` or `always`.
        final: whether it stands in `finally`.
    """

    index: int
    above: tuple[tuple[str, bool], ...]
    final: bool


class Kept:
    """Says what of an ended run is kept.

    Args:
        start: id of the step from which everything is done again, or None.
    """

    def __init__(self, runbook: Runbook, events: Iterable[Mapping[str, Any]], start: str | None) -> None:
        self._places = _places(runbook)
        told = list(events)
        ended = {event["key"]: event["status"] for event in map(memory.as_it_was, told) if event["event"] == "step.ended"}
        self._done = {key for key, status in ended.items() if status == "succeeded"}
        self._cut_off = memory.Memory.of(told).open_steps() - ended.keys()
        self._start = self._places[start] if start is not None else None
        self._around = {id_ for id_, _ in self._start.above} if self._start else set()

    def events(self, earlier: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Those of a run's events that its retry goes on from; an event that was kept before counts as what it was."""
        return (event for event in map(memory.as_it_was, earlier) if self._is_kept(event))

    def _is_kept(self, event: Mapping[str, Any]) -> bool:
        name, key = event["event"], event.get("key", "")
        if name in CALLS:
            step = memory.step_of_call(key)
            return self._keeps(step) or self._goes_on(step)
        if name in TIMES:
            return _VARIABLE.fullmatch(key) is not None or self._keeps(_step_of_time(key))
        return name in ("doubt.decided", "step.ended") and self._keeps(key)

    def whole(self) -> list[str]:
        """Ids of the steps, outside of loops, that are kept as a whole."""
        return [id_ for id_ in self._places if self._is_done(id_) and self._keeps(id_)]

    def _keeps(self, key: str) -> bool:
        """Whether the step of a key is done, or stands in one that is."""
        prefix, id_ = _split(key)
        place = self._places.get(id_)
        if place is None or place.final:
            return False
        inside_again = False
        for holder, again in self._levels(prefix, id_, place):
            if inside_again:
                return False
            if self._is_done(holder):
                return True
            inside_again = again
        return False

    def _goes_on(self, key: str) -> bool:
        """Whether the step of a key goes on where it was cut off."""
        prefix, id_ = _split(key)
        place = self._places.get(id_)
        if key not in self._cut_off or place is None or place.final or self._is_again(id_):
            return False
        return not any(again for _, again in self._levels(prefix, id_, place))

    def _levels(self, prefix: str, id_: str, place: _Place) -> list[tuple[str, bool]]:
        """The keys from the outermost step around down to the step itself, each with whether it does what is inside anew."""
        levels: list[tuple[str, bool]] = []
        for step, aside in [(id_, False), *reversed(place.above)]:
            parent, attempt = _within(prefix, f"{step}@")
            levels.append((parent + step, aside or attempt))
            prefix, item = _within(parent, f"{step}[")
            if item:
                levels.append((prefix + step, False))
        return levels[::-1]

    def _is_done(self, key: str) -> bool:
        return key in self._done and not self._is_again(_split(key)[1])

    def _is_again(self, id_: str) -> bool:
        return self._start is not None and (id_ in self._around or self._places[id_].index >= self._start.index)


def _places(runbook: Runbook) -> dict[str, _Place]:
    order = {step.id: index for index, step in enumerate(runbook.every_step())}
    found: dict[str, _Place] = {}

    def enter(steps: Sequence[Step], above: tuple[tuple[str, bool], ...], *, final: bool) -> None:
        for step in steps:
            found[step.id] = _Place(order[step.id], above, final)
            if isinstance(step.body, Block):
                enter(step.body.steps, (*above, (step.id, False)), final=final)
                enter((*step.body.rescue, *step.body.always), (*above, (step.id, True)), final=final)

    enter(runbook.steps, (), final=False)
    enter(runbook.finally_, (), final=True)
    return found


def _split(key: str) -> tuple[str, str]:
    """The prefix of a step's key, and its id."""
    above, slash, id_ = key.rpartition("/")
    return above + slash, id_


def _within(prefix: str, begins: str) -> tuple[str, bool]:
    """A prefix without its last part, when that begins so; and whether it did."""
    above, last = _split(prefix.removesuffix("/"))
    return (above, True) if last.startswith(begins) else (prefix, False)


def _step_of_time(key: str) -> str:
    prefix, own = _split(key)
    found = _OWN.fullmatch(own)
    return prefix + (found["step"] if found else own)


def rewritten(before: Runbook, after: Runbook, done: Sequence[str]) -> Iterator[tuple[str, Step | None]]:
    """Ids of the steps that were done and read otherwise in another runbook, each with what stands there now, if anything does."""
    was, now = ({step.id: step for step in runbook.every_step()} for runbook in (before, after))
    for id_ in done:
        if id_ not in now or _own(was[id_]) != _own(now[id_]):
            yield id_, now.get(id_)


def _own(step: Step) -> Step:
    """A step apart from its place, its name, and the steps inside it."""
    return replace(step, path=(), name=None, body=Block((), (), ()) if isinstance(step.body, Block) else step.body)
