"""Whatever comes in, an answer goes out."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steps.exchange import Request
from steps.operation import NO_NAMES
from steps.opsgenie.emulator.routes import routes

STATE = {
    "teams": [{"name": "ops", "members": [{"username": "ana@example.com"}]}],
    "alerts": [{"message": "m", "alias": "a"}],
    "incidents": [{"message": "m"}],
    "roles": [{"name": "Pilot"}],
    "heartbeats": [{"name": "a", "interval": 1, "intervalUnit": "minutes"}],
    "schedules": [{"name": "duty", "users": ["ana@example.com"]}],
}
WORDS = st.sampled_from(
    [
        "",
        "1",
        "a",
        "ops",
        "ana@example.com",
        "Pilot",
        "id",
        "name",
        "tiny",
        "alias",
        "team",
        "user",
        "all",
        "P1",
        "0001-01-01T00:00:00+14:00",
        "2026-03-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "days",
        "daily",
        "duty",
        "none",
        "minutes",
        "time-of-day",
        "weekday-and-time-of-day",
        "Europe/Berlin",
    ]
)
TEXT = st.one_of(WORDS, st.text(max_size=12))
VALUE = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "id", "name", "username", "user", "role", "k"]), inner, max_size=3),
    ),
    max_leaves=6,
)
ROTATION = st.fixed_dictionaries(
    {
        "startDate": st.sampled_from(["2026-03-01T00:00:00Z", "1971-01-01T00:00:00-12:00", "2199-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]),
        "type": st.sampled_from(["hourly", "daily", "weekly"]),
        "participants": st.lists(st.sampled_from([{"type": "none"}, {"type": "user", "username": "ana@example.com"}]), min_size=1),
    },
    optional={
        "length": st.sampled_from([1, 2, 9999, 10**30]),
        "timeRestriction": st.fixed_dictionaries(
            {"type": st.sampled_from(["time-of-day", "weekday-and-time-of-day"])},
            optional={
                "restriction": st.dictionaries(st.sampled_from(["startHour", "endHour", "endMin"]), st.integers()),
                "restrictions": st.lists(
                    st.fixed_dictionaries(
                        {}, optional={"startDay": st.just("friday"), "startHour": st.integers(), "endMin": st.integers()}
                    ),
                    max_size=3,
                ),
            },
        ),
    },
)


@st.composite
def requests(draw):
    row = draw(st.sampled_from(routes())).row
    ids = {name: draw(TEXT) or "x" for name in row.path_names}
    refused = any(value in NO_NAMES for value in ids.values())  # steps do not send these; others may
    path = quote(row.path_template.format(**ids), safe="/") if refused or draw(st.booleans()) else row.url_path(ids)
    query = {name: draw(TEXT) for name in row.query if draw(st.booleans())}
    body = {name: draw(VALUE) for name in row.body if draw(st.integers(0, 2))}
    if "participants" in row.body:
        body = draw(ROTATION)
    return row.method, f"{path}?{urlencode(query)}", json.dumps(body).encode() if draw(st.integers(0, 9)) else draw(st.binary(max_size=20))


@given(st.lists(requests(), max_size=12))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_request_is_answered(fresh, sent):
    client = fresh(state=STATE)
    key = client.emulator.keys[1].value
    for method, target, body in sent:
        response = client.emulator.handle(Request(method, target, {"authorization": f"GenieKey {key}"}, body))
        client.clock.sleep(1)
        assert 200 <= response.status < 430
        if not response.body.startswith(b"BEGIN:VCALENDAR"):
            assert {"took", "requestId"} <= set(json.loads(response.body))
    json.dumps(client.emulator.snapshot())
