from __future__ import annotations

import pytest

from steps.exchange import Request


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff", b'{"message": NaN}', b"[" * 100_000])
def test_a_body_must_be_a_json_object(client, body):
    request = client.request("POST", "/v2/alerts")
    assert client.emulator.handle(Request("POST", request.url, request.headers, body, "GenieKey ")).status == 400
    assert client.emulator.snapshot()["alerts"] == {}


def test_the_content_type_does_not_matter(client):
    request = client.request("POST", "/v2/alerts", {"message": "m"})
    headers = {"authorization": request.headers["Authorization"]}
    assert client.emulator.handle(Request("POST", request.url, headers, request.body, "GenieKey ")).status == 202


def test_the_body_of_a_delete_is_not_read(client):
    made = client.alert()
    assert client.done("DELETE", f"/v2/alerts/{made}", {"unheard": 1})["isSuccess"]


def test_a_required_query_field_is_named(client):
    assert client.refused(422, "DELETE", "/v2/alerts/1/tags")["errors"] == {"tags": "can not be empty"}


def test_a_nested_field_is_named_by_its_path(client):
    refused = client.refused(422, "POST", "/v2/alerts", {"message": "m", "responders": [{"type": "all"}, {"type": "crowd", "id": "1"}]})
    assert list(refused["errors"]) == ["responders[1].type"]
