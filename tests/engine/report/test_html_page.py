"""The page of a run: complete, self-contained, and deaf to what alerts say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.report.html_page import render

RUN = {
    "run_id": "r-1",
    "runbook": "database-failover",
    "description": "Pages people.",
    "status": "failed",
    "started_at": "2026-03-01T02:00:00Z",
    "ended_at": "2026-03-01T02:05:12+00:00",
    "trigger": "schedule",
    "actor": {"user": "ana", "host": "cron-03"},
    "inputs": {"cluster": "orders", "dry": False, "big": list(range(60))},
    "outputs": {"acknowledged": True},
    "steps": [
        {
            "id": "create",
            "name": "Raise",
            "uses": "opsgenie.alert.create",
            "status": "succeeded",
            "started_at": "2026-03-01T02:00:00Z",
            "ended_at": "2026-03-01T02:00:01.2Z",
            "attempts": 1,
            "requests": [
                {
                    "method": "POST",
                    "url": "https://api.example.com/v2/alerts?x=1",
                    "status": 202,
                    "key": {"kind": "team", "reference": "env:K"},
                }
            ],
        },
        {
            "id": "notify",
            "uses": "opsgenie.alert.add_responder",
            "status": "failed",
            "attempts": 3,
            "items": {"total": 12, "succeeded": 9, "failed": 2, "skipped": 1, "failures": [{"item": "chi", "message": "no such user"}]},
            "requests": [{"method": "GET", "url": "https://api.example.com/v2/poll", "status": 200}] * 27
            + [{"method": "POST", "url": "/v2/x"}],
            "error": {"message": "2 of 12 items failed", "status": 422, "code": "refused"},
        },
    ],
    "audit": {"path": "audit/2026-03.jsonl", "events": 64, "head": "9f2c1e"},
    "error": {"message": "Step notify failed", "hint": "Correct the names.", "code": "refused"},
    "next": "opsbook retry r-1 --from notify",
}


class Page(HTMLParser):
    """Tags as a browser would see them, and the words between."""

    void = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_shows_the_whole_run():
    page = Page(render(RUN))
    for expected in (
        "database-failover",
        "Pages people.",
        "2026-03-01 02:00:00 UTC",
        "5 min 12 s",
        "schedule",
        "ana@cron-03",
        "opsgenie.alert.create",
        "1.2 s",
        "/v2/alerts?x=1 → 202",
        "team key",
        "9 of 12 succeeded, 2 failed, 1 skipped",
        "no such user",
        "3 attempts",
        "× 27",
        "/v2/x → no answer",
        "2 of 12 items failed",
        "refused · HTTP 422",
        "Correct the names.",
        "acknowledged",
        "9f2c1e",
        "audit/2026-03.jsonl",
        "opsbook retry r-1 --from notify",
    ):
        assert expected in page.text
    assert "api.example.com" not in page.text
    assert "1 attempts" not in page.text


def test_is_self_contained_and_runs_nothing():
    page = Page(render(RUN))
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}) in page.tags
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form", "a"}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not any(name.startswith("on") or name in {"src", "href"} for name in names)
    assert "url(" not in render(RUN)


HOSTILE = "<script>alert(1)</script>{{ 7*7 }}{% raw %}\"'><img src=x onerror=y>\x1b[2J\x00\u202eevil]]>"


def poisoned(value):
    if isinstance(value, dict):
        return {(HOSTILE if key in {"cluster", "acknowledged"} else key): poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


def test_hostile_text_stays_text_everywhere():
    html = render(poisoned(RUN))
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert "{{ 7*7 }}" in page.text
    assert not set(html) & {"\x1b", "\x00", "\u202e"}
    assert "\\x1b[2J\\x00\\u202eevil" in page.text


@pytest.mark.parametrize("missing", sorted(RUN))
def test_a_missing_or_empty_key_breaks_nothing(missing):
    for without in ({key: value for key, value in RUN.items() if key != missing}, RUN | {missing: None}):
        assert "None" not in Page(render(without)).text


@pytest.mark.parametrize("missing", sorted(RUN["steps"][0]) + ["items", "error"])
def test_a_missing_key_of_a_step_breaks_nothing(missing):
    steps = [{key: value for key, value in step.items() if key != missing} for step in RUN["steps"]]
    assert "None" not in Page(render(RUN | {"steps": steps})).text


def test_an_empty_run_is_a_page():
    assert "unknown" in Page(render({})).text


@pytest.mark.parametrize("key", sorted(RUN))
@pytest.mark.parametrize("value", [3, "text", [1], {"a": 1}, True])
def test_odd_values_break_nothing(key, value):
    assert Page(render(RUN | {key: value})).tags


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0412, "41 ms"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 00 s"),
        (60, "1 min 00 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (-5, "0 ms"),
    ],
)
def test_durations(seconds, shown):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    page = Page(render({"started_at": start, "ended_at": start + timedelta(seconds=seconds)}))
    assert f"Took {shown}" in page.text


def test_times_without_a_zone_are_utc_and_unreadable_ones_left_out():
    page = Page(render({"started_at": "2026-03-01T02:00:00", "ended_at": "soon"}))
    assert "2026-03-01 02:00:00 UTC" in page.text
    assert "soon" not in page.text


@pytest.mark.parametrize(
    ("status", "tone"),
    [("succeeded", "good"), ("failed", "bad"), ("in_doubt", "bad"), ("waiting", "wait"), ("skipped", "calm"), ("'><b>", "calm")],
)
def test_status_has_a_tone(status, tone):
    assert ("span", {"class": f"pill {tone}"}) in Page(render({"status": status})).tags


def test_bars_stay_within_their_track():
    steps = [
        {"id": str(number), "started_at": f"2026-03-01T0{number}:00:00Z", "ended_at": f"2026-03-01T0{number}:30:00Z"} for number in range(5)
    ]
    html = render({"started_at": "2026-03-01T01:00:00Z", "ended_at": "2026-03-01T02:00:00Z", "steps": steps})
    bars = [(float(left), float(width)) for left, width in re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", html)]
    assert len(bars) == 5
    assert all(0 <= left and 0 < width and left + width <= 100 for left, width in bars)


def test_long_values_and_long_lists_are_cut():
    requests = [{"method": "GET", "url": f"/v2/{number}", "status": 200} for number in range(50)]
    page = Page(render({"inputs": {"text": "x" * 5000}, "steps": [{"id": "a", "requests": requests}]}))
    assert "(1000 more characters)" in page.text
    assert "and 30 more" in page.text


def test_a_loop_item_without_a_name_shows_its_message_alone():
    items = {"total": 1, "failed": 1, "failures": [{"item": None, "message": "gone"}]}
    text = Page(render({"steps": [{"id": "a", "items": items}]})).text
    assert "gone" in text
    assert "None" not in text


def test_an_address_that_is_none_is_shown_as_it_is():
    steps = [{"id": "a", "requests": [{"method": "GET", "url": "http://[bad", "status": 400}]}]
    assert "http://[bad" in Page(render({"steps": steps})).text


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(RUN)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["id", "items", "requests", "error", "total", "url", "x"]), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    )
)
def test_any_json_is_a_page(run):
    assert Page(render(run)).tags
