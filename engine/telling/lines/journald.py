"""The journal of systemd: its own protocol where its socket is, else lines that begin with their priority.

Facts: systemd's documents "Native Journal Protocol", sd-daemon(3) for `<N>`, systemd.exec(5) for JOURNAL_STREAM.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.redaction import one_line
from engine.telling.lines import people

SOCKET = "/run/systemd/journal/socket"
PRIORITIES = {"error": 3, "warning": 4, "info": 6, "debug": 7}
PREFIX = "OPSBOOK_"
"""Of the names of our own fields."""


def line(record: Mapping[str, Any]) -> str:
    """`<6>run runbook step: message`, which the journal reads as a priority and a message; it has a time of its own."""
    return f"<{PRIORITIES[record['level']]}>" + one_line(f"{people.where(record)}{record['message']}")


def is_standard_error() -> bool:
    """Whether standard error goes to the journal."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def is_there() -> bool:
    """Whether this machine has a journal to write to."""
    return Path(SOCKET).is_socket()


def connected() -> int:
    """The journal's socket, as a descriptor. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.connect(SOCKET)
        return made.detach()


def datagram(record: Mapping[str, Any]) -> bytes:
    """A record in the journal's own protocol: OPSBOOK_RUN, OPSBOOK_STEP and the like can be searched for."""
    fixed = {
        "MESSAGE": f"{people.where(record)}{record['message']}",
        "PRIORITY": str(PRIORITIES[record["level"]]),
        "SYSLOG_IDENTIFIER": "opsbook",
    }
    own = {PREFIX + name: value for name, value in _flat("", {key: record[key] for key in record if key not in ("level", "message")})}
    return b"".join(_field(name, one_line(value)) for name, value in (fixed | own).items())


def _flat(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text and number, named by its path: `error.code` as ERROR_CODE."""
    for name, part in value.items():
        key = "".join(char if char.isascii() and char.isalnum() else "_" for char in f"{prefix}{name}".upper())
        if isinstance(part, Mapping):
            yield from _flat(f"{key}_", part)
        elif part is not None:
            yield key, str(part)


def _field(name: str, value: str) -> bytes:
    return f"{name}={value}\n".encode("utf-8", "replace")
