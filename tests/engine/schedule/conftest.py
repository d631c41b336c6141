"""Triggers, entries and a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.model import Trigger
from engine.schedule.entry import Entry
from engine.state import State


class Clock:
    def __init__(self, now):
        self.time, self.waited = now, []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.waited.append(seconds)
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock(datetime(2026, 11, 23, 3, 0, 1, tzinfo=UTC))


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "state")


@pytest.fixture
def entry(tmp_path):
    """Makes the entry of a trigger of a runbook called nightly."""

    def make(cron="0 3 * * *", timezone="UTC", missed="skip", max_lateness=None, jitter=0.0, file=None):
        trigger = Trigger(f"{cron} {timezone}", cron, timezone, {}, missed, max_lateness, jitter)
        return Entry(Path(file or tmp_path / "nightly.yaml"), "nightly", trigger)

    return make
