"""Time: the real clock, which a signal can wake, and the virtual one, on which waiting costs nothing."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from engine.system.stop import Stop


class RealClock:
    """Wall time; sleeping ends early when a signal says stop."""

    virtual = False

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits. Raises Interrupted when a signal says stop."""
        self._stop.wait(seconds)


class VirtualClock:
    """A clock that moves only when somebody sleeps on it or sets it."""

    virtual = True

    def __init__(self, start: datetime, stop: Stop | None = None) -> None:
        self._now = start
        self._start = start
        self._stop = stop or Stop()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present virtual moment."""
        return self._now

    def monotonic(self) -> float:
        """Virtual seconds since the start."""
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Lets time pass at once. Raises Interrupted when a signal says stop."""
        self._stop.check()
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))

    def advance_to(self, moment: datetime) -> None:
        """Lets time pass up to a moment; never back."""
        with self._lock:
            self._now = max(self._now, moment)
