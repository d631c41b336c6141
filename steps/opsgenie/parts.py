"""An operation and what it was given, as the parts of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from engine.contracts import StepContext
from engine.errors import StepError
from steps import confined
from steps.operation import Operation
from steps.step import known

MAX_FILE = 20 * 1024 * 1024
"""Most bytes of one uploaded file."""
BOUNDARY = "opsbook-5f1d7c0e9a3b4e62"
"""Fixed, so that the same upload is the same request; a file that holds it is refused."""
_HINT = "Give a file of the project (the folder of opsbook.yaml), of the run's own folder, or of a folder listed under `write.allow`."


@dataclass(frozen=True, slots=True)
class Parts:
    """A request without its host.

    Attributes:
        path: percent-encoded.
        template: the path with its fields in braces, and `ids` their values.
        form: sent as multipart; those named in `files` are paths of files.
    """

    method: str
    path: str
    template: str
    ids: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, Any] | None = None
    files: frozenset[str] = frozenset()

    def target(self) -> str:
        """Path and query."""
        pairs = [(name, _query_text(value)) for name, value in self.query.items()]
        return self.path + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")

    def check_files(self, context: StepContext) -> None:
        """Whether each file that is known already lies where files may be read. Raises StepError."""
        for name in self.files & (self.form or {}).keys():
            if self.form and known(self.form[name]):
                _place(str(self.form[name]), context)

    def content(self, context: StepContext) -> tuple[bytes | None, str | None]:
        """The bytes of the body and their type. Raises StepError when a file cannot be read."""
        if self.form is not None:
            return _multipart(self.form, self.files, context), f"multipart/form-data; boundary={BOUNDARY}"
        if self.body is None:
            return None, None
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(), "application/json"


def parts_of(operation: Operation, given: Mapping[str, Any]) -> Parts:
    """The request of an operation: each given field goes where its row says. Raises StepError when a text holds half a character."""
    _check_whole(given)
    body = {name: given[name] for name in operation.body if name in given}
    form = {name: given[name] for name in operation.form if name in given}
    return Parts(
        method=operation.method,
        path=operation.url_path(given),
        template=operation.path_template,
        ids={name: given[name] for name in operation.path_names},
        query={name: _joined(given[name], operation.query[name]) for name in operation.query if name in given},
        body=body if operation.body and operation.method != "GET" else None,
        form=form if operation.form else None,
        files=frozenset(name for name, schema in operation.form.items() if schema.get("x-file")),
    )


def _check_whole(given: Mapping[str, Any]) -> None:
    """Text from outside may hold half of a surrogate pair, which no request can carry."""
    try:
        json.dumps(given, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise StepError("a text is not valid Unicode: it holds half of a character", code="invalid_input", again="never") from None


def _joined(value: Any, schema: Mapping[str, Any]) -> Any:
    return ",".join(map(str, value)) if schema.get("x-style") == "csv" and isinstance(value, (list, tuple)) else value


def _query_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (bool, int, float, list, dict)) else str(value)


def _multipart(form: Mapping[str, Any], files: frozenset[str], context: StepContext) -> bytes:
    """The fields as multipart/form-data."""
    parts: list[bytes] = []
    for name, value in form.items():
        content = _file(str(value), context) if name in files else str(value).encode()
        if BOUNDARY.encode() in content:
            raise StepError(f"{name}: the content holds the mark that separates parts", code="invalid_input", again="never")
        parts.append(_head(name, Path(str(value)).name if name in files else None) + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _head(name: str, filename: str | None) -> bytes:
    shown = "" if filename is None else f'; filename="{quote(filename, safe=" ()+,-.=@_~")}"\r\nContent-Type: application/octet-stream'
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode()


def _place(path: str, context: StepContext) -> tuple[Path, tuple[str, ...]]:
    """The folder an uploaded file lies in, and the way from it. Raises StepError for one that lies elsewhere."""
    project = context.settings.get("project")
    folders = [*([Path(project)] if project else []), context.folder, *confined.allowed(context)]
    return confined.place(path, folders, "read", _HINT)


def _file(path: str, context: StepContext) -> bytes:
    """The content of a regular file of at most MAX_FILE bytes. Raises StepError."""
    folder, way = _place(path, context)
    try:
        content = confined.read(folder, way, MAX_FILE + 1)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror}"
        raise StepError(reason, code="invalid_input", again="never", hint="Check the path of the file; no link is followed.") from None
    if content is None:
        raise StepError("the file is not a regular file", code="invalid_input", again="never")
    if len(content) > MAX_FILE:
        raise StepError(f"the file is larger than {MAX_FILE // 1024 // 1024} MiB", code="invalid_input", again="never")
    return content
