"""Advice on a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable

FEW = 12
"""So many words may be listed in full."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, whatever the case; None when none is like it."""
    from difflib import get_close_matches

    lower = {option.lower(): option for option in known}
    near = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to this one, or all of them when they are few."""
    options = list(known)
    near = closest(word, options)
    if near:
        return f"did you mean {near}?"
    return f"known here: {', '.join(options)}" if 0 < len(options) <= FEW else None
