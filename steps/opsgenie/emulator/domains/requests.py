"""Request status: what became of accepted requests.

A request that nobody made answers 404 without the header that says "not yet", which is final; unconfirmed, as is its wording.
"""

from __future__ import annotations

from collections.abc import Mapping

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.problems import ApiError


def status(call: Call) -> Answer:
    """The outcome; 404 with `X-Opsgenie-Errortype: RequestNotProcessed` until there is one."""
    followed = call.store.requests.get(call.ids[0])
    if followed is None or followed.follow != call.row.path_template:
        raise ApiError(404, "Request does not exist")
    if followed.outcome is None:
        raise ApiError(404, "Request not processed.", headers={"x-opsgenie-errortype": "RequestNotProcessed"})
    return Answer({"data": followed.outcome})


ANSWERS: Mapping[str, Answering] = {
    "GET /v1/incidents/requests/{}": status,
    "GET /v2/alerts/requests/{}": status,
}
