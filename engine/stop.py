"""Signals: the first asks the run to stop, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

from engine.errors import Interrupted

GRACE = 30.0
"""Seconds that `finally` may take after SIGINT."""


class Stop:
    """Whether a signal has asked to stop.

    SIGTERM and SIGHUP park the run for `resume`; SIGINT ends it as cancelled, after its `finally`.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._signal = 0
        self._grace_ends: float | None = None

    def listen(self) -> None:
        """Takes the signals over; only the main thread may."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks to be left alone
                signal.signal(number, self._take)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._signal:
            os._exit(128 + number)
        self._signal = number
        self._asked.set()

    def cancel(self) -> None:
        """As if SIGINT had come."""
        self._signal = self._signal or signal.SIGINT
        self._asked.set()

    def check(self) -> None:
        """Raises Interrupted when a signal has asked to stop, or when the grace after SIGINT is used up."""
        if self._grace_ends is not None:
            if time.monotonic() > self._grace_ends:
                raise Interrupted("finally did not end within its time of grace", ends=True)
            return
        if self._signal:
            raise Interrupted(f"stopped by {signal.Signals(self._signal).name}", ends=self._signal == signal.SIGINT)

    def wait(self, seconds: float) -> None:
        """Waits in real time. Raises Interrupted as `check` does, at once when a signal comes."""
        self.check()
        if self._grace_ends is not None:
            time.sleep(max(0.0, min(seconds, self._grace_ends - time.monotonic())))
        else:
            self._asked.wait(max(0.0, seconds))
        self.check()

    def give_grace(self) -> None:
        """Lets `finally` run for a while after SIGINT."""
        self._grace_ends = time.monotonic() + GRACE
