"""`core.write`: writes a file where the configuration allows it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.contracts import Call, Effect, Reply, Schema, StepContext
from engine.errors import AnswerLost, StepError
from steps import confined
from steps.fields import anything, exclusive, integer, list_of, map_of, needs_one_of, record, text
from steps.step import BaseStep, known

_FORMULA_MARKS = ("=", "@", "\t", "\r", "+", "-", "\uff1d", "\uff20", "\uff0b", "\uff0d")
_PHONE_OR_NUMBER = re.compile(r"[+-][\d\s().,-]*\Z")
_HINT = "give a path inside the run's folder, or list its folder under `write.allow` in the configuration"


class Write(BaseStep):
    """Writes one whole file, readable by its owner only, or leaves what was there.

    A relative path lies in the run's own folder; an absolute one must lie there or in a folder of `write.allow`. No `..`, and no
    symbolic link on the way: the folders are opened one by one and none is followed. Missing folders are made.

    `csv` takes a list of mappings; its columns are those of `columns`, else every key in the order of first sight. Text that a
    spreadsheet would take for a formula (it begins with `=`, `@`, tab, `+` or `-`) gets an apostrophe in front, except a `+` or
    `-` followed by digits, spaces and `.,()-` alone: phone numbers stay as they are.
    """

    name = "core.write"
    summary = "Writes a file, as text, CSV or JSON, whole or not at all."
    effect: Effect = "write"
    idempotency = "repeatable"
    inputs: Schema = record(
        required=("path",),
        path=text(min_length=1, max_length=1024),
        content=text(),
        csv=list_of(map_of(anything())),
        columns=list_of(text(), min_items=1),
        json=anything(),
    ) | {
        "allOf": [
            exclusive("content", "csv"),
            exclusive("content", "json"),
            exclusive("csv", "json"),
            needs_one_of("content", "csv", "json"),
            {"if": {"required": ["columns"]}, "then": {"required": ["csv"], "x-rule": "columns stands without csv"}},
        ],
    }

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Where the file is, its length in bytes and its SHA-256."""
        del written
        return record(required=("path", "bytes", "sha256"), path=text(), bytes=integer(0), sha256=text())

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Writes it. Raises StepError."""
        if context.planning:
            return self._plan(given, context)
        folder, parts = _place(given["path"], context)
        content = _content(given)
        told = {"path": str(folder.joinpath(*parts)), "bytes": len(content), "sha256": sha256(content).hexdigest()}

        def send() -> Reply:
            _write(folder, parts, content)
            return Reply(told)

        call = Call(self.name, "write", detail=told)
        try:
            context.call(call, send)
        except AnswerLost:
            context.call(call, send)
        return told

    def _plan(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Shows where it would write; length and hash wait for values that may not be known yet."""
        path = given["path"]
        if known(path):
            folder, parts = _place(path, context)
            path = str(folder.joinpath(*parts))
        context.call(Call(self.name, "write", detail={"path": path}), Reply)
        return self.unknown_outputs(given, context) | {"path": path}


def _place(path: str, context: StepContext) -> tuple[Path, tuple[str, ...]]:
    """The folder that may be written to, and the way from it."""
    return confined.place(path, [context.folder, *confined.allowed(context)], "written", _HINT)


def _content(given: Mapping[str, Any]) -> bytes:
    try:
        return _text(given).encode()
    except UnicodeEncodeError as exc:
        raise StepError("the content is not valid Unicode text", code="not_text", again="never") from exc
    except ValueError as exc:
        raise StepError("the content holds a number that JSON does not know (NaN, Infinity)", code="not_json", again="never") from exc


def _text(given: Mapping[str, Any]) -> str:
    if "content" in given:
        return str(given["content"])
    return _csv(given["csv"], given.get("columns")) if "csv" in given else _json(given["json"], indent=2) + "\n"


def _json(value: Any, indent: int | None = None) -> str:
    import json

    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None) -> str:
    """RFC 4180 with line feeds. The csv module leaves a lone carriage return unquoted, and with it a spreadsheet starts a new row."""
    names = list(columns) if columns else list(dict.fromkeys(key for row in rows for key in row))
    table: list[list[Any]] = [names, *([row.get(name) for name in names] for row in rows)]
    lines = [",".join(_quoted(_cell(value)) for value in line) for line in table]
    return "".join((line or '""') + "\n" for line in lines)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return _json(value)
    formula = value.startswith(_FORMULA_MARKS) and not _PHONE_OR_NUMBER.match(value)
    return "'" + value if formula else value


def _write(folder: Path, parts: tuple[str, ...], content: bytes) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            _replace(confined.descend(folder, parts[:-1], opened, make=True), parts[-1], content)
    except OSError as exc:
        raise StepError(
            f"{folder.joinpath(*parts)} could not be written: {exc.strerror}",
            code="write_failed",
            hint="check the folder's owner, rights and free space; symbolic links are not followed",
        ) from exc


def _replace(at: int, name: str, content: bytes) -> None:
    """Puts a whole, synced file in the place of whatever has the name, which is never followed."""
    temporary = f".{secrets.token_hex(8)}.part"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        os.unlink(temporary, dir_fd=at)
        raise
    os.fsync(at)
