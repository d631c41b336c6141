"""A run in this process: the run's journal is its audit log and its memory in one."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

from engine.context import JournalledContext, Run
from engine.contracts import Action, Outcome, Step
from engine.errors import KeyProblem, KeyRefused, StepError
from engine.executor import spell
from engine.stop import Stop
from engine.tasks import Child, Sleep, drive, in_threads, take_turns

SHORT = 5.0
"""Seconds: the end of a longer wait is synced to disk before it begins, so that a resumed run keeps it."""


class LocalBackend:
    """See engine.contracts.Backend.

    Args:
        listener: hears every event that is told, for the progress on a terminal.
        seed: makes jitter repeatable on a virtual clock.
    """

    def __init__(
        self,
        run: Run,
        catalogue: Callable[[str], Step],
        stop: Stop,
        *,
        listener: Callable[[str, dict[str, Any]], None] | None = None,
        seed: str | None = None,
    ) -> None:
        self._run = run
        self._find = catalogue
        self._stop = stop
        self._listener = listener or (lambda _event, _fields: None)
        self._random = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._virtual = getattr(run.clock, "virtual", False)

    def carry_out(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs the executor's coroutine to its end."""
        return drive(coroutine, self._sleep)

    def now(self) -> datetime:
        """The present moment."""
        return self._run.clock.now()

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    async def perform(self, action: Action) -> Outcome:
        """One attempt of one step; its calls are remembered one by one."""
        self._stop.check()
        context = JournalledContext(self._run, action)
        try:
            return Outcome(self._find(action.uses).perform(action.given, context))
        except StepError as error:
            return Outcome(None, error)
        except KeyProblem as error:
            return Outcome(None, KeyRefused(error.message, hint=error.hint, code=error.code))

    async def moment(self, key: str) -> datetime:
        """The present moment, remembered under `key`."""
        known = self._run.memory.moments.get(key)
        if known is not None:
            return known
        now = self._run.clock.now()
        self._run.journal.append("moment", key=key, moment=now.isoformat())
        return now

    async def sleep_until(self, key: str, until: datetime) -> None:
        """Waits until a moment, told to the journal."""
        self._stop.check()
        length = (until - self._run.clock.now()).total_seconds()
        if length <= 0:
            return
        self.tell("wait.started", key, until=spell(until))
        if length > SHORT and not self._virtual:
            self._run.journal.sync()
        await Sleep(until)
        self.tell("wait.ended", key)

    async def side_by_side(self, children: Iterable[Child], limit: int) -> list[Any]:
        """Runs the children, `limit` at a time: in turns on a virtual clock, else in threads."""
        if self._virtual or limit == 1:
            return await take_turns(children, limit)
        return in_threads(children, limit, self._sleep)

    def tell(self, event: str, key: str, **fields: Any) -> None:
        """Writes an event once for each key, and says it to the listener."""
        if (event, key) not in self._run.memory.told:
            told = {name: value for name, value in fields.items() if value is not None}
            self._run.journal.append(event, key=key, **told)
        self._listener(event, {"key": key, **fields})

    def _sleep(self, until: datetime) -> None:
        self._stop.check()
        self._run.clock.sleep((until - self._run.clock.now()).total_seconds())
