from __future__ import annotations

import pytest


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_any_heartbeat_can_be_pinged(client, method):
    assert client.json(method, "/v2/heartbeats/nightly/ping", status=202)["result"] == "PONG - Heartbeat received"
