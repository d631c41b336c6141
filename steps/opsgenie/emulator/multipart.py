"""Uploads: the parts of a multipart body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steps.opsgenie.emulator.problems import ApiError


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that came with a request."""

    name: str
    content: bytes


def parts(content_type: str, body: bytes) -> tuple[Mapping[str, str], Mapping[str, Upload]]:
    """The plain fields and the files of a `multipart/form-data` body. Raises ApiError (422) when it is none."""
    from email.parser import BytesParser
    from email.policy import HTTP

    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise ApiError(422, "Request body is not a multipart form.")
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        raw = content if isinstance(content, bytes) else b""
        filename = part.get_filename()
        if filename is None:
            fields[name] = raw.decode("utf-8", "replace")
        else:
            files[name] = Upload(filename, raw)
    return fields, files
