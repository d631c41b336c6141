"""Custom roles: sets of rights that users of the account can be given."""

from __future__ import annotations

from functools import partial

from steps.fields import Fields, answer, list_of, text
from steps.operation import Idempotency, Operation, Paging
from steps.opsgenie.shapes import ACCOUNT_WIDE_KEY, WRITTEN, identifier_type, jsm

_BY: Fields = {"identifierType": identifier_type("id", "name")}
_RIGHTS: Fields = {"extendedRole": text(), "grantedRights": list_of(text()), "disallowedRights": list_of(text())}
_BODY = {"name": text(min_length=1)} | _RIGHTS
_ROLE = answer(id=text(), name=text(), **_RIGHTS)

_row = partial(Operation, keys=ACCOUNT_WIDE_KEY, configuration=True, rate_limit_domain="configuration")

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.role.create",
        request="POST /v2/roles",
        vendor="createCustomUserRole",
        summary="Makes a role that grants and denies rights on top of the role it extends.",
        body=_BODY,
        required=("name",),
        right="create_and_update",
        idempotency=Idempotency.CLASH,
        data=WRITTEN,
        lookup="opsgenie.role.get",
        jsm=jsm("POST /roles"),
    ),
    _row(
        name="opsgenie.role.delete",
        request="DELETE /v2/roles/{identifier}",
        vendor="deleteCustomUserRole",
        summary="Removes a custom role.",
        query=_BY,
        right="delete",
        idempotency=Idempotency.DELETE,
        data=WRITTEN,
        jsm=jsm("DELETE /roles/{identifier}"),
    ),
    _row(
        name="opsgenie.role.get",
        request="GET /v2/roles/{identifier}",
        vendor="getCustomUserRole",
        summary="Reads one custom role with its rights.",
        query=_BY,
        idempotency=Idempotency.SAFE,
        data=_ROLE,
        jsm=jsm("GET /roles/{identifier}"),
    ),
    _row(
        name="opsgenie.role.list",
        request="GET /v2/roles",
        vendor="listCustomUserRoles",
        summary="Lists every custom role of the account.",
        idempotency=Idempotency.SAFE,
        listing=Paging("whole"),
        data=_ROLE,
        jsm=jsm("GET /roles"),
    ),
    _row(
        name="opsgenie.role.update",
        request="PUT /v2/roles/{identifier}",
        vendor="updateCustomUserRole",
        summary="Replaces the name and the rights of a custom role.",
        query=_BY,
        body=_BODY,
        right="create_and_update",
        idempotency=Idempotency.REPEATABLE,
        data=WRITTEN,
        jsm=jsm("PUT /roles/{identifier}"),
    ),
)
