"""Rate limits as a client learns them: after the first 429 of a domain, all threads share one pace below the limit.

The service tells no numbers but those of `GET /v2/request-limits/`, which team keys may not ask for. A 429 tells the period, and the
calls that went through in the last period tell the rate.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from engine.contracts import Clock

LONGEST_PERIOD = 60.0
"""Seconds; the service's limits are for a second and for a minute."""
GROWTH = 1.02
"""What the pace is multiplied with for each period without a 429."""
DROP = 0.9
"""What the pace is multiplied with at a further 429, when fewer calls than that did not go through."""


@dataclass(slots=True)
class _Bucket:
    """One domain: the calls of late, and, once a 429 came, the pace.

    Attributes:
        rate: calls a second, or None while no limit is known.
        free: when the next call may go, by the clock's monotonic seconds.
        grown: when the rate was last set or raised.
    """

    passed: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))
    rate: float | None = None
    period: float = 1.0
    free: float = 0.0
    grown: float = 0.0

    def slot(self, now: float) -> float:
        """Takes the next free moment."""
        if self.rate is None:
            return now
        if now - self.grown >= self.period:
            self.rate *= GROWTH
            self.grown = now
        slot = max(now, self.free)
        self.free = slot + 1 / self.rate
        return slot

    def learn(self, period: float, now: float) -> None:
        """A call was refused: fewer calls a period from here on."""
        calls = max(1, sum(1 for moment in self.passed if moment > now - period))
        seen = calls / period
        self.rate = seen if self.rate is None else min(seen, self.rate * DROP)
        self.rate = max(self.rate, 1 / period)
        self.period, self.grown = period, now
        self.free = max(self.free, now + 1 / self.rate)


class Buckets:
    """The buckets of one connection's domains, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, domain: str, clock: Clock) -> float:
        """Waits until a call may go and returns the seconds waited. Raises Interrupted when a signal says stop."""
        now = clock.monotonic()
        with self._lock:
            pause = self._bucket(domain).slot(now) - now
        if pause > 0:
            clock.sleep(pause)
        return max(pause, 0.0)

    def passed(self, domain: str, clock: Clock) -> None:
        """Notes a call that went through."""
        now = clock.monotonic()
        with self._lock:
            passed = self._bucket(domain).passed
            passed.append(now)
            while passed[0] < now - LONGEST_PERIOD:
                passed.popleft()

    def refused(self, domain: str, period: float, clock: Clock) -> None:
        """Notes a 429 and the period it told, in seconds."""
        with self._lock:
            self._bucket(domain).learn(period, clock.monotonic())

    def _bucket(self, domain: str) -> _Bucket:
        return self._buckets.setdefault(domain, _Bucket())
