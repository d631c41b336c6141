"""A lock over processes that is first come, first served, whoever is killed while waiting.

Whoever has to wait draws a ticket: a locked file, named by its number, in a folder beside the lock. The lowest ticket that is still
locked is next; one whose process has died is locked by nobody, and thrown away by whoever looks at it. While somebody waits, nobody
who comes later gets the lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.system import disk


def take(lock: Path) -> int | None:
    """The lock's handle, which holds it until it is closed; None when somebody has it or waits for it. Raises OSError."""
    return disk.lock(lock) if _first(_queue(lock)) is None else None


def wait_for(lock: Path, pause: Callable[[], None]) -> int:
    """The lock's handle, in turn; `pause` is called between two looks and may raise. Raises OSError."""
    handle = take(lock)
    if handle is not None:
        return handle
    with _ticket(_queue(lock)) as ticket:
        while _first(_queue(lock)) != ticket or (handle := disk.lock(lock)) is None:
            pause()
    return handle


def _queue(lock: Path) -> Path:
    return lock.with_suffix(".queue")


@contextmanager
def _ticket(queue: Path) -> Iterator[Path]:
    """Stands at the end of the queue."""
    with _alone(queue):
        ticket = queue / f"{max([0, *map(int, _numbers(queue))]) + 1:09}"
        handle = disk.lock(ticket)
    assert handle is not None, "its number is new"
    try:
        yield ticket
    finally:
        ticket.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def _alone(queue: Path) -> Iterator[None]:
    """Nobody else draws or looks: a ticket that is being drawn must not look like one whose process has died."""
    door = _door(queue)
    try:
        yield
    finally:
        os.close(door)


def _door(queue: Path) -> int:
    """Whoever holds it may draw a ticket, look at those that are drawn, or remove the queue."""
    while True:
        disk.make_folder(queue)
        with suppress(FileNotFoundError):  # it was removed meanwhile
            handle = disk.lock(queue / "door", wait=True)
            assert handle is not None, "it was waited for"
            return handle


def forget(lock: Path) -> bool:
    """Removes a lock that nobody has or waits for; whether it did. Raises OSError."""
    handle = take(lock)
    if handle is None:
        return False
    try:
        with _alone(_queue(lock)):
            if _numbers(_queue(lock)):
                return False
            shutil.rmtree(_queue(lock))
            lock.unlink()
    finally:
        os.close(handle)
    return True


def _numbers(queue: Path) -> list[str]:
    return sorted(entry.name for entry in queue.iterdir() if entry.name.isdecimal())


def _first(queue: Path) -> Path | None:
    """The lowest ticket that somebody holds."""
    if not queue.is_dir():
        return None
    with _alone(queue):
        return next((queue / name for name in _numbers(queue) if _held(queue / name)), None)


def _held(ticket: Path) -> bool:
    """Whether its process lives; throws the ticket away when it does not."""
    try:
        handle = os.open(ticket, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ticket.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
