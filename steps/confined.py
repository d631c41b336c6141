"""Files by path, confined to folders: the way to a file is opened folder by folder, and no link on it is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath

from engine.contracts import StepContext
from engine.errors import StepError


def allowed(context: StepContext) -> list[Path]:
    """The folders of `write.allow`."""
    return [Path(os.path.normpath(folder)) for folder in context.settings.get("write", {}).get("allow", ())]


def place(path: str, folders: Sequence[Path], verb: str, hint: str) -> tuple[Path, tuple[str, ...]]:
    """The folder that holds a path, and the way from it; a relative path begins in the first folder. Raises StepError."""
    wanted = PurePosixPath(path)
    if ".." in wanted.parts or "\0" in path:
        raise _refused(path, "it holds `..` or a NUL character", verb, hint)
    if not wanted.is_absolute():
        wanted = PurePosixPath(folders[0], wanted)
    for folder in folders:
        if wanted == PurePosixPath(folder):
            raise _refused(path, "it names a folder", verb, hint)
        if wanted.is_relative_to(folder):
            return folder.resolve(), wanted.relative_to(folder).parts
    raise _refused(path, "it is outside every folder that is allowed", verb, hint)


def _refused(path: str, reason: str, verb: str, hint: str) -> StepError:
    return StepError(f"{path} may not be {verb}: {reason}", code="path_refused", again="never", hint=hint)


def descend(folder: Path, names: Sequence[str], opened: ExitStack, *, make: bool) -> int:
    """The last folder on the way, opened until `opened` closes; `make`: missing ones are made. Raises OSError, also for a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    at = os.open(folder, flags)
    opened.callback(os.close, at)
    for name in names:
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=at)
        at = os.open(name, flags | os.O_NOFOLLOW, dir_fd=at)
        opened.callback(os.close, at)
    return at


def read(folder: Path, way: Sequence[str], most: int) -> bytes | None:
    """The content of a file, at most `most` bytes of it; None for what is no regular file. Raises OSError, also for a link."""
    with ExitStack() as opened:
        at = descend(folder, way[:-1], opened, make=False)
        handle = os.open(way[-1], os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)  # a pipe would wait for its writer
        opened.callback(os.close, handle)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
