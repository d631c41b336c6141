"""Text of an unquoted scalar → its value.

Scalars are typed more strictly than the YAML 1.2 core schema: `true`, `false`, `null`, `~`, nothing at all, and JSON's numbers.
Everything else is text, so that `no`, `22:30`, `0123`, `+1202` and `2026-11-23` arrive as written. `~` is null because editors
that check by the core schema show it as null. A key is the text as written (`1:` and `true:` are "1" and "true"): keys are names,
and JSON knows no others. Only a key that is nothing (`null`, `~`, empty) is refused, for no name can have been meant.
"""

from __future__ import annotations

import math
import re
from typing import Any

NULLS = frozenset({"", "~", "null"})

_INTEGER_DIGITS = 640  # what every Python converts, whatever PYTHONINTMAXSTRDIGITS says
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def typed(text: str) -> Any:
    """The value of an unquoted scalar. Raises OverflowError for a number too long or too large to keep."""
    if text in NULLS:
        return None
    if text in {"true", "false"}:
        return text == "true"
    match = _NUMBER.fullmatch(text)
    if not match:
        return text
    if match[1] or match[2]:
        number = float(text)
        if math.isinf(number):
            raise OverflowError("this number is too large")
        return number
    if len(text) > _INTEGER_DIGITS:
        raise OverflowError(f"this number has more than {_INTEGER_DIGITS} digits")
    return int(text)
