"""The row: one HTTP operation declared as data, and all that is read off it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from string import Formatter
from typing import Any, Literal
from urllib.parse import quote

from engine.contracts import Effect, Need, StepContext
from engine.errors import StepError
from steps.fields import Fields, Schema, list_of, record, text

KeyKind = Literal["account", "integration", "team", "heartbeat"]
Right = Literal["read", "create_and_update", "delete"]
NO_NAMES = (".", "..")
"""No names of anything in a path: a client or a server that tidies paths up would ask for another resource."""
_A_NAME: Schema = {"allOf": [{"not": {"enum": list(NO_NAMES)}, "x-rule": "`.` and `..` name nothing"}]}


class Idempotency(Enum):
    """What a call may do when its answer is lost. The value is the word people see."""

    SAFE = "safe"
    """A read: send again."""
    REPEATABLE = "repeatable"
    """Doing it twice is doing it once: send again, to the id."""
    KEYED = "keyed"
    """Carries a key of our own: look it up first, else send again with the same key."""
    CLASH = "clash"
    """A second create answers 409: read and compare."""
    DELETE = "delete"
    """Gone is gone: send again, 404 is done."""
    MARKED = "marked"
    """Carries a marker of ours: settle, read back, send again when it is missing."""
    ONCE = "once"
    """Cannot be told: stop and ask a person."""


@dataclass(frozen=True, slots=True)
class Paging:
    """How a list goes on.

    Attributes:
        style: "offset" (limit and offset, `paging.next` is an absolute URL), "cursor" (an opaque offset and a direction), or
            "whole" (one answer holds everything).
        page: the most items one page may hold.
        items: where the items are in `data`; "" when `data` is the list itself.
        window: offset + limit must stay below this, or None.
    """

    style: Literal["offset", "cursor", "whole"]
    page: int = 100
    items: str = ""
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of an HTTP API.

    Attributes:
        name: the step's name.
        request: method and path template, as in `POST /v2/alerts/{identifier}/close`.
        vendor: operationId in the vendor's API definition; None when it is not in there.
        summary: one sentence in our own words.
        path: fields of the path template; those not named here are plain text.
        query, body, form: the other fields, under the vendor's own names. `form` is sent as multipart and holds files by path.
        required: names that must be given, path fields apart (they always must).
        right: what the key must be granted.
        configuration: whether it must be granted "configuration_access" as well: every key, or those of one kind alone.
        keys: kinds of key that may make the call, as the service tells them apart.
        rate_limit_domain: the bucket the call is counted in.
        follow: path template of the request status an asynchronous write is followed at; None for a synchronous call.
        listing: how the list pages; None when the answer is one object.
        frame: how a good answer begins and ends that is a text and no JSON; its outputs are the text, as `content`.
        data: schema of the answer's data: one object, or one item of a list.
        secrets: names of fields, at any depth of its answers, that hold keys: their values are masked at once, for outputs, too.
        lookup: for CLASH and MARKED: name of the operation that reads back what was written.
        jsm: `METHOD path` of the counterpart in Jira Service Management, or None.
    """

    name: str
    request: str
    vendor: str | None
    summary: str
    path: Fields = field(default_factory=dict)
    query: Fields = field(default_factory=dict)
    body: Fields = field(default_factory=dict)
    form: Fields = field(default_factory=dict)
    required: tuple[str, ...] = ()
    right: Right = "read"
    configuration: bool | KeyKind = False
    keys: tuple[KeyKind, ...]
    rate_limit_domain: str
    idempotency: Idempotency
    follow: str | None = None
    listing: Paging | None = None
    frame: tuple[str, str] | None = None
    data: Schema
    secrets: re.Pattern[str] | None = None
    lookup: str | None = None
    jsm: str | None = None

    @cached_property
    def method(self) -> str:
        """HTTP method."""
        return self.request.split()[0]

    @cached_property
    def path_template(self) -> str:
        """The path with its fields in braces."""
        return self.request.split()[1]

    @property
    def asynchronous(self) -> bool:
        """Whether the service answers 202 and does the work later."""
        return self.follow is not None

    @property
    def effect(self) -> Effect:
        """Read or write; a method does not tell: a heartbeat is pinged with GET too."""
        return "read" if self.idempotency is Idempotency.SAFE else "write"

    @property
    def rights(self) -> tuple[str, ...]:
        """Every right the key needs; `right (kind)` is asked of keys of that kind alone."""
        if self.configuration is False:
            return (self.right,)
        return (self.right, "configuration_access" + ("" if self.configuration is True else f" ({self.configuration})"))

    @cached_property
    def path_names(self) -> tuple[str, ...]:
        """Names of the fields in the path template, in order."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.path_template) if name)

    @cached_property
    def inputs(self) -> Schema:
        """Schema of `with` as sent."""
        path = {name: self.path.get(name, text(min_length=1)) | _A_NAME for name in self.path_names}
        fields = path | self.query | self.body | self.form
        return record(required=(*self.path_names, *self.required), **fields)

    @cached_property
    def outputs(self) -> Schema:
        """Schema of the step's outputs."""
        if self.listing:
            return {
                "type": "object",
                "properties": {"items": list_of(self.data), "count": {"type": "integer"}},
                "required": ["items", "count"],
            }
        return self.data

    def url_path(self, given: Mapping[str, Any]) -> str:
        """The path with its fields filled in, each percent-encoded whole. Raises StepError for `.` and `..`, which name nothing."""
        values = {name: str(given[name]) for name in self.path_names}
        for name, value in values.items():
            if value in NO_NAMES:
                raise StepError(
                    f"{self.name}: {name} is `{value}`, which names nothing; nothing was sent", code="invalid_input", again="never"
                )
        return self.path_template.format(**{name: quote(value, safe="") for name, value in values.items()})


def rights_for(kind: str, rights: Iterable[str]) -> list[str]:
    """Those of an operation's rights that a key of this kind needs."""
    named = (right.partition(" (") for right in rights)
    return [name for name, _, only in named if only in ("", f"{kind})")]


@dataclass(frozen=True)
class OperationStep:
    """The step that carries out one operation over the connection of its context."""

    operation: Operation

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    @property
    def summary(self) -> str:
        """The operation's summary."""
        return self.operation.summary

    @property
    def effect(self) -> Effect:
        """Read or write."""
        return self.operation.effect

    @property
    def inputs(self) -> Schema:
        """Schema of `with` as sent."""
        return self.operation.inputs

    @property
    def needs(self) -> tuple[Need, ...]:
        """One need: the operation's own."""
        return (Need(self.operation.keys, "+".join(self.operation.rights)),)

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Schema of the outputs; the same however the step is written."""
        del written
        return self.operation.outputs

    def listing(self) -> Mapping[str, Any]:
        """The row of `steps list --json`."""
        row = self.operation
        return {
            "name": row.name,
            "summary": row.summary,
            "method": row.method,
            "path": row.path_template,
            "effect": row.effect,
            "asynchronous": row.asynchronous,
            "keys": list(row.keys),
            "right": "+".join(right for right in row.rights if "(" not in right),
            "rate_limit_domain": row.rate_limit_domain,
            "idempotency": row.idempotency.value,
            "jsm": row.jsm,
        }

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Carries the operation out and returns its outputs. Raises StepError."""
        outputs: Mapping[str, Any] = context.connection().perform(self.operation, given, context)
        return outputs
