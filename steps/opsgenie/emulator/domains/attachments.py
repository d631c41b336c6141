"""Files attached to alerts: the name and the size are kept, the content is not. The `url` of one leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urljoin

from steps.opsgenie.emulator.alert_views import wanted_alert
from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.problems import bad_fields, missing
from steps.opsgenie.emulator.store import Entity


def _wanted(call: Call) -> Entity:
    for attachment in wanted_alert(call).attachments:
        if attachment["id"] == call.ids[1]:
            return attachment
    raise missing("Attachment", call.ids[1])


def _add(call: Call) -> Answer:
    alert = wanted_alert(call)
    upload = call.files["file"]
    alert.attachments.append({"id": call.store.new_id(), "name": upload.name, "size": len(upload.content)})
    return Answer({"result": "Attachment added", "data": {"id": alert.attachments[-1]["id"]}}, 201)


def _get(call: Call) -> Answer:
    found = _wanted(call)
    url = urljoin(call.url, f"/attachments/{found['id']}/{quote(found['name'], safe='')}")
    return Answer({"data": {"name": found["name"], "url": url}})


def _list_attachments(call: Call) -> Answer:
    return Answer({"data": [{"id": one["id"], "name": one["name"]} for one in wanted_alert(call).attachments]})


def _remove(call: Call) -> Answer:
    wanted_alert(call).attachments.remove(_wanted(call))
    return Answer({"result": "Deleted"})


def check_file(call: Call) -> None:
    """Raises ApiError (422) when no file came."""
    if "file" not in call.files:
        raise bad_fields({"file": "can not be empty"})


ANSWERS: Mapping[str, Answering] = {
    "DELETE /v2/alerts/{}/attachments/{}": _remove,
    "GET /v2/alerts/{}/attachments": _list_attachments,
    "GET /v2/alerts/{}/attachments/{}": _get,
    "POST /v2/alerts/{}/attachments": _add,
}

FORMS = {"POST /v2/alerts/{}/attachments": check_file}
