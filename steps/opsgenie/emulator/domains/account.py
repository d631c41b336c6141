"""The account itself, and the request rates it is allowed."""

from __future__ import annotations

from collections.abc import Mapping

from steps.opsgenie.emulator.call import Answer, Answering, Call


def _get(call: Call) -> Answer:
    plan = {"maxUserCount": 1000, "name": call.store.account["plan"], "isYearly": True}
    return Answer({"data": {"name": call.store.account["name"], "userCount": len(call.store.users), "plan": plan}})


def _request_limits(call: Call) -> Answer:
    rates = [
        {"domain": domain, "limits": [{"limit": one.limit, "periodInSeconds": one.period_in_seconds} for one in limits]}
        for domain, limits in call.limits.items()
    ]
    return Answer({"data": {"rateLimits": rates}})


ANSWERS: Mapping[str, Answering] = {"GET /v2/account": _get, "GET /v2/request-limits": _request_limits}
