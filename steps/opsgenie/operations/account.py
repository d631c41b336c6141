"""The account itself: its plan and the request rates it is allowed."""

from __future__ import annotations

from functools import partial

from steps.fields import answer, flag, integer, list_of, text
from steps.operation import Idempotency, Operation
from steps.opsgenie.shapes import ACCOUNT_WIDE_KEY

_row = partial(
    Operation,
    keys=ACCOUNT_WIDE_KEY,
    configuration="integration",
    rate_limit_domain="configuration",
    idempotency=Idempotency.SAFE,
)

ROWS: tuple[Operation, ...] = (
    _row(
        name="opsgenie.account.get",
        request="GET /v2/account",
        vendor="getInfo",
        summary="Reads the account's name, its plan and how many users it has.",
        data=answer(name=text(), userCount=integer(), plan=answer(maxUserCount=integer(), name=text(), isYearly=flag())),
    ),
    _row(
        name="opsgenie.account.request_limits",
        request="GET /v2/request-limits/",
        vendor=None,
        summary="Reads how many requests the account may make in each rate-limit domain.",
        data=answer(rateLimits=list_of(answer(domain=text(), limits=list_of(answer(limit=integer(), periodInSeconds=integer()))))),
    ),
)
