from __future__ import annotations


def test_the_status_answers_as_long_as_it_is_asked(client):
    accepted = client.json("POST", "/v2/alerts", {"message": "m"}, status=202)
    client.clock.sleep(0.059)
    assert client.send("GET", f"/v2/alerts/requests/{accepted['requestId']}").status == 404
    client.clock.sleep(0.001)
    first = client.data(f"/v2/alerts/requests/{accepted['requestId']}")
    client.clock.sleep(10_000)
    assert client.data(f"/v2/alerts/requests/{accepted['requestId']}") == first


def test_requests_take_effect_in_order(client):
    client.send("POST", "/v2/alerts", {"message": "m", "alias": "a"})
    client.send("POST", "/v2/alerts/a/close?identifierType=alias", {})
    client.send("POST", "/v2/alerts", {"message": "m", "alias": "a"})
    client.clock.sleep(0.06)
    assert [one["status"] for one in client.data("/v2/alerts", sort="tinyId", order="asc")] == ["closed", "open"]
