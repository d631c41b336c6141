from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from steps.opsgenie.emulator import Emulator, Fault
from steps.opsgenie.emulator.server import serve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class RealClock:
    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return time.monotonic()

    def sleep(self, seconds):
        time.sleep(seconds)


@contextmanager
def served(**made_with):
    server = serve(Emulator(**{"clock": RealClock(), "processing": 0.0} | made_with))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture
def server():
    with served() as running:
        yield running


def key(server, kind="integration"):
    return next(one.value for one in server.emulator.keys if one.kind == kind)


def connection(server):
    return http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)


def send(link, server, method, path, body=None):
    link.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"GenieKey {key(server)}"})
    response = link.getresponse()
    return response.status, json.loads(response.read())


def raw(server, content, *, finish=True):
    with socket.create_connection(urlsplit(server.url).netloc.split(":"), timeout=5) as link:
        link.sendall(content)
        if finish:
            link.shutdown(socket.SHUT_WR)
        received = b""
        while part := link.recv(65536):
            received += part
        return received


def head(server, *lines):
    return "\r\n".join(["POST /v2/alerts HTTP/1.1", "Host: x", f"Authorization: GenieKey {key(server)}", *lines, "", ""]).encode()


def test_one_connection_serves_many_requests(server):
    link = connection(server)
    assert send(link, server, "POST", "/v2/alerts", {"message": "m"})[0] == 202
    port = link.sock.getsockname()[1]
    status, listed = send(link, server, "GET", "/v2/alerts/")
    assert (status, len(listed["data"]), link.sock.getsockname()[1]) == (200, 1, port)
    assert listed["paging"]["first"].startswith(f"{server.url}/v2/alerts/?")
    assert send(link, server, "GET", "/v2//alerts")[0] == 404
    link.close()


def test_a_short_body_has_no_effect(server):
    assert raw(server, head(server, "Content-Length: 100") + b'{"message": "m"}') == b""
    assert server.emulator.snapshot()["alerts"] == {}
    assert server.emulator.requests == []


@pytest.mark.parametrize("length", ["-1", "x", "999999999999"])
def test_a_length_that_is_none_closes_the_connection(server, length):
    assert raw(server, head(server, f"Content-Length: {length}"), finish=False) == b""
    assert server.emulator.requests == []


def test_a_body_may_come_in_chunks(server):
    chunks = b'8\r\n{"messag\r\n8\r\ne": "m"}\r\n0\r\n\r\n'
    assert raw(server, head(server, "Transfer-Encoding: chunked") + chunks).startswith(b"HTTP/1.1 202 ")
    assert raw(server, head(server, "Transfer-Encoding: chunked") + chunks[:-12]) == b""
    assert raw(server, head(server, "Transfer-Encoding: chunked") + b"zz\r\n") == b""
    assert len(server.emulator.snapshot()["alerts"]) == 1


def test_bad_json_is_refused(server):
    assert raw(server, head(server, "Content-Length: 1") + b"{").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("answer", "error", "kept"),
    [
        ("refused", ConnectionResetError, 0),
        ("reset_before", ConnectionResetError, 0),
        ("closed_before", http.client.RemoteDisconnected, 0),
        ("lost", ConnectionResetError, 1),
        ("closed", http.client.RemoteDisconnected, 1),
        ("truncated", http.client.IncompleteRead, 1),
        ("headers_only", http.client.IncompleteRead, 1),
    ],
)
def test_faults_break_the_wire(answer, error, kept):
    with served(faults=[Fault("opsgenie.alert.create", answer)]) as server:
        link = connection(server)
        with pytest.raises(error) as raised:
            send(link, server, "POST", "/v2/alerts", {"message": "m"})
        assert raised.type is error
        link.close()
        assert len(server.emulator.snapshot()["alerts"]) == kept
        link = connection(server)
        assert send(link, server, "POST", "/v2/alerts", {"message": "m"})[0] == 202
        link.close()


def test_a_slow_answer_is_late():
    with served(faults=[Fault("*", "slow", seconds=0.05)]) as server:
        link, start = connection(server), time.monotonic()
        assert send(link, server, "GET", "/v2/alerts")[0] == 200
        assert time.monotonic() - start >= 0.05
        link.close()


