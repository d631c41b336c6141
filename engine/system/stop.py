"""Signals: the first asks the run to stop, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from engine.errors import Interrupted

GRACE = 30.0
"""Seconds that `finally` may take after SIGINT."""

CANCEL = signal.SIGUSR1
"""What `cancel` sends to a run's process. A shell has SIGINT ignored by all it starts in the background; this one reaches them."""

NOTICE = b"stopping; again to end at once\n"
LOOK = 0.2
"""Seconds between two looks at the grace, while waiting within it."""


class Stop:
    """Whether a signal has asked to stop.

    SIGTERM and SIGHUP park the run for `resume`; SIGINT and CANCEL end it as cancelled, after its `finally`.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._signal = 0
        self._shielded = False
        self._grace_ends: float | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the run is to end as cancelled."""
        return self._signal == signal.SIGINT

    def listen(self) -> None:
        """Takes the signals over; only the main thread may."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks to be left alone
                signal.signal(number, self._take)
        signal.signal(CANCEL, lambda *_: self.cancel())

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._signal:
            _end_children()
            os._exit(128 + number)
        self._signal = number
        self._asked.set()
        if os.isatty(2):  # straight to the terminal: whatever else speaks may hold its lock at this moment
            os.write(2, NOTICE)

    def cancel(self) -> None:
        """As if SIGINT had come; said again, it changes nothing."""
        self._signal = self._signal or signal.SIGINT
        self._asked.set()

    def shield(self) -> None:
        """From now on SIGINT gives a time of grace instead of stopping at once: `finally` runs."""
        self._shielded = True

    def check(self) -> None:
        """Raises Interrupted when a signal has asked to stop, or when the grace after SIGINT is used up."""
        if not self._signal:
            return
        if not (self._shielded and self.cancelled):
            raise Interrupted(f"stopped by {signal.Signals(self._signal).name}", ends=self.cancelled)
        if self._grace_ends is None:
            self._grace_ends = time.monotonic() + GRACE
        if time.monotonic() > self._grace_ends:
            raise Interrupted("finally did not end within its time of grace", ends=True)

    def wait(self, seconds: float) -> None:
        """Waits in real time. Raises Interrupted as `check` does, at once when a signal comes."""
        ends = time.monotonic() + seconds
        self.check()
        while (left := ends - time.monotonic()) > 0:
            if self._asked.is_set():
                time.sleep(min(left, LOOK))
            else:
                self._asked.wait(left)
            self.check()


def _end_children() -> None:
    """Ends the programs this process has started, each with the group it leads; where the system tells no children, nothing."""
    for listed in Path("/proc/self/task").glob("*/children"):
        for child in listed.read_text().split():
            with suppress(OSError):
                os.killpg(int(child), signal.SIGKILL)
