"""Ways to reach a user: mail, text message, call, mobile app."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, integer, one_of, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ACCOUNT_WIDE_KEY, CONTACT_STATUS, WRITTEN, jsm

_TO = text(min_length=1)
_CONTACT: Fields = {"id": text(), "method": text(), "to": text(), "status": CONTACT_STATUS}

_row = partial(Operation, keys=ACCOUNT_WIDE_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.contact.create",
        request="POST /v2/users/{identifier}/contacts",
        vendor="createContact",
        summary="Gives a user one more way to be reached.",
        body={"method": one_of("email", "sms", "voice", "mobile"), "to": _TO},
        required=("method", "to"),
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=WRITTEN,
        lookup="opsgenie.contact.list",
        jsm=jsm("POST /users/contacts"),
    ),
    _row(
        name="opsgenie.contact.delete",
        request="DELETE /v2/users/{identifier}/contacts/{contactId}",
        vendor="deleteContact",
        summary="Removes one of a user's contacts.",
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /users/contacts/{id}"),
    ),
    _row(
        name="opsgenie.contact.disable",
        request="POST /v2/users/{identifier}/contacts/{contactId}/disable",
        vendor="disableContact",
        summary="Keeps a contact but sends no notification to it.",
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
        jsm=jsm("PATCH /users/contacts/{id}/deactivate"),
    ),
    _row(
        name="opsgenie.contact.enable",
        request="POST /v2/users/{identifier}/contacts/{contactId}/enable",
        vendor="enableContact",
        summary="Lets a contact be notified again.",
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
        jsm=jsm("PATCH /users/contacts/{id}/activate"),
    ),
    _row(
        name="opsgenie.contact.get",
        request="GET /v2/users/{identifier}/contacts/{contactId}",
        vendor="getContact",
        summary="Reads one of a user's contacts.",
        idempotency=Idempotency.SAFE,
        data=answer(**_CONTACT),
        jsm=jsm("GET /users/contacts/{id}"),
    ),
    _row(
        name="opsgenie.contact.list",
        request="GET /v2/users/{identifier}/contacts",
        vendor="listContacts",
        summary="Lists every way a user can be reached.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=answer(applyOrder=integer(), **_CONTACT),
        jsm=jsm("GET /users/contacts"),
    ),
    _row(
        name="opsgenie.contact.update",
        request="PATCH /v2/users/{identifier}/contacts/{contactId}",
        vendor="updateContact",
        summary="Changes the address or number of a contact.",
        body={"to": _TO},
        required=("to",),
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
        jsm=jsm("PATCH /users/contacts/{id}"),
    ),
)
