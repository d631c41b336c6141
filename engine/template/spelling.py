"""Nodes of a Jinja tree as their author would write them, for messages and for pointing at the source.

Nodes are told apart by the names of their classes, so that this needs no Jinja.
"""

from __future__ import annotations

from typing import Any, Final

_SIGNS: Final = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}


def spelling(node: Any) -> str:
    """The node in one line; arguments of filters and tests are left out."""
    name = type(node).__name__
    if name == "Const":
        return f'"{node.value}"' if isinstance(node.value, str) else str(node.value).lower()
    if name in {"And", "Or"}:
        return f"{spelling(node.left)} {name.lower()} {spelling(node.right)}"
    if name == "Compare":
        return " ".join((spelling(node.expr), *(f"{_SIGNS[part.op]} {spelling(part.expr)}" for part in node.ops)))
    pattern = _PATTERNS.get(name)
    return pattern(node) if pattern else "…"


_PATTERNS: Final = {
    "Filter": lambda node: f"{spelling(node.node)} | {node.name}",
    "Getattr": lambda node: f"{spelling(node.node)}.{node.attr}",
    "Getitem": lambda node: f"{spelling(node.node)}[{spelling(node.arg)}]",
    "List": lambda node: f"[{', '.join(map(spelling, node.items))}]",
    "Name": lambda node: str(node.name),
    "Not": lambda node: f"not {spelling(node.node)}",
    "Test": lambda node: f"{spelling(node.node)} is {node.name}",
}
