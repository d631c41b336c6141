from __future__ import annotations

import json

from steps.exchange import Request

BODY = (
    b'--line\r\nContent-Disposition: form-data; name="user"\r\n\r\nana\r\n'
    b'--line\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--line--\r\n'
)


def upload(client, alert, body=BODY):
    request = client.request("POST", f"/v2/alerts/{alert}/attachments")
    headers = {**request.headers, "Content-Type": "multipart/form-data; boundary=line"}
    return client.emulator.handle(Request("POST", request.url, headers, body, "GenieKey "))


def test_a_file_is_attached_listed_and_removed(client):
    alert = client.alert()
    response = upload(client, alert)
    assert response.status == 201
    made = json.loads(response.body)["data"]["id"]
    assert client.data(f"/v2/alerts/{alert}/attachments") == [{"id": made, "name": "a b.txt"}]
    found = client.data(f"/v2/alerts/{alert}/attachments/{made}")
    assert found == {"name": "a b.txt", "url": f"https://api.example.com/attachments/{made}/a%20b.txt"}
    assert client.emulator.snapshot()["alerts"][alert]["attachments"][0]["size"] == 5
    client.json("DELETE", f"/v2/alerts/{alert}/attachments/{made}")
    assert client.send("GET", f"/v2/alerts/{alert}/attachments/{made}").status == 404


def test_an_upload_without_a_file_is_refused(client):
    alert = client.alert()
    assert upload(client, alert, b"--line--\r\n").status == 422
    assert client.send("POST", f"/v2/alerts/{alert}/attachments", {}).status == 422
