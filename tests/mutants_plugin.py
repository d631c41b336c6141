"""What a mutant's tests need to be told apart: pytest loads it for tests/mutants.py.

Every test begins with empty caches, and counts what a fixture of a wider scope did as its own: else mutmut would not know, after the first
test, that others reach the same code.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mutmut.state import state

MOST_SECONDS = 20.0
"""Processor time of one test; the longest takes a quarter of it."""

_done_by: dict[str, set[str]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """Keeps which functions a wide fixture reaches."""
    reached = state()._stats
    before = set(reached)
    reached.clear()
    made = yield
    if fixturedef.scope != "function":
        _done_by.setdefault(fixturedef.argname, set()).update(reached)
    reached.update(before)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test reaches what its fixtures reach, and fails where a mutant lets it go on for ever."""
    for name in getattr(item, "fixturenames", ()):
        state()._stats.update(_done_by.get(name, ()))
    signal.signal(signal.SIGPROF, _endless)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS, MOST_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _endless(*_: object) -> None:
    pytest.fail(f"more than {MOST_SECONDS} s of processor time")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forgets what earlier tests, or the process this one was forked from, had computed."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("engine.", "steps.")):
            for thing in vars(module).values():
                if hasattr(type(thing), "cache_clear"):
                    thing.cache_clear()
