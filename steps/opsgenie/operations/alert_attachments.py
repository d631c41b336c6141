"""Files attached to alerts."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, Schema, answer, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ANY_KEY, WRITTEN, identifier_type, jsm

_BY: Fields = {"alertIdentifierType": identifier_type("id", "alias", "tiny")}
_ID: Schema = {"type": ["string", "integer"], "minLength": 1}
"""Id of an attachment: lists have been seen to give a number where the definition says text, so a path takes either."""
_PATH: Fields = {"attachmentId": _ID}

_row = partial(Operation, query=_BY, keys=ANY_KEY, rate_limit_domain="alert")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.alert.add_attachment",
        request="POST /v2/alerts/{identifier}/attachments",
        vendor="addAttachment",
        summary="Uploads a file, of the project or of the run, and attaches it to an alert.",
        form={"file": text(min_length=1) | {"x-file": True}, "user": text(), "indexFile": text()},
        required=("file",),
        right="create_and_update",
        idempotency=Idempotency.ONCE,
        data=WRITTEN,
        jsm=jsm("POST /alerts/{id}/attachments"),
    ),
    _row(
        name="opsgenie.alert.get_attachment",
        request="GET /v2/alerts/{identifier}/attachments/{attachmentId}",
        vendor="getAttachment",
        summary="Reads the name of an attached file and the address it can be fetched from.",
        path=_PATH,
        idempotency=Idempotency.SAFE,
        data=answer(name=text(), url=text()),
        jsm=jsm("GET /alerts/{alertId}/attachments/{id}"),
    ),
    _row(
        name="opsgenie.alert.list_attachments",
        request="GET /v2/alerts/{identifier}/attachments",
        vendor="listAttachments",
        summary="Lists the files attached to an alert.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=answer(name=text(), id=_ID),
        jsm=jsm("GET /alerts/{id}/attachments"),
    ),
    _row(
        name="opsgenie.alert.remove_attachment",
        request="DELETE /v2/alerts/{identifier}/attachments/{attachmentId}",
        vendor="removeAttachment",
        summary="Removes a file from an alert.",
        path=_PATH,
        query=_BY | {"user": text()},
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /alerts/{alertId}/attachments/{id}"),
    ),
)
