"""Driving coroutines without an event loop: a coroutine stops only to sleep, and whoever drives it decides how.

On a real clock children run in threads, since the client's calls block; on a virtual clock they take turns in one thread, so that
a run on the emulator is the same every time.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Child = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Awaited by a coroutine that has nothing to do until a moment."""

    until: datetime

    def __await__(self) -> Generator[Sleep, None, None]:
        yield self


def drive(coroutine: Coroutine[Any, Any, Any], sleep_until: Callable[[datetime], None]) -> Any:
    """Runs a coroutine to its end; each Sleep is slept where it stands."""
    try:
        sleep = coroutine.send(None)
        while True:
            try:
                sleep_until(sleep.until)
            except BaseException as error:  # noqa: BLE001 - it belongs to the coroutine, which may go to sleep again
                sleep = coroutine.throw(error)
            else:
                sleep = coroutine.send(None)
    except StopIteration as end:
        return end.value


async def take_turns(children: Iterable[Child], limit: int) -> list[Any]:
    """Runs children in one thread, `limit` at a time: whoever wakes first goes on first, equals in their order."""
    waiting = iter(enumerate(child() for child in children))
    results: dict[int, Any] = {}
    asleep: list[tuple[datetime, int, Coroutine[Any, Any, Any]]] = []

    def go_on(index: int, coroutine: Coroutine[Any, Any, Any]) -> bool:
        """Whether the child went to sleep again."""
        try:
            sleep = coroutine.send(None)
        except StopIteration as end:
            results[index] = end.value
            return False
        heapq.heappush(asleep, (sleep.until, index, coroutine))
        return True

    def start_some(free: int) -> None:
        while free:
            started = next(waiting, None)
            if started is None:
                return
            free -= go_on(*started)

    try:
        start_some(limit)
        while asleep:
            until, index, coroutine = heapq.heappop(asleep)
            await Sleep(until)
            if not go_on(index, coroutine):
                start_some(1)
    finally:
        for _, _, coroutine in asleep:
            coroutine.close()
    return [results[index] for index in sorted(results)]


def in_threads(children: Iterable[Child], limit: int, sleep_until: Callable[[datetime], None]) -> list[Any]:
    """Runs children in threads, `limit` at a time, fed lazily. An exception starts no further child and is raised at the end."""
    feed = _Feed(children)
    results: dict[int, Any] = {}
    errors: list[BaseException] = []

    def work() -> None:
        for index, child in feed:
            try:
                results[index] = drive(child(), sleep_until)
            except BaseException as error:  # noqa: BLE001 - carried to the thread that waits
                errors.append(error)
                feed.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(limit)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[index] for index in sorted(results)]


class _Feed:
    """An iterator that several threads share."""

    def __init__(self, children: Iterable[Child]) -> None:
        self._children = enumerate(children)
        self._lock = threading.Lock()
        self._open = True

    def __iter__(self) -> Iterator[tuple[int, Child]]:
        return self

    def __next__(self) -> tuple[int, Child]:
        with self._lock:
            if not self._open:
                raise StopIteration
            return next(self._children)

    def close(self) -> None:
        """Gives out no further child."""
        self._open = False
