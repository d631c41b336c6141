"""`steps` and `schema`."""

import json

import jsonschema
import pytest


def test_the_list_as_json(command):
    rows = json.loads(command("steps", "list", "--json").out)
    create = next(row for row in rows if row["name"] == "opsgenie.alert.create")
    assert {
        "name",
        "summary",
        "method",
        "path",
        "effect",
        "asynchronous",
        "keys",
        "right",
        "rate_limit_domain",
        "idempotency",
        "jsm",
    } <= set(create)
    assert (create["method"], create["path"], create["effect"], create["asynchronous"]) == ("POST", "/v2/alerts", "write", True)
    assert {(row["method"], row["path"]) for row in rows if row["name"].startswith("core.")} == {(None, None)}


def test_the_list_can_be_narrowed(command):
    lines = command("steps", "list", "note").out.splitlines()
    assert lines
    assert all("note" in line.lower() for line in lines)
    assert command("steps", "list", "no such step at all").out == "no step's name or summary holds 'no such step at all'\n"


def test_a_steps_page(command):
    out = command("steps", "show", "opsgenie.alert.create").out
    assert "POST /v2/alerts" in out
    assert "message" in out
    assert "(required)" in out
    assert "alertId" in out


def test_a_steps_page_shows_the_fields_inside_of_fields(command):
    lines = command("steps", "show", "opsgenie.alert.create").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["responders"])
    assert lines[at].endswith("list of mapping")
    assert [line.split()[0] for line in lines[at + 1 : at + 5]] == ["type", "id", "name", "username"]
    assert lines[at + 1].startswith("      type") and lines[at + 1].endswith("(required)")
    assert any(line.split(maxsplit=1) == ["details", "mapping of names to text"] for line in lines)


@pytest.mark.parametrize("arguments", [[], ["opsgenie.alert.create"], ["--config"], ["--audit-event"]])
def test_each_schema_is_valid_and_alone_on_standard_output(command, arguments):
    done = command("schema", *arguments)
    assert (done.code, done.err) == (0, "")
    jsonschema.Draft7Validator.check_schema(json.loads(done.out))


def test_a_steps_schema_finds_a_misspelt_field(command):
    schema = json.loads(command("schema", "opsgenie.alert.create").out)
    assert not list(jsonschema.Draft7Validator(schema).iter_errors({"message": "x"}))
    (error,) = jsonschema.Draft7Validator(schema).iter_errors({"message": "x", "piority": "P1"})
    assert "piority" in error.message
