"""Advice on a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

FEW = 12
"""So many words may be listed in full."""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to this one, or all of them when they are few."""
    options = list(known)
    lower = {option.lower(): option for option in options}
    near = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return f"known here: {', '.join(options)}" if 0 < len(options) <= FEW else None
