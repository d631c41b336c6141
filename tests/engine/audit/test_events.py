"""What a run can tell."""

from __future__ import annotations

import jsonschema
import pytest

from engine.audit import events

VALIDATOR = jsonschema.Draft7Validator(events.schema())
VALUES = {"string": "x", "integer": 1, "number": 0.5, "object": {}, "boolean": True}
COMMON = {
    "seq": 1, "time": "2026-11-23T12:00:00.000Z", "monotonic": 1.5, "boot": "b", "run": "r", "runbook": "n", "prev": "0" * 64, "hash": "f" * 64,
}  # fmt: skip


def sample(schema):
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("pattern"):
        return "a" * 64
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
    return VALUES[kind]


def event(name, fields):
    return {**COMMON, "event": name, **{field: sample(events.EVENTS[name][1][field]) for field in fields}}


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(events.schema())


@pytest.mark.parametrize("name", sorted(events.EVENTS))
def test_each_event_holds_what_it_must_may_and_nothing_else(name):
    required, fields = events.EVENTS[name]
    assert VALIDATOR.is_valid(event(name, required))
    assert VALIDATOR.is_valid(event(name, fields))
    assert not VALIDATOR.is_valid(event(name, fields) | {"body": "never"})
    for field in (*required, *COMMON):
        assert not VALIDATOR.is_valid({key: value for key, value in event(name, fields).items() if key != field}), field


def test_other_events_are_unknown():
    assert not VALIDATOR.is_valid(COMMON | {"event": "step.imagined"})
