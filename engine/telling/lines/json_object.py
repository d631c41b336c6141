"""One JSON object a line, for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.redaction import clean_json


def line(record: Mapping[str, Any]) -> str:
    """One object, what people look for first at its beginning."""
    return clean_json(json.dumps(record, ensure_ascii=False, default=str))
