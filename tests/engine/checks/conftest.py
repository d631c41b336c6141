"""A small catalogue, and one check run over a small runbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import pytest

from engine import source
from engine.language import loader
from engine.contracts import Need
from engine.analysis.subject import Subject

TEXT = {"type": "string"}
PRIORITY = {"type": "string", "enum": ["P1", "P2", "P3"]}
ITEM = {"type": "object", "properties": {"id": TEXT, "title": TEXT, "closed": {"type": "boolean"}}}


def closed(required=(), **fields):
    return {"type": "object", "properties": fields, "additionalProperties": False, "required": list(required)}


@dataclass
class FakeStep:
    name: str
    effect: str
    inputs: dict[str, Any]
    answer: dict[str, Any]
    idempotency: str = "safe"
    needs: tuple[Need, ...] = ()
    summary: str = field(default="a step")

    def outputs(self, written):
        return self.answer

    def listing(self):
        return {"name": self.name, "idempotency": self.idempotency}


RULE = closed(
    note=TEXT | {"x-binds": {"alert": ITEM}},
    **{"if": {"type": "boolean", "format": "expression", "x-binds": {"alert": ITEM}}},
)
FAKES = [
    FakeStep(
        "fake.open",
        "write",
        closed(("message",), message=TEXT, priority=PRIORITY, size={"type": "integer"}, tags={"type": "array", "items": TEXT}),
        closed(id=TEXT, priority=PRIORITY, size={"type": "integer"}),
        "once",
        (Need(("account",), "create_and_update"),),
    ),
    FakeStep(
        "fake.find",
        "read",
        closed(query=TEXT, limit={"type": "integer"}),
        closed(items={"type": "array", "items": ITEM}, count={"type": "integer"}),
    ),
    FakeStep("fake.close", "write", closed(("id",), id=TEXT, note=TEXT, password=TEXT), closed(closed={"type": "boolean"}), "repeatable"),
    FakeStep("fake.say", "read", closed(("message",), message=TEXT), closed(message=TEXT)),
    FakeStep(
        "fake.rules",
        "read",
        closed(
            rules={"type": "array", "items": RULE},
            shape={"type": "object", "x-literal": True},
            that={"type": "boolean", "format": "expression"},
        ),
        closed(),
    ),
    FakeStep(
        "fake.login",
        "read",
        closed(key={"not": {}, "x-secret": True}, env={"type": "object", "additionalProperties": TEXT | {"x-secret": True}}),
        closed(),
    ),
    FakeStep("core.set", "read", {"type": "object", "additionalProperties": {}}, {"type": "object"}),
]
CATALOGUE = {step.name: step for step in FAKES}


@pytest.fixture
def subject():
    """text → the Subject of the runbook it is; a text without `steps:` gets one."""

    def make(text, keys=None):
        body = dedent(text).lstrip("\n")
        if "steps:" not in body:
            body += "steps:\n  - uses: fake.say\n    with: {message: hello}\n"
        document = source.read("apiVersion: runbook/v1\nname: example\n" + body, "example.yaml")
        return Subject(document, loader.read(document, CATALOGUE.get), CATALOGUE.get, keys)

    return make


@pytest.fixture
def marked(subject):
    """(check, text) → what the check underlines, and ! after an error's."""

    def mark(check, text, keys=None):
        looked_at = subject(text, keys)
        found = sorted(check.check(looked_at), key=lambda finding: (finding.place.line, finding.place.column))
        return [_underlined(looked_at, finding) + ("!" if finding.severity == "error" else "") for finding in found]

    return mark


def _underlined(looked_at, finding):
    start = finding.place.column - 1
    return looked_at.document.line(finding.place.line)[start : start + finding.width]
