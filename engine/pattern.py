"""Regular expressions of runbooks, compiled only when what they unfold to is small.

The library copies what `{n}` repeats n times: `a{1000000000}`, 13 characters, would take all memory there is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

LARGEST = 50_000
"""Most items an expression may unfold to; each takes some 300 bytes."""

_COUNT = re.compile(r"(\)\s*)?\{\s*(\d+)")
_VERBOSE = re.compile(r"\(\?[\w-]*x")


@lru_cache(256)
def compiled(written: str) -> Any:
    """The expression, ready to search with a `timeout`.

    Raises:
        ValueError: what it is instead: "not a regular expression: …", or one that unfolds to more than LARGEST items.
    """
    import regex

    if _VERBOSE.search(written):  # its comments could stand between a group and its count
        raise ValueError("a regular expression with the flag x, which is not supported")
    if _unfolded(written) > LARGEST:
        raise ValueError(f"a regular expression whose counted repeats come to more than {LARGEST} items")
    try:
        return regex.compile(written)
    except (regex.error, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    except RecursionError as error:
        raise ValueError("a regular expression that is nested too deeply") from error


def _unfolded(written: str) -> int:
    """No fewer items than it unfolds to: counts of single items add up, and those of groups multiply whatever there is."""
    counts = [(group, int(digits[:9])) for group, digits in _COUNT.findall(written)]
    items = len(written) + sum(count for group, count in counts if not group)
    for group, count in counts:
        items *= max(count, 1) if group else 1
    return items
