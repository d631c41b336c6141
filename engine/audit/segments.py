"""The files of a log that grows: `audit.jsonl`, then `audit.2.jsonl`, `audit.3.jsonl` … Nearly every log has only the first."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import AuditUnwritable
from engine.system import disk

DEFAULT_SIZE = 64 * 1024**2
"""Bytes after which a log goes on in a new file."""
UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "pattern": r"^[1-9][0-9]{0,5}(KiB|MiB|GiB)$",
    "x-rule": "write a whole number and KiB, MiB or GiB, such as 64MiB",
    "description": "Size after which a log goes on in another file.",
}


def size(settings: Mapping[str, Any]) -> int:
    """Bytes after which a log goes on in a new file, given the configuration."""
    written = settings.get("audit", {}).get("segment")
    return int(written[:-3]) * UNITS[written[-3:]] if written else DEFAULT_SIZE


@contextmanager
def opened(part: Path) -> Iterator[BinaryIO]:
    """One file of a log, to be read. Raises FileNotFoundError, and AuditUnwritable when it cannot be read."""
    try:
        with disk.read(part) as file:
            yield file
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AuditUnwritable(f"the audit log {part} cannot be read: {error.strerror}", hint="check the state folder") from error


def name(path: Path, number: int) -> Path:
    """Where a log's segment lies, counted from 1."""
    return path if number == 1 else path.with_name(f"{path.stem}.{number}{path.suffix}")


def every(path: Path) -> Iterator[Path]:
    """The first segment and all up to the last that is there, in order; one that is missing between them too.

    A segment that is begun while the others are read comes as well. Raises OSError when the folder cannot be read.
    """
    yield path
    number = 2
    while (part := name(path, number)).exists() or number < _last(path):
        yield part
        number += 1


def exists(path: Path) -> bool:
    """Whether any segment is there."""
    return path.exists() or _last(path) > 0


def _last(path: Path) -> int:
    """The highest number among the segments after the first; 0 when there is none."""
    numbered = re.compile(rf"{re.escape(path.stem)}\.([2-9]|[1-9][0-9]{{1,5}}){re.escape(path.suffix)}")
    with suppress(FileNotFoundError), os.scandir(path.parent) as entries:
        return max((int(found[1]) for entry in entries if (found := numbered.fullmatch(entry.name))), default=0)
    return 0
