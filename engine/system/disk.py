"""Private files that outlive a crash: opened through no link, written whole, their names synced too."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import AuditUnwritable

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


def at_home(path: str) -> Path:
    """A path in which `~` or `~user` may stand for a home folder. Raises OSError: there is no such home."""
    found = os.path.expanduser(path)  # noqa: PTH111 - Path's raises an error of no kind of its own
    if path.startswith("~") and found == path:
        raise FileNotFoundError(errno.ENOENT, "there is no such home folder", path)
    return Path(found)


def open_private(path: Path, flags: int) -> int:
    """Opens a file of this user's own, made when absent; its name is then on disk.

    Raises OSError: it cannot be opened, is a link, belongs to somebody else, or is not a regular file.
    """
    new = not os.path.lexists(path)
    file = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, PRIVATE_FILE)
    try:
        _refuse_foreign(os.fstat(file))
        if new:
            sync_folder(path.parent)
    except BaseException:
        os.close(file)
        raise
    return file


def _refuse_foreign(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it is not a regular file of this user")


def lock(path: Path, *, wait: bool = False) -> int | None:
    """Takes the lock that a private file stands for, until the handle is closed; None when another process has it.

    Whoever holds a lock may remove its file: one that is gone by the time it is locked is made anew.
    Raises OSError: the file cannot be opened, or its file system knows no locks.
    """
    while True:
        file = open_private(path, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _stands_for(file, path):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def read(path: Path) -> BinaryIO:
    """Opens a file to be read.

    Raises:
        FileNotFoundError: there is none; a link, a pipe, a device or a folder in its place is none.
        OSError: it cannot be read.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return os.fdopen(file, "rb")


def is_locked(path: Path) -> bool:
    """Whether a process has the lock; a look that writes nothing, so that it can be had where nothing can be written.

    Raises OSError: the file cannot be read, or its file system knows no locks.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _stands_for(file: int, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, each on disk. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Whatever was written to a file is on disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fdatasync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """A new name in a folder is on disk only once the folder is. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Sync:
    """Puts a file's data on disk for several threads: those who come while a sync is under way share the next one.

    A failed sync fails for good, since the system forgets what it could not write. Raises OSError.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._turn = threading.Lock()
        self._tickets = itertools.count(1)
        self._covered = 0
        self._failure: OSError | None = None

    def __call__(self) -> None:
        """Everything written before this call is on disk when it returns."""
        ticket = next(self._tickets)
        with self._turn:
            if self._failure is not None:
                raise self._failure
            if ticket > self._covered:
                covered = next(self._tickets)
                self._sync()
                self._covered = covered

    def _sync(self) -> None:
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self._failure = error
            raise


class Record:
    """A private file that is only added to, and that fails closed: after a failed write or sync nothing more is written.

    Args:
        name: what messages call it, such as "the audit log /path".

    Raises:
        AuditUnwritable: it cannot be opened; later, that it cannot be written or synced, or could not be at an earlier time.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._lock = threading.Lock()
        self._broken: AuditUnwritable | None = None
        try:
            self._file = self._open()
            self._begin()
        except OSError as error:
            raise AuditUnwritable(f"{name} cannot be opened: {error.strerror}", hint="check the state folder") from error
        self._sync = Sync(self._file)

    def _open(self) -> int:
        """The file's handle. Raises OSError."""
        return open_private(self._path, os.O_RDWR | os.O_APPEND)

    def _begin(self) -> None:
        """Takes up what the file holds; nothing, unless a kind of file has need of it. Raises OSError."""

    def sync(self) -> None:
        """Everything written so far is on disk when this returns. Raises AuditUnwritable."""
        self._refuse_broken()
        try:
            self._sync()
        except OSError as error:
            raise self._break("synced", error) from error

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._file)

    def _refuse_broken(self) -> None:
        if self._broken:
            raise self._broken

    def _break(self, verb: str, error: OSError) -> AuditUnwritable:
        """After a failure nobody knows what is on disk: nothing more is written."""
        message = f"{self._name} cannot be {verb}: {error.strerror}"
        self._broken = AuditUnwritable(
            message, hint="free the disk or mend the folder, then resume the run; if it had not begun, run it anew"
        )
        return self._broken


def replace(path: Path, content: bytes) -> None:
    """Puts a whole private file in the place of what was there, on disk when it returns. Raises OSError."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            write_whole(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        new.rename(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(file: int, data: bytes) -> None:
    """Writes all of it, however often the system stops short. Raises OSError."""
    while data:
        data = data[os.write(file, data) :]


def put_whole(path: Path, data: bytes, mode: int) -> None:
    """Puts a file in the place of an old one, of the same owner, at once: what a crash leaves is the old file or the new one.

    Raises OSError: nothing changed.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _own_as(path, file)
        os.fchmod(file, mode)
        write_whole(file, data)
        os.fsync(file)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    finally:
        os.close(file)
    sync_folder(path.parent)


def _own_as(path: Path, file: int) -> None:
    """Gives a file the owner of another, where there is one."""
    if path.exists():
        old, made = path.stat(), os.fstat(file)
        if (old.st_uid, old.st_gid) != (made.st_uid, made.st_gid):
            os.fchown(file, old.st_uid, old.st_gid)


def whole_lines(file: int) -> Iterator[bytes]:
    """Every line without its line feed; a line that a crash cut short is cut away. Raises OSError."""
    size, kept = os.fstat(file).st_size, 0
    with os.fdopen(os.dup(file), "rb") as lines:
        lines.seek(0)
        for line in lines:
            if not line.endswith(b"\n"):
                break
            kept += len(line)
            yield line[:-1]
    if kept < size:
        os.ftruncate(file, kept)


def last_line(file: int) -> tuple[bytes | None, int]:
    """The last whole line, without its line feed, and where it ends; what stands behind is what a crash left. Raises OSError."""
    size, reach = os.fstat(file).st_size, 4096
    while True:
        start = max(0, size - reach)
        chunk = os.pread(file, size - start, start)
        end = chunk.rfind(b"\n")
        begin = chunk.rfind(b"\n", 0, max(end, 0)) + 1
        if start == 0 or begin:
            return (chunk[begin:end], start + end + 1) if end >= 0 else (None, 0)
        reach *= 4
