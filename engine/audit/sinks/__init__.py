"""Second places for the audit log: one file a kind, listed by the key that stands for it in `audit.sinks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.audit.sinks import file, syslog
from engine.contracts import Sink
from engine.errors import AuditUnwritable

SINKS: dict[str, Callable[[str], Sink]] = {
    "file": file.FileSink,
    "syslog": syslog.SyslogSink,
}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "file": file.SCHEMA,
        "syslog": syslog.SCHEMA,
        "required": {"type": "boolean", "description": "Nothing is sent that this place does not take; otherwise a warning is said once."},
    },
    "additionalProperties": False,
    "oneOf": [{"required": [name]} for name in SINKS],
    "x-rule": "write {file: /path} or {syslog: local}, and required: true where nothing may be sent without it",
}


def kind(setting: Mapping[str, Any]) -> str:
    """Which sink a setting asks for."""
    return next(name for name in SINKS if name in setting)


def opened(settings: Sequence[Mapping[str, Any]], warn: Callable[[str], None]) -> Sink | None:
    """All that the configuration asks for, as one; None when it asks for none.

    Raises AuditUnwritable when one that is required cannot be opened.
    """
    return Group([_Member.of(setting, warn) for setting in settings]) if settings else None


class Group:
    """Several sinks as one. Raises what a required one raises."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._members = members

    def write(self, line: bytes) -> None:
        """Hands a line to each. Raises OSError."""
        for member in self._members:
            member.do(lambda sink: sink.write(line))

    def catch_up(self, line: bytes) -> None:
        """Offers a line to each once more. Raises OSError."""
        for member in self._members:
            member.do(lambda sink: sink.catch_up(line))

    def sync(self) -> None:
        """Syncs each. Raises OSError."""
        for member in self._members:
            member.do(lambda sink: sink.sync())

    def close(self) -> None:
        """Closes each."""
        for member in self._members:
            member.close()


@dataclass(slots=True)
class _Member:
    """A sink, and what happens when it fails. One that has failed is closed with the others: a sync of it may be under way."""

    name: str
    required: bool
    warn: Callable[[str], None]
    sink: Sink | None = None
    failed: bool = False

    @classmethod
    def of(cls, setting: Mapping[str, Any], warn: Callable[[str], None]) -> _Member:
        which = kind(setting)
        member = cls(f"{which} {setting[which]}", setting.get("required", False), warn)
        try:
            member.sink = SINKS[which](setting[which])
        except OSError as error:
            if member.required:
                why = f"the audit log's sink {member.name} cannot be opened: {error.strerror or error}"
                raise AuditUnwritable(why, hint="mend it, or take it out of audit.sinks") from error
            member.give_up(error)
        return member

    def do(self, work: Callable[[Sink], None]) -> None:
        """Something with the sink, unless it has failed before. Raises OSError when it is required."""
        if self.sink is None or self.failed:
            return
        try:
            work(self.sink)
        except OSError as error:
            if self.required:
                raise OSError(error.errno, f"its sink {self.name}: {error.strerror or error}") from error
            self.give_up(error)

    def give_up(self, error: OSError) -> None:
        """Says that this place gets no more."""
        self.failed = True
        self.warn(f"the audit log's sink {self.name} has failed and gets no more of this run: {error.strerror or error}")

    def close(self) -> None:
        """Gives it back."""
        if self.sink is not None:
            self.sink.close()
