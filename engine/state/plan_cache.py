"""Files that were read and found clean, kept so that an unchanged one need not be parsed and checked again: most of what a cron run costs.

An entry is named by the hash of all that its verdict rests on: opsbook's code, the file's bytes, and what else the checks looked at. It
begins with the hash of what it holds. An entry that does not fit is as good as none, and a folder that cannot be used is no error.

A value is written once the keys of the run are known, and only when it holds none of them: a key that was pasted into a file must not
lie here too.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.system import disk

MOST = 500
"""Entries; the oldest go."""


class PlanCache:
    """A private folder of plain values.

    Args:
        code: folders of the code that reads and checks.
    """

    def __init__(self, folder: Path, code: Iterable[Path]) -> None:
        self._folder = folder
        self._code = tuple(code)
        self._found: dict[str, Any] = {}

    def key(self, *facts: bytes) -> str:
        """The name of an entry that rests on these facts and on the code."""
        return _hash(b"".join(_hash(fact).encode() for fact in (self._version, *facts)))

    def get(self, key: str) -> Any | None:
        """The value kept under a key, or None."""
        try:
            digest, _, text = (self._folder / key).read_bytes().partition(b"\n")
        except OSError:
            return None
        return json.loads(text) if digest.decode(errors="replace") == _hash(text) else None

    def put(self, key: str, value: Any) -> None:
        """Holds a value of plain JSON ready to be kept."""
        self._found[key] = value

    def keep(self, mask: Callable[[Any], Any]) -> None:
        """Writes what is ready; what holds a secret, so that `mask` changes it, is dropped."""
        for key, value in self._found.items():
            if mask(value) == value:
                self._write(key, value)
        self._found.clear()

    def _write(self, key: str, value: Any) -> None:
        text = json.dumps(value).encode()
        new = self._folder / f"{key}.{secrets.token_hex(4)}"
        with suppress(OSError):
            disk.make_folder(self._folder)
            file = disk.open_private(new, os.O_WRONLY)
            try:
                disk.write_whole(file, _hash(text).encode() + b"\n" + text)
            finally:
                os.close(file)
            new.replace(self._folder / key)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        entries = sorted(self._folder.iterdir(), key=lambda entry: entry.stat().st_mtime)
        for entry in entries[:-MOST]:
            entry.unlink()

    @cached_property
    def _version(self) -> bytes:
        """The interpreter, and every source file with its size and time: whoever mends a check by hand is not answered from before."""
        files = sorted(line for folder in self._code for line in _files(folder))
        return "\n".join([sys.version, *files]).encode()


def _files(folder: Path | str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path)
            elif entry.name.endswith(".py"):
                found = entry.stat()
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