def test_the_vendors_client(server):
    opsgenie_sdk = pytest.importorskip("opsgenie_sdk")
    settings = opsgenie_sdk.Configuration()
    settings.host = server.url
    settings.api_key["Authorization"] = key(server)
    settings.retry_delay = 0.01
    settings.retry_count = 1
    client = opsgenie_sdk.ApiClient(configuration=settings)
    alerts = opsgenie_sdk.AlertApi(client)
    by_alias = {"identifier": "a", "identifier_type": "alias"}

    def processed(accepted):
        status = alerts.get_request_status(request_id=accepted.request_id).data
        assert status.is_success, status
        return status

    owner = opsgenie_sdk.UserRecipient(username="ana@example.com")
    night = opsgenie_sdk.EscalationRecipient(name="night")
    payload = opsgenie_sdk.CreateAlertPayload(message="disk full", alias="a", priority="P1", responders=[{"name": "ops", "type": "team"}])
    made = processed(alerts.create_alert(payload))
    for accepted in (
        alerts.add_note(**by_alias, add_note_to_alert_payload=opsgenie_sdk.AddNoteToAlertPayload(note="n", user="ana")),
        alerts.add_tags(**by_alias, add_tags_to_alert_payload=opsgenie_sdk.AddTagsToAlertPayload(tags=["x", "y"])),
        alerts.remove_tags(**by_alias, tags=["y"]),
        alerts.assign_alert(**by_alias, assign_alert_payload=opsgenie_sdk.AssignAlertPayload(owner=owner)),
        alerts.snooze_alert(
            **by_alias, snooze_alert_payload=opsgenie_sdk.SnoozeAlertPayload(end_time=datetime.now(UTC) + timedelta(minutes=5))
        ),
        alerts.escalate_alert(**by_alias, escalate_alert_to_next_payload=opsgenie_sdk.EscalateAlertToNextPayload(escalation=night)),
        alerts.acknowledge_alert(**by_alias, acknowledge_alert_payload=opsgenie_sdk.AcknowledgeAlertPayload(user="ana")),
    ):
        assert processed(accepted).alert_id == made.alert_id
    found = alerts.get_alert(**by_alias).data
    assert (found.message, found.owner, found.tags, found.acknowledged, found.snoozed) == (
        "disk full",
        "ana@example.com",
        ["x"],
        True,
        True,
    )
    assert [note.note for note in alerts.list_notes(**by_alias).data] == ["n"]
    assert [one.id for one in alerts.list_alerts(query="status: open AND priority: P1", limit=10, sort="createdAt", order="desc").data] == [
        made.alert_id
    ]
    assert alerts.count_alerts(query="status: open").data.count == 1
    processed(alerts.close_alert(**by_alias, close_alert_payload=opsgenie_sdk.CloseAlertPayload(note="done")))
    with pytest.raises(opsgenie_sdk.ApiException) as error:
        alerts.get_alert(**by_alias)
    assert error.value.status == 404
    assert opsgenie_sdk.AccountApi(client).get_info().data.user_count == 0


def test_an_error_of_the_emulator_is_told_in_one_line(capsys):
    with served() as server:
        server.emulator.watch = lambda line: {}[line]
        with pytest.raises(http.client.RemoteDisconnected):
            link = connection(server)
            send(link, server, "GET", "/v2/alerts")
        link.close()
    assert capsys.readouterr().err == "emulator: a request failed with KeyError\n"


def test_head_has_no_body(server):
    answered = raw(server, head(server, "Connection: close").replace(b"POST", b"HEAD", 1))
    assert answered.startswith(b"HTTP/1.1 405 ")
    assert answered.endswith(b"\r\n\r\n")


def test_the_vendors_client_and_heartbeats(server):
    opsgenie_sdk = pytest.importorskip("opsgenie_sdk")
    settings = opsgenie_sdk.Configuration()
    settings.host, settings.retry_delay, settings.retry_count = server.url, 0.01, 1
    settings.api_key["Authorization"] = key(server)
    heartbeats = opsgenie_sdk.HeartbeatApi(opsgenie_sdk.ApiClient(configuration=settings))
    made = heartbeats.create_heartbeat(opsgenie_sdk.CreateHeartbeatPayload(name="nightly", interval=1, interval_unit="days", enabled=True))
    assert (made.data.name, made.data.expired, made.data.last_ping_time) == ("nightly", False, None)
    assert heartbeats.ping("nightly").result == "PONG - Heartbeat received"
    assert heartbeats.get_heartbeat("nightly").data.last_ping_time is not None
    changed = heartbeats.update_heartbeat("nightly", update_heartbeat_payload=opsgenie_sdk.UpdateHeartbeatPayload(interval=2))
    assert (changed.data.enabled, changed.data.expired) == (True, False)
    assert heartbeats.disable_heartbeat("nightly").data.enabled is False
    assert heartbeats.enable_heartbeat("nightly").data.enabled is True
    assert [(one.name, one.interval) for one in heartbeats.list_heart_beats().data.heartbeats] == [("nightly", 2)]
    assert heartbeats.delete_heartbeat("nightly").result == "Deleted"
    with pytest.raises(opsgenie_sdk.ApiException) as error:
        heartbeats.get_heartbeat("nightly")
    assert error.value.status == 404
