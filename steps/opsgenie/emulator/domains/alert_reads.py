"""Alerts as they are read: one, many, how many, and what is noted of one."""

from __future__ import annotations

from collections.abc import Mapping

from steps.opsgenie.emulator.alert_views import listed, searched_alerts, shown, wanted_alert
from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.paging import check_window, cursor_list, offset_page
from steps.opsgenie.emulator.search import sorted_by

WINDOW = 20000


def _get(call: Call) -> Answer:
    return Answer({"data": shown(wanted_alert(call), call.now)})


def _list_alerts(call: Call) -> Answer:
    offset, limit = call.query.get("offset", 0), call.query.get("limit", 20)
    check_window(offset, limit, WINDOW)
    ordered = sorted_by(searched_alerts(call), call.query.get("sort", "createdAt"), call.query.get("order", "desc"))
    page, links = offset_page(ordered, call.url, offset=offset, limit=limit)
    return Answer({"data": [listed(alert, call.now) for _, alert in page], "paging": links})


def _count(call: Call) -> Answer:
    return Answer({"data": {"count": len(searched_alerts(call))}})


def _list_logs(call: Call) -> Answer:
    return cursor_list(call, wanted_alert(call).logs)


def _list_notes(call: Call) -> Answer:
    return cursor_list(call, wanted_alert(call).notes)


def _list_recipients(call: Call) -> Answer:
    alert = wanted_alert(call)
    people = [one for one in alert.responders if one["type"] == "user"]
    at = alert.fields["createdAt"]
    return Answer(
        {
            "data": [
                {"user": {"id": one["id"], "username": one["name"]}, "state": "notactive", "method": "", "createdAt": at, "updatedAt": at}
                for one in people
            ]
        }
    )


ANSWERS: Mapping[str, Answering] = {
    "GET /v2/alerts": _list_alerts,
    "GET /v2/alerts/count": _count,
    "GET /v2/alerts/{}": _get,
    "GET /v2/alerts/{}/logs": _list_logs,
    "GET /v2/alerts/{}/notes": _list_notes,
    "GET /v2/alerts/{}/recipients": _list_recipients,
}
