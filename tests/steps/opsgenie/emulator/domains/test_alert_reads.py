from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

STATE = {"alerts": [{"message": f"alert {number}", "alias": f"a{number}", "createdAt": {"ago": f"{number}h"}} for number in range(7)]}


def follow(client, url):
    """The list at an absolute URL."""
    assert url.startswith("https://api.example.com/v2/")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return client.json("GET", urlsplit(url).path, **query)


def test_a_list_is_newest_first_and_pages_by_absolute_urls(made):
    client = made(state=STATE)
    page = client.json("GET", "/v2/alerts", limit=3, query="status: open")
    seen = [one["alias"] for one in page["data"]]
    assert "prev" not in page["paging"]
    while "next" in page["paging"]:
        page = follow(client, page["paging"]["next"])
        seen += [one["alias"] for one in page["data"]]
    assert seen == [f"a{number}" for number in range(7)]
    assert [one["alias"] for one in follow(client, page["paging"]["prev"])["data"]] == ["a3", "a4", "a5"]
    assert [one["alias"] for one in follow(client, page["paging"]["first"])["data"]] == ["a0", "a1", "a2"]
    assert [one["alias"] for one in follow(client, page["paging"]["last"])["data"]] == ["a6"]


def test_a_list_holds_twenty_unless_told(made):
    client = made(state={"alerts": [{"message": "m"}] * 25})
    assert len(client.data("/v2/alerts")) == 20


def test_a_listed_alert_lacks_the_long_fields(made):
    listed, whole = made(state=STATE).data("/v2/alerts")[0], made(state=STATE).data("/v2/alerts/1", identifierType="tiny")
    assert set(whole) - set(listed) == {"actions", "description", "details", "entity"}


@pytest.mark.parametrize(
    ("field", "order", "first"),
    [("alias", "asc", "a0"), ("message", "desc", "a6"), ("tinyId", "asc", "a0"), ("report.ackTime", "desc", "a6")],
)
def test_a_list_is_sorted(made, field, order, first):
    client = made(state=STATE)
    client.done("POST", "/v2/alerts/a6/acknowledge", {}, identifierType="alias")
    assert client.data("/v2/alerts", sort=field, order=order)[0]["alias"] == first


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 101}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"sort": "colour"}, "sort"),
        ({"order": "up"}, "order"),
    ],
)
def test_a_wrong_list_is_refused(client, query, field):
    assert field in client.refused(422, "GET", "/v2/alerts", **query)["errors"]


@pytest.mark.parametrize(("offset", "status"), [(19899, 200), (19900, 422)])
def test_the_window_ends_below_twenty_thousand(client, offset, status):
    assert client.send("GET", "/v2/alerts", offset=offset, limit=100).status == status


def test_a_bad_query_is_refused(client):
    assert "colour" in client.refused(422, "GET", "/v2/alerts", query="colour: red")["message"]


def test_count(made):
    client = made(state=STATE)
    client.done("POST", "/v2/alerts/a1/close", {}, identifierType="alias")
    assert client.data("/v2/alerts/count") == {"count": 7}
    assert client.data("/v2/alerts/count", query="status: closed") == {"count": 1}


@pytest.mark.parametrize("what", ["notes", "logs"])
def test_notes_and_logs_page_by_cursor(client, what):
    made = client.alert()
    for number in range(5):
        client.done("POST", f"/v2/alerts/{made}/notes", {"note": f"n{number}", "user": "ana"})
    whole = client.data(f"/v2/alerts/{made}/{what}", order="asc")
    page, seen = client.json("GET", f"/v2/alerts/{made}/{what}", limit=2, order="asc"), []
    while True:
        seen += page["data"]
        if "next" not in page["paging"]:
            break
        page = follow(client, page["paging"]["next"])
    assert seen == whole
    assert client.data(f"/v2/alerts/{made}/{what}") == whole[::-1]
    back = client.data(f"/v2/alerts/{made}/{what}", order="asc", offset=whole[3]["offset"], direction="prev", limit=2)
    assert back == whole[1:3]


def test_an_offset_that_no_note_has_is_refused(client):
    made = client.alert()
    assert client.send("GET", f"/v2/alerts/{made}/notes", offset="nowhere").status == 422


def test_recipients_are_the_people(client):
    made = client.alert(responders=[{"type": "user", "username": "ana@example.com"}, {"type": "team", "name": "ops"}])
    assert [one["user"]["username"] for one in client.data(f"/v2/alerts/{made}/recipients")] == ["ana@example.com"]


@pytest.mark.parametrize("path", ["", "/logs", "/notes", "/recipients", "/attachments"])
def test_what_is_not_there_is_a_404(client, path):
    response = client.send("GET", f"/v2/alerts/nowhere{path}")
    assert response.status == 404
    assert set(json.loads(response.body)) == {"message", "took", "requestId"}
