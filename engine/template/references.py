"""Which names of the context a template reads, and whether something on the way makes sure that they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from engine.template.values import Path, Reference

_Guards = frozenset[Path]


def collect(tree: nodes.Node, source: str) -> tuple[Reference, ...]:
    """Every reference to the context, in the order of the tree; the names of loops inside the template are not references."""
    return tuple(_Reader(source).read(tree, _Place()))


def guards(tree: nodes.Node) -> tuple[Path, ...]:
    """What is surely there when an expression holds."""
    return tuple(sorted(_facts(tree, holds=True), key=str))


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known where a node stands: paths surely there, names of loops, and whether absence is expected."""

    there: _Guards = frozenset()
    local: frozenset[str] = frozenset()
    lenient: bool = False

    def with_facts(self, facts: _Guards) -> _Place:
        return _Place(self.there | facts, self.local)

    def plain(self) -> _Place:
        return _Place(self.there, self.local)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source

    def read(self, node: nodes.Node, place: _Place) -> Iterator[Reference]:
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            yield from self._chain(node, place)
        elif isinstance(node, nodes.And | nodes.Or):
            yield from self.read(node.left, place.plain())
            yield from self.read(node.right, place.with_facts(_facts(node.left, holds=isinstance(node, nodes.And))))
        elif isinstance(node, nodes.CondExpr | nodes.If):
            yield from self._choice(node, place)
        elif isinstance(node, nodes.For):
            yield from self._loop(node, place)
        elif isinstance(node, nodes.Filter | nodes.Test) and node.name in {"default", "defined", "undefined"}:
            yield from self._children(node, place, lenient=node.node)
        else:
            yield from self._children(node, place)

    def _children(self, node: nodes.Node, place: _Place, lenient: nodes.Node | None = None) -> Iterator[Reference]:
        for child in node.iter_child_nodes():
            yield from self.read(child, _Place(place.there, place.local, lenient=True) if child is lenient else place.plain())

    def _choice(self, node: nodes.CondExpr | nodes.If, place: _Place) -> Iterator[Reference]:
        yield from self.read(node.test, place.plain())
        holds = place.with_facts(_facts(node.test, holds=True))
        fails = place.with_facts(_facts(node.test, holds=False))
        if isinstance(node, nodes.CondExpr):
            yield from self.read(node.expr1, holds)
            assert node.expr2 is not None
            yield from self.read(node.expr2, fails)
            return
        for part in node.body:
            yield from self.read(part, holds)
        for branch in node.elif_:
            yield from self.read(branch, fails)
            fails = fails.with_facts(_facts(branch.test, holds=False))
        for part in node.else_:
            yield from self.read(part, fails)

    def _loop(self, node: nodes.For, place: _Place) -> Iterator[Reference]:
        yield from self.read(node.iter, place.plain())
        assert isinstance(node.target, nodes.Name)
        inside = _Place(place.there, place.local | {node.target.name, "loop"})
        if node.test is not None:
            yield from self.read(node.test, inside)
            inside = inside.with_facts(_facts(node.test, holds=True))
        for part in node.body:
            yield from self.read(part, inside)
        for part in node.else_:
            yield from self.read(part, place.plain())

    def _chain(self, node: nodes.Expr, place: _Place) -> Iterator[Reference]:
        """A dotted path; what stands in brackets and is not constant ends the path and is read for itself."""
        links = list(_links(node))
        root = links[0]
        path: list[str | int] = [root.name] if isinstance(root, nodes.Name) else []
        written = root.name if isinstance(root, nodes.Name) else ""
        whole = bool(path)
        for link in links[1:]:
            key = _key(link)
            if key is None:
                assert isinstance(link, nodes.Getitem)
                yield from self.read(link.arg, place.plain())
            whole = whole and key is not None
            if whole and key is not None:
                path.append(key)
                written = self._spelling(written, link, key)
        if not isinstance(root, nodes.Name):
            yield from self.read(root, place)
        elif root.name not in place.local:
            yield Reference(tuple(path), written, place.lenient or _is_there(tuple(path), place.there))

    def _spelling(self, before: str, link: nodes.Node, key: str | int) -> str:
        if isinstance(link, nodes.Getattr):
            return f"{before}.{key}"
        forms = [f'["{key}"]', f"['{key}']"] if isinstance(key, str) else [f"[{key}]", f".{key}"]
        return next((before + form for form in forms if before + form in self.source), before + forms[0])


def path_of(node: nodes.Node) -> Path | None:
    """The dotted path a node is, or None when it is anything else."""
    links = list(_links(node))
    keys = [_key(link) for link in links[1:]]
    if not isinstance(links[0], nodes.Name) or None in keys:
        return None
    return (links[0].name, *(key for key in keys if key is not None))


def _links(node: nodes.Node) -> list[nodes.Node]:
    """Root first: `a.b[0]` is a, .b, [0]."""
    found: list[nodes.Node] = [node]
    while isinstance(found[-1], nodes.Getattr | nodes.Getitem):
        found.append(found[-1].node)
    return found[::-1]


def _key(link: nodes.Node) -> str | int | None:
    if isinstance(link, nodes.Getattr):
        return link.attr
    assert isinstance(link, nodes.Getitem)
    value = link.arg.value if isinstance(link.arg, nodes.Const) else None
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _is_there(path: Path, there: _Guards) -> bool:
    return any(path[: len(prefix)] == prefix for prefix in there)


def _facts(node: Any, *, holds: bool) -> _Guards:
    """Paths that are surely there when the node's truth is `holds`."""
    if isinstance(node, nodes.Not):
        return _facts(node.node, holds=not holds)
    if isinstance(node, nodes.And | nodes.Or):
        left, right = _facts(node.left, holds=holds), _facts(node.right, holds=holds)
        return left | right if holds == isinstance(node, nodes.And) else left & right
    if isinstance(node, nodes.Test) and node.name in {"defined", "undefined"}:
        path = path_of(node.node)
        return frozenset({_outputs(path)}) if path is not None and holds == (node.name == "defined") else frozenset()
    if isinstance(node, nodes.Compare) and len(node.ops) == 1:
        return _succeeded(node, holds=holds)
    return frozenset()


def _outputs(path: Path) -> Path:
    """A step with one output has them all; that a step is there says nothing of its outputs."""
    return path[:3] if path[0] == "steps" and len(path) > 2 else path


def _succeeded(node: nodes.Compare, *, holds: bool) -> _Guards:
    """`steps.x.status == "succeeded"`, or `!=` where it does not hold."""
    operand = node.ops[0]
    wanted = {True: "eq", False: "ne"}[holds]
    for side, other in ((node.expr, operand.expr), (operand.expr, node.expr)):
        path = path_of(side)
        if operand.op == wanted and path is not None and path[0] == "steps" and path[2:] == ("status",):
            return frozenset({path[:2]}) if isinstance(other, nodes.Const) and other.value == "succeeded" else frozenset()
    return frozenset()
