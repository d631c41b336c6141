"""Adds a connection or a key to a configuration file, whose every other byte stays as it is.

The new text is put at the place that reading the file told, read back, and put in the file's place whole: what a crash leaves is the old
file or the new one.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine import config, source
from engine.errors import Invalid, UsageError
from engine.source import Document
from engine.system import disk

_PLAIN = re.compile(r"(?!(?:true|false|null)\Z)[A-Za-z][A-Za-z0-9_-]*")
_MARK = "\ufeff"
_STEP = 2
_READABLE = 0o644
"""Mode of a new file: it holds no secret, and a project's is everybody's."""


@contextmanager
def adding(path: Path, name: str, settings: Mapping[str, Any], key: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[bool]:
    """Adds a key to the connection `name` of a file, and the connection and the file where they are not there yet.

    What speaks against it is raised at the beginning; the file is written at the end, unless what is done in between fails.

    Args:
        path: the file.
        name: of the connection.
        settings: of the connection, apart from its keys; of a connection that is there, they stay as they are.
        key: one entry of its `keys`.
        schema: of one connection.

    Gives whether the file changes: a key that is there already is not added again.

    Raises:
        Invalid: the file cannot be read or breaks the schema.
        UsageError: the same reference is there as another key, or the file cannot be changed.
    """
    path = Path(os.path.realpath(path))
    try:
        disk.make_folder(path.parent)
        with _alone(path.parent):
            made = _made(path, name, settings, key, schema)
            if made is not None and not os.access(path.parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            yield made is not None
            if made is not None:
                disk.put_whole(path, made, path.stat().st_mode & 0o7777 if path.exists() else _READABLE)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="check the folder, or name another file") from error


def _made(path: Path, name: str, settings: Mapping[str, Any], key: Mapping[str, Any], schema: Mapping[str, Any]) -> bytes | None:
    """What the file is to hold; None when the key is there already."""
    content = source.content(path) if path.exists() else b""
    value = config.checked(content, path, schema) or {}
    present = value.get("connections", {}).get(name)
    if present is not None and _is_there(path, name, present, key):
        return None
    document = source.read(content, str(path))
    wanted = _wanted(value, name, settings, key)
    mark = _MARK if content.decode().startswith(_MARK) else ""
    made = (mark + _added(document, name, settings, key)).encode()
    try:
        whole = config.checked(made, path, schema) == wanted
    except Invalid:
        whole = False
    if not whole:
        entry = _flow({"connections": {name: {**settings, "keys": [key]}}})
        raise UsageError(
            f"{path} is written in a way that cannot be added to safely; it was left as it is", hint=f"add it yourself: {entry}"
        )
    return made


def _is_there(path: Path, name: str, present: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
    """Whether the connection has the key. Raises UsageError when what it says of it differs."""
    same = [one for one in present.get("keys", ()) if one["secret"] == key["secret"]]
    if same and dict(same[0]) != dict(key):
        said = _flow({part: text for part, text in same[0].items() if part != "secret"})
        raise UsageError(f"connections.{name} of {path} has this key already, as {said}", hint="change it there, or take it out first")
    return bool(same)


def _wanted(value: Mapping[str, Any], name: str, settings: Mapping[str, Any], key: Mapping[str, Any]) -> Any:
    """What the file is to hold; an alias is one thing in reading and may be changed only as its own."""
    wanted = json.loads(json.dumps(value))
    connection = wanted.setdefault("connections", {}).setdefault(name, dict(settings))
    connection.setdefault("keys", []).append(dict(key))
    return wanted


def _added(document: Document, name: str, settings: Mapping[str, Any], key: Mapping[str, Any]) -> str:
    """The file's text with the key in it."""
    value = document.value or {}
    connections = value.get("connections", {})
    whole = {**settings, "keys": [key]}
    if not value:
        return _appended(document.text, _block("connections", {name: whole}))
    if "connections" not in value:
        return _inserted(document, (), _block("connections", {name: whole}), _flow({"connections": {name: whole}})[1:-1])
    if name not in connections:
        return _inserted(document, ("connections",), _block(name, whole), _flow({name: whole})[1:-1])
    if "keys" not in connections[name]:
        return _inserted(document, ("connections", name), _block("keys", [key]), _flow({"keys": [key]})[1:-1])
    return _inserted(document, ("connections", name, "keys"), [f"- {_flow(key)}"], _flow(key))


def _inserted(document: Document, path: source.Path, lines: Sequence[str], flow: str) -> str:
    """The text with one more entry at the end of the mapping or list at `path`, in the style that it is written in."""
    text = document.text
    start, end = document.extent(path)
    if text[start] in "{[":
        return _into_flow(document, path, flow)
    column = _column(document, path)
    at = _past_comments(text, _line_end(text, end), column if path else -1)
    return _put(text, at, [" " * column + line for line in lines])


def _into_flow(document: Document, path: source.Path, flow: str) -> str:
    """Right behind the last entry, before what commas and comments follow it."""
    text, held = document.text, _at(document.value, path)
    if not held:
        at = document.extent(path)[0] + 1
        return text[:at] + flow + text[at:]
    at = document.extent((*path, _last(held)))[1]
    return f"{text[:at]}, {flow}{text[at:]}"


def _column(document: Document, path: source.Path) -> int:
    """Where the entries of a block begin, from 0."""
    held = _at(document.value, path)
    first = (*path, next(iter(held)) if isinstance(held, Mapping) else 0)
    place = document.place(first, key=True)
    return place.column - 1 if isinstance(held, Mapping) else document.line(place.line)[: place.column - 1].rindex("-")


def _at(value: Any, path: source.Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _last(held: Any) -> str | int:
    return list(held)[-1] if isinstance(held, Mapping) else len(held) - 1


def _line_end(text: str, at: int) -> int:
    """Where the line ends that a place is in, before its line break."""
    found = text.find("\n", at)
    end = len(text) if found < 0 else found
    return end - 1 if text[at:end].endswith("\r") else end


def _past_comments(text: str, at: int, column: int) -> int:
    """The end of the last of the comments that stand deeper than a column, which are about what is before them."""
    deeper = re.compile(rf"(?:\r?\n[ \t]*)*\r?\n {{{column + 1},}}#[^\r\n]*")
    while match := deeper.match(text, at):
        at = match.end()
    return at


def _put(text: str, at: int, lines: Sequence[str]) -> str:
    """The text with lines behind the line that ends at a place."""
    end = "\r\n" if "\r\n" in text else "\n"
    put = "".join(end + line for line in lines)
    return text[:at] + put + (text[at:] or end)


def _appended(text: str, lines: Sequence[str]) -> str:
    return _put(text, len(text.rstrip("\r\n")), lines) if text.strip() else "\n".join(lines) + "\n"


def _block(name: str, value: Any) -> list[str]:
    """A mapping's entry in block style; the entries of lists in flow style, one a line."""
    if isinstance(value, Mapping):
        inner = [line for part, held in value.items() for line in _block(part, held)]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inner = [f"- {_flow(item)}" for item in value]
    else:
        return [f"{_flow(name)}: {_flow(value)}"]
    return [f"{_flow(name)}:", *(" " * _STEP + line for line in inner)]


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(name)}: {_flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value) if _PLAIN.fullmatch(str(value)) else json.dumps(value, ensure_ascii=False)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else who asks changes a file in the folder meanwhile. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
