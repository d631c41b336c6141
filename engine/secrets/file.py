"""`file:/path`: the whole of a small file."""

from __future__ import annotations

import contextlib
import os
import stat

from engine.errors import KeyProblem
from engine.system import disk

FORM = "file:/path"
NAME = r"[^\x00\r\n]+"

LARGEST = 65536


def read(name: str) -> str:
    """The file's text. Raises KeyProblem when it cannot be read, is not a regular file, or others may change it."""
    try:
        handle = os.open(disk.at_home(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise KeyProblem(f"the secret file {name} cannot be read: {error.strerror}", hint="check the path and its owner") from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise KeyProblem(f"the secret file {name} is not a regular file")
        if found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise KeyProblem(f"the secret file {name} is open to other users", hint=f"chmod 600 {name}")
        content = os.read(handle, LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise KeyProblem(f"the secret file {name} is larger than {LARGEST} bytes; a key is not")
    with contextlib.suppress(UnicodeDecodeError):  # that error holds the content: nothing is raised on top of it
        return content.decode()
    raise KeyProblem(f"the secret file {name} is not UTF-8 text")


def holds(name: str) -> bool:
    """Whether there is such a file."""
    with contextlib.suppress(OSError):
        return os.path.lexists(disk.at_home(name))
    return False


def store(name: str, value: str) -> None:
    """Puts the value into the file, which only its owner may read. Raises KeyProblem when it cannot be written."""
    try:
        path = disk.at_home(name)
        disk.make_folder(path.parent)
        disk.put_whole(path, f"{value}\n".encode(), disk.PRIVATE_FILE)
    except OSError as error:
        raise KeyProblem(f"the secret file {name} cannot be written: {error.strerror}", hint="check its folder") from None
