"""The log of operators: what runs do, one line an event, on standard error, in a file or in the journal. Not the audit log.

It is on when somebody asks for it: by a flag, by OPSBOOK_LOG_LEVEL, OPSBOOK_LOG_FORMAT or OPSBOOK_LOG_FILE, or by `log:` in the
configuration. It decides nothing: what cannot be written is said once and is lost.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from engine import wording
from engine.audit import journal
from engine.contracts import Audience, Listener
from engine.errors import UsageError
from engine.system import disk
from engine.telling.lines import FORMS, journald

LEVELS = ("debug", "info", "warning", "error")
CHOICES: Mapping[str, tuple[str, ...]] = {"level": LEVELS, "format": tuple(FORMS)}
"""Setting → the words it may be."""
SETTINGS = (*CHOICES, "file")
PRIVATE = 0o600
APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
ALWAYS = ("run", "runbook", "step", "item")
"""Fields that every line has, so that they can be relied on."""
UNTOLD = frozenset({"again", "seq", "prev", "hash", "boot", "monotonic", "kept", "result", "runbook_sha256", "request_hash", "was"})
"""What only the audit log needs."""


class Sink(Protocol):
    """Where the log goes."""

    def write(self, record: Mapping[str, Any]) -> None:
        """One record. Raises OSError."""

    def close(self) -> None:
        """The run is over; another may begin."""


def listener(audience: Audience) -> Listener | None:
    """The log, where it is asked for. Raises UsageError."""
    wanted = _wanted(audience)
    if not wanted and "log" not in audience.settings:
        return None
    return Log(_sink(wanted, audience), wanted.get("level", "info"), audience)


def _wanted(audience: Audience) -> dict[str, str]:
    """What is asked for: flags before the environment before the configuration. Raises UsageError."""
    given = {name: os.environ.get(f"OPSBOOK_LOG_{name.upper()}", "") for name in SETTINGS}
    for name, choices in CHOICES.items():
        if given[name] and given[name] not in choices:
            raise UsageError(f"OPSBOOK_LOG_{name.upper()}={given[name]}: write {', '.join(choices)}")
    layers = (audience.settings.get("log", {}), given, audience.wanted)
    return {name: value for layer in layers for name, value in layer.items() if value}


def _sink(wanted: Mapping[str, str], audience: Audience) -> Sink:
    form = wanted.get("format") or _usual(wanted)
    line = FORMS[form].line
    if "file" in wanted:
        return _Stream(lambda: os.open(disk.at_home(wanted["file"]), APPENDING, PRIVATE), lambda record: f"{line(record)}\n".encode())
    if form == "journald" and journald.is_there():
        return _Stream(journald.connected, journald.datagram)
    return _StandardError(line, audience.voice.log)


def _usual(wanted: Mapping[str, str]) -> str:
    """The form nobody chose: what suits the place."""
    if "file" in wanted:
        return "json"
    if journald.is_standard_error():
        return "journald"
    return "people" if sys.stderr.isatty() else "json"


class Log:
    """See engine.contracts.Listener."""

    def __init__(self, sink: Sink, level: str, audience: Audience) -> None:
        library = journal.logging_library()
        self._sink, self._audience, self._lost = sink, audience, False
        self._log = library.wrap_logger(
            _Writer(sink),
            processors=[library.processors.add_log_level, _ordered, self._masked],
            wrapper_class=library.make_filtering_bound_logger(level),
        )

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Writes one line, unless an earlier process of the run wrote it. What a retry keeps of another run is told."""
        if self._lost or (fields.get("again") and not fields.get("kept")):
            return
        level, message = wording.of(event, fields)
        told = {name: value for name, value in fields.items() if name not in UNTOLD | {"event", "level", "message"}}
        try:
            getattr(self._log, level)(event, message=message, **told)
        except OSError as error:
            self._lost = True
            where = f" {error.filename}" if error.filename else ""
            self._audience.voice.warn(f"the log{where} cannot be written: {error.strerror}; what is done goes on without it")

    def flush(self) -> None:
        """Lets go of the file, which may be moved away before the next run."""
        self._sink.close()

    def _masked(self, _logger: Any, _method: str, record: dict[str, Any]) -> tuple[tuple[dict[str, Any]], dict[str, Any]]:
        return (self._audience.mask(record),), {}


def _ordered(_logger: Any, _method: str, record: dict[str, Any]) -> dict[str, Any]:
    """What people look for first comes first."""
    time = record.get("time") or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"time": time, "level": record["level"], "event": record["event"], "message": record["message"]}
    return {**head, **{name: record.get(name) for name in ALWAYS}, **{name: record[name] for name in sorted(record) if name not in head}}


class _Writer:
    """What the library hands each finished record to, under the name of its level."""

    def __init__(self, sink: Sink) -> None:
        self.debug = self.info = self.warning = self.error = sink.write


class _Stream:
    """A descriptor that is opened when something is to be written, and closed when a run is over.

    Each record is written at once, so that several processes may share a file.
    """

    def __init__(self, opened: Callable[[], int], spelt: Callable[[Mapping[str, Any]], bytes]) -> None:
        self._opened, self._spelt = opened, spelt
        self._lock = threading.Lock()
        self._handle: int | None = None

    def write(self, record: Mapping[str, Any]) -> None:
        """One record. Raises OSError."""
        with self._lock:
            if self._handle is None:
                self._handle = self._opened()
            disk.write_whole(self._handle, self._spelt(record))

    def close(self) -> None:
        """Until the next record."""
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


class _StandardError:
    """Lines on standard error."""

    def __init__(self, line: Callable[[Mapping[str, Any]], str], say: Callable[[str], None]) -> None:
        self._line, self._say = line, say

    def write(self, record: Mapping[str, Any]) -> None:
        """One line."""
        self._say(self._line(record))

    def close(self) -> None:
        """It stays open."""
