"""What a run can tell: every event of the audit log, its fields and their types."""

from __future__ import annotations

from typing import Any

from engine.contracts import DRAFT

_text: dict[str, Any] = {"type": "string"}
_maybe_text: dict[str, Any] = {"type": ["string", "null"]}
_count: dict[str, Any] = {"type": "integer", "minimum": 0}
_sha256: dict[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_time: dict[str, Any] = {"type": "string", "format": "date-time"}
_number: dict[str, Any] = {"type": ["number", "null"]}
_flag: dict[str, Any] = {"type": "boolean"}
_status = {"enum": ["succeeded", "failed", "skipped", "cancelled", "in_doubt", "interrupted"]}
_error = {
    "type": ["object", "null"],
    "required": ["message", "code", "status"],
    "properties": {
        "message": _text,
        "code": _text,
        "status": {"type": ["integer", "null"]},
        "hint": _maybe_text,
        "kind": _text,
        "again": _text,
        "retry_after": _number,
    },
    "additionalProperties": False,
}
_actor = {
    "type": "object",
    "required": ["user", "host", "terminal", "trigger"],
    "properties": {"user": _text, "host": _text, "terminal": _flag, "trigger": _text},
    "additionalProperties": False,
}
_scheduled = {
    "type": "object",
    "description": "The trigger that the run is for, and its moment.",
    "required": ["file", "trigger", "moment"],
    "properties": {"file": _text, "trigger": _text, "moment": _time},
    "additionalProperties": False,
}
_key = {
    "type": "object",
    "required": ["kind", "reference", "fingerprint"],
    "properties": {"kind": _text, "reference": _text, "fingerprint": _maybe_text},
    "additionalProperties": False,
}
_answer = {
    "type": "object",
    "required": ["status", "took"],
    "properties": {
        "status": {"type": ["integer", "null"]},
        "took": {"type": "number", "description": "seconds"},
        "requestId": _text,
        "rate_limit": {"type": "object", "additionalProperties": _text},
        "names": {"type": "object", "additionalProperties": _text, "description": "What the thing it is about is called."},
    },
    "additionalProperties": False,
}

COMMON: dict[str, Any] = {
    "seq": {"type": "integer", "minimum": 1, "description": "Number of the line, from 1."},
    "time": _time,
    "monotonic": {"type": "number", "description": "Seconds of this machine's running clock."},
    "boot": {**_text, "description": "This boot of the machine: monotonic times of two boots cannot be compared."},
    "event": _text,
    "run": _text,
    "runbook": _text,
    "prev": {**_sha256, "description": "Hash of the line before; zeros at first."},
    "hash": {**_sha256, "description": "SHA-256 of this line without this field."},
}

_place = {"key": _text, "step": _text, "item": _maybe_text, "attempt": {"type": "integer", "minimum": 1}}
_call = {
    "action": _text,
    "effect": {"enum": ["read", "write"]},
    "connection": _text,
    "method": _maybe_text,
    "host": _text,
    "path": _text,
    "ids": {"type": "object", "additionalProperties": _text},
    "domain": _maybe_text,
    "request_hash": _sha256,
    "key_used": _key,
    "detail": {"type": "object"},
}

EVENTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "carried": (
        ("was",),
        {"was": {"type": "object", "description": "An event of the run that this one is a retry of, as that run's log has it."}},
    ),
    "doubt.decided": (
        ("key", "call", "decision", "actor"),
        {
            "key": _text,
            "call": {**_text, "description": "Key of the call that is in doubt."},
            "decision": {"enum": ["resend", "skip", "fail"]},
            "actor": _actor,
        },
    ),
    "log.continued": (("next",), {"next": {**_text, "description": "The file beside this one in which the log goes on."}}),
    "moment": (("key", "moment"), {"key": _text, "moment": _time}),
    "run.cancelling": (("key",), {"key": _text}),
    "run.carried": (("key",), {"key": _text}),
    "run.ended": (("status",), {"status": _status, "error": _error}),
    "run.parked": (("status",), {"status": _status, "error": _error}),
    "run.resumed": (("actor", "engine"), {"actor": _actor, "engine": _text}),
    "run.started": (
        ("runbook_sha256", "actor", "started_at", "kept", "engine", "emulator"),
        {
            "runbook_sha256": _sha256,
            "actor": _actor,
            "started_at": _time,
            "kept": _sha256,
            "engine": _text,
            "emulator": _flag,
            "retry_of": {**_text, "description": "The run that this one keeps what was done of."},
            "changed": {**_flag, "description": "Of a retry: whether its runbook or inputs are others than that run's."},
            "scheduled": _scheduled,
        },
    ),
    "secret.resolved": (("reference", "fingerprint"), {"reference": _text, "fingerprint": _text}),
    "step.doubt": (("key", "step", "attempt", "action", "error"), {**_place, "action": _text, "error": _error}),
    "step.ended": (
        ("key", "step", "status"),
        {"key": _text, "step": _text, "item": _maybe_text, "status": _status, "error": _error, "continued": _flag, "kept": _flag},
    ),
    "step.intent": (("key", "step", "attempt", "action", "effect"), {**_place, **_call}),
    "step.result": (
        ("key", "step", "attempt", "action", "outcome"),
        {
            **_place,
            "action": _text,
            "outcome": {"enum": ["succeeded", "failed"]},
            "result": {"type": ["string", "null"], "description": "Hash under which the run's private results keep the answer."},
            "answer": _answer,
            "error": _error,
        },
    ),
    "step.skipped": (("key", "step", "condition"), {"key": _text, "step": _text, "item": _maybe_text, "condition": _text}),
    "step.started": (("key", "step", "uses"), {"key": _text, "step": _text, "item": _maybe_text, "of": _count, "uses": _text}),
    "wait.ended": (("key",), {"key": _text}),
    "wait.started": (("key", "until"), {"key": _text, "until": _time}),
}
"""Event → the fields it must have, and the schema of each field, the common ones apart."""


def schema() -> dict[str, Any]:
    """The published schema of one event."""
    return {
        "$schema": DRAFT,
        "title": "opsbook audit event",
        "type": "object",
        "required": sorted(COMMON),
        "properties": {**COMMON, "event": {"enum": sorted(EVENTS)}},
        "allOf": [_when(name, required, fields) for name, (required, fields) in sorted(EVENTS.items())],
    }


def _when(name: str, required: tuple[str, ...], fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"event": {"const": name}}, "required": ["event"]},
        "then": {"properties": {**{name: {} for name in COMMON}, **fields}, "required": list(required), "additionalProperties": False},
    }
