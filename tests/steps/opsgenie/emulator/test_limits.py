from __future__ import annotations

from steps.opsgenie.emulator import RateLimit


def test_a_bucket_empties_and_fills_again(made):
    client = made(limits={"alert": (RateLimit(2, 60),)})
    assert [client.send("POST", "/v2/alerts", {"message": "m"}).status for _ in range(3)] == [202, 202, 429]
    throttled = client.send("POST", "/v2/alerts", {"message": "m"})
    assert {name: value for name, value in throttled.headers.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-state": "THROTTLED",
        "x-ratelimit-reason": "ACCOUNT",
        "x-ratelimit-period-in-sec": "60",
    }
    assert b"You are making too many requests!" in throttled.body
    client.clock.sleep(30)
    assert [client.send("POST", "/v2/alerts", {"message": "m"}).status for _ in range(2)] == [202, 429]


def test_each_domain_has_its_own_bucket(made):
    client = made(limits={"alert": (RateLimit(1, 60),)})
    assert client.send("POST", "/v2/alerts", {"message": "m"}).status == 202
    assert client.send("GET", "/v2/alerts/count").status == 429
    listed = client.send("GET", "/v2/alerts")
    assert (listed.status, listed.headers["x-ratelimit-state"]) == (200, "OK")


def test_the_tighter_of_two_limits_holds(made):
    client = made(state={"limits": {"search": [{"limit": 100, "periodInSeconds": 60}, {"limit": 1, "periodInSeconds": 1}]}})
    assert [client.send("GET", "/v2/alerts").status for _ in range(2)] == [200, 429]
    client.clock.sleep(1)
    assert client.send("GET", "/v2/alerts").status == 200
