"""A YAML file → plain Python values that remember where they stand.

`read` takes a text, `load` a file; both return a Document or raise Invalid with every finding. What is read, and what is refused:

RB001  the file cannot be read, or is not UTF-8.
RB002  not YAML, or characters that a reviewer could not see.
RB003  a key stands twice in one mapping.
RB004  tags, directives, merge keys, a second document, aliases of nothing: YAML that a runbook may not hold.
RB005  larger, deeper or longer than the Limits.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from engine.errors import Finding, Invalid, Place
from engine.source.events import LIMIT, Flawed, Limits, Reading, Span
from engine.source.troubles import SYNTAX, Flaw, line_end, line_number, line_start

__all__ = ["Document", "Limits", "Path", "load", "read"]

Path = tuple[str | int, ...]
"""Keys and list indices from the root, which is `()`."""

UNREADABLE = "RB001"

_DEFAULTS = Limits()
_SHOWN = 1000  # characters of a source line that go into a finding

# Control characters, line breaks only YAML 1.1 knows, and characters that make text read otherwise than it runs.
_REFUSED = "[^\t\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_TOKEN = re.compile(r"\S+")
_NOQA = re.compile(r"(?:^|[ \t])(#)[ \t]*noqa(?::[ \t]*([A-Z]+[0-9]+(?:[ \t,]+[A-Z]+[0-9]+)*))?[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read.

    Attributes:
        file: its name, as the user typed it.
        text: its text, without a byte order mark.
        value: what it holds; None for an empty file. Aliases of one anchor are one object: do not change values in place.
    """

    file: str
    text: str
    value: Any
    _root: Span = field(repr=False, compare=False)
    _literals: tuple[tuple[int, int], ...] = field(repr=False, compare=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` stands, or its key; else the nearest ancestor that exists.

        What an alias stands for is found at its anchor, where it would have to be changed; its key stands where it is used.
        """
        return self._place(self._span(path, key=key))

    def line(self, number: int) -> str:
        """The source line, counted from 1, without its line break; empty when there is none."""
        start = self._line_start(number)
        return self.text[start : line_end(self.text, start)]

    def extent(self, path: Path) -> tuple[int, int]:
        """Where in `text` the value at `path` begins and ends, without the blank lines and comments behind it."""
        span = last = self._span(path)
        while last.children and self.text[last.start] not in "{[":
            last = list(last.children.values())[-1] if last.keys is not None else last.children[-1]
        return span.start, last.start + len(self.text[last.start : last.end].rstrip())

    def locate(self, path: Path, fragment: str) -> tuple[Place, int]:
        """Where `fragment` stands as a word in the raw scalar at `path`, and its width; else the scalar's start and width."""
        span = self._span(path)
        left = r"(?<![\w.])" if re.match(r"\w", fragment) else ""
        right = r"(?!\w)" if re.search(r"\w\Z", fragment) else ""
        raw = "" if span.children is not None else self.text[span.start : span.end]
        found = re.search(left + re.escape(fragment) + right, raw) if fragment else None
        if not found:
            return self._place(span), self._width(span)
        start = span.start + found.start()
        line = span.line + raw.count("\n", 0, found.start())
        return Place(self.file, line, start - line_start(self.text, start) + 1), len(fragment)

    def finding(
        self,
        id: str,  # noqa: A002 - the name that Finding has
        message: str,
        path: Path,
        *,
        key: bool = False,
        fragment: str | None = None,
        severity: Literal["error", "warning"] = "error",
        hint: str | None = None,
    ) -> Finding:
        """A finding about the value at `path`, its key, or `fragment` inside it, with the source line and the caret's width."""
        if fragment is None:
            span = self._span(path, key=key)
            place, width = self._place(span), self._width(span)
        else:
            place, width = self.locate(path, fragment)
        return Finding(id, severity, message, hint=hint).at(place, _shown(self.line(place.line), place.column), width)

    def noqa(self, line: int) -> frozenset[str] | None:
        """The ids that a `# noqa: RB101, RB102` ending the line names; empty for `# noqa`, which means all; None without one."""
        start = self._line_start(line)
        match = _NOQA.search(self.line(line))
        if not match or any(first <= start + match.start(1) < last for first, last in self._literals):
            return None
        return frozenset(re.findall("[A-Z]+[0-9]+", (match[2] or "").upper()))

    def _line_start(self, number: int) -> int:
        starts = _line_starts(self.text)
        return starts[number - 1] if number <= len(starts) else len(self.text)

    def _place(self, span: Span) -> Place:
        return Place(self.file, span.line, span.start - line_start(self.text, span.start) + 1)

    def _span(self, path: Path, *, key: bool = False) -> Span:
        span, keys = self._root, None
        for part in path:
            try:
                span, keys = span.children[part], span.keys
            except (LookupError, TypeError):
                return span
        return keys[path[-1]] if key and keys else span

    def _width(self, span: Span) -> int:
        """All of a span on one line, else its first word."""
        raw = self.text[span.start : span.end].rstrip()
        word = _TOKEN.match(raw)
        return len(word[0] if "\n" in raw and word else raw) or 1


def load(path: str | os.PathLike[str], limits: Limits = _DEFAULTS) -> Document:
    """Reads a file. Never waits: pipes and devices are refused. Raises Invalid."""
    return read(content(path, limits), os.fspath(path), limits)


def content(path: str | os.PathLike[str], limits: Limits = _DEFAULTS) -> bytes:
    """A file's bytes, for `read`; one too many when it is too large. Never waits. Raises Invalid."""
    return _content(os.fspath(path), limits.size + 1)


def load_text(path: str | os.PathLike[str], limit: int) -> str:
    """Reads a UTF-8 file of at most `limit` bytes that is not YAML, as carefully as `load`. Raises Invalid."""
    file = os.fspath(path)
    data = _content(file, limit + 1)
    if len(data) > limit:
        raise _unreadable(f"{file} is larger than {limit} bytes", "give less at a time")
    return _decoded(data, file, limit).removeprefix("\ufeff")


@lru_cache(maxsize=4)
def _line_starts(text: str) -> tuple[int, ...]:
    """Where each line begins: thousands of findings must not each count the lines anew."""
    return (0, *(end.end() for end in re.finditer("\n", text)))


def read(text: str | bytes, file: str, limits: Limits = _DEFAULTS) -> Document:
    """Reads a text; `file` is what places call it. Raises Invalid."""
    plain = text.removeprefix("\ufeff") if isinstance(text, str) else decoded(text, file, limits)
    try:
        _check_text(plain, len(text), limits.size)
        reading = Reading(plain, limits)
        reading.run()
    except Flawed as error:
        raise Invalid([_finding(plain, file, flaw) for flaw in error.flaws]) from None
    return Document(file, plain, reading.value, reading.root, tuple(reading.literals))


def decoded(data: bytes, file: str, limits: Limits = _DEFAULTS) -> str:
    """The text of a file's bytes, without a byte order mark. Raises Invalid."""
    return _decoded(data, file, limits.size).removeprefix("\ufeff")


def _content(file: str, size: int) -> bytes:
    try:
        with open(file, "rb", opener=_opened) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise _unreadable(f"{file} is {_KINDS.get(stat.S_IFMT(mode), 'no regular file')}", "name a regular file")
            return stream.read(size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise _unreadable(f"cannot read {file}: {reason}", "check the name and its permissions") from None


def _opened(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_NONBLOCK | os.O_NOCTTY)  # opening a pipe must not wait for its other end


def _unreadable(message: str, hint: str) -> Invalid:
    return Invalid([Finding(UNREADABLE, "error", message, hint=hint)])


_KINDS = {
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def _decoded(data: bytes, file: str, limit: int) -> str:
    if len(data) > limit:
        return data[:limit].decode(errors="replace")  # refused for its size, wherever that cuts a character
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        flaw = Flaw(UNREADABLE, "the file is UTF-16", 0, 1, "save it as UTF-8")
        raise Invalid([_finding("", file, flaw)])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode().removeprefix("\ufeff")
        flaw = Flaw(UNREADABLE, f"byte 0x{data[error.start]:02x} is not UTF-8", len(readable), 1, "save the file as UTF-8")
        raise Invalid([_finding(readable + "\ufffd", file, flaw)]) from None


def _check_text(text: str, size: int, limit: int) -> None:
    if size > limit:
        raise Flawed([Flaw(LIMIT, f"the file is larger than {limit} bytes", min(limit, len(text)), 1, "split the file")])
    match = re.search(_REFUSED, text.replace("\r\n", " \n"))
    if match:
        code = f"{ord(match[0]):04X}"
        message = f"character U+{code} cannot be seen and is not allowed here"
        hint = "end lines with a line feed" if code == "000D" else f"delete it, or write it in double quotes as \\u{code}"
        raise Flawed([Flaw(SYNTAX, message, match.start(), 1, hint)])


def _finding(text: str, file: str, flaw: Flaw) -> Finding:
    start = line_start(text, flaw.start)
    place = Place(file, line_number(text, flaw.start), flaw.start - start + 1)
    source = _shown(text[start : line_end(text, start)], place.column)
    return Finding(flaw.id, "error", flaw.message, hint=flaw.hint).at(place, source, flaw.width)


def _shown(line: str, column: int) -> str | None:
    return line[:_SHOWN] if column <= _SHOWN else None
