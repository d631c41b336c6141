"""A run in this process: the run's journal is its audit log and its memory in one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.contracts import Action, Outcome, Step
from engine.errors import KeyProblem, KeyRefused, StepError, TakenAsDone
from engine.execution.context import JournalledContext, Run
from engine.execution.executor import spell
from engine.state.memory import step_of
from engine.system.stop import Stop
from engine.system.tasks import Child, Sleep, drive, in_threads, take_turns

SHORT = 5.0
"""Seconds: the end of a longer wait is synced to disk before it begins, so that a resumed run keeps it."""
_GIVEN_UP = "whether it was done is not known; a person decided that it failed"


class LocalBackend:
    """See engine.contracts.Backend.

    Args:
        heard: takes in each event that an earlier process told; those of this one it hears of the journal.
    """

    def __init__(
        self,
        run: Run,
        catalogue: Callable[[str], Step],
        stop: Stop,
        *,
        heard: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._run = run
        self._find = catalogue
        self._stop = stop
        self._heard = heard
        self._virtual = getattr(run.clock, "virtual", False)

    def carry_out(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs the executor's coroutine to its end."""
        return drive(coroutine, self._sleep)

    def random(self, key: str) -> float:
        """A number in [0, 1); the same for the same key of the same run, so that a resumed run waits for as long."""
        return int.from_bytes(hashlib.sha256(f"{self._run.id}/{key}".encode()).digest()[:6]) / 2**48

    def begun(self, key: str) -> bool:
        """Whether an earlier process of this run began a step, or the run before it had done it."""
        return ("step.started", key) in self._run.memory.told or key in self._run.memory.kept

    def wind_down(self) -> None:
        """The run was cancelled: from now on only `finally` runs, for a limited time, in later processes too."""
        self.tell("run.cancelling", "run")
        self._run.journal.sync()
        self.shield()

    def shield(self) -> None:
        """`finally` begins: SIGINT no longer stops at once."""
        self._stop.shield()

    def heed(self) -> bool:
        """Whether the run is to end as cancelled. Raises Interrupted when it is to stop now."""
        self._stop.check()
        return self._stop.cancelled

    async def perform(self, action: Action) -> Outcome:
        """One attempt of one step; its calls are remembered one by one."""
        step = step_of(action.key)
        if step in self._run.memory.given_up:
            return Outcome(None, StepError(_GIVEN_UP, code="in_doubt", again="never"))
        before = self._run.memory.kept.get(step, {})
        if before.get("error"):
            return Outcome(None, StepError(**before["error"], again="never"))
        if step not in self._run.memory.touched:
            self._stop.check()
        context = JournalledContext(self._run, action)
        try:
            return Outcome(self._find(action.uses).perform(action.given, context))
        except TakenAsDone:  # the step itself knows nothing of what was done
            return Outcome({})
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
        """Waits until a moment, told to the journal; a resumed run keeps the moment that was told."""
        until = self._run.memory.waits.get(key, until)
        length = (until - self._run.clock.now()).total_seconds()
        if length <= 0:
            return
        self._stop.check()
        self.tell("wait.started", key, until=spell(until))
        if length > SHORT and not self._virtual:
            self._run.results.sync()
            self._run.journal.sync()
        await Sleep(until)
        self.tell("wait.ended", key)

    async def side_by_side(self, children: Iterable[Child], limit: int) -> list[Any]:
        """Runs the children, `limit` at a time: in turns on a virtual clock, else in threads."""
        if self._virtual or limit == 1:
            return await take_turns(children, limit)
        return in_threads(children, limit, self._sleep)

    def tell(self, event: str, key: str, **fields: Any) -> None:
        """Writes an event once for each key."""
        if event == "step.ended" and key in self._run.memory.kept:
            fields["kept"] = True
        told = {"key": key, **{name: value for name, value in fields.items() if value is not None}}
        if (event, key) in self._run.memory.told:
            self._heard(event, {**told, "again": True})
        else:
            self._run.journal.append(event, **told)

    def _sleep(self, until: datetime) -> None:
        self._stop.check()
        self._run.clock.sleep((until - self._run.clock.now()).total_seconds())
