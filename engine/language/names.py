"""Schemas of the names that templates see, whatever the runbook."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts import Schema

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}


def record(fields: Mapping[str, Schema], *, open_: bool = False) -> Schema:
    """An object that has these fields, and no others unless it is open."""
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": open_}


RUN_STATUS: Schema = {**TEXT, "enum": ["running", "waiting", "succeeded", "failed", "cancelled", "in_doubt", "interrupted"]}
STEP_STATUS: Schema = {**TEXT, "enum": ["pending", "running", "succeeded", "failed", "skipped", "in_doubt", "waiting", "cancelled"]}
RUN = record({"id": TEXT, "status": RUN_STATUS, "started_at": TEXT, "trigger": TEXT})
ERROR = record({"message": TEXT, "status": {"type": ["integer", "null"]}, "code": TEXT})
SECRETS: Schema = {"type": "object", "additionalProperties": TEXT}
LOOP = record({"index": WHOLE, "length": WHOLE})
ITEMS = record(dict.fromkeys(("total", "succeeded", "failed", "skipped", "cancelled"), WHOLE))
