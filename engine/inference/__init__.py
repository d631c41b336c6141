"""Static types: what a template or a condition gives, worked out from schemas before anything runs.

Nodes of the Jinja tree are told apart by the names of their classes: where every hole is a dotted path, no tree is needed
and Jinja is not imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.contracts import Schema
from engine.inference.value_types import (
    ANY,
    BOOLEAN,
    STRING,
    NoField,
    choices,
    compatible,
    field,
    items_of,
    of_types,
    overlap,
    place,
    said,
    types_of,
    union,
)
from engine.template import Expression, Template
from engine.template.spelling import spelling
from engine.template.values import kind, nearest

__all__ = ["Problem", "Result", "compatible", "infer"]

Kind = Literal["no_such_field", "undefined_name", "type_mismatch", "not_boolean", "constant_condition", "impossible_comparison"]

_LOOP: Final[Schema] = {
    "type": "object",
    "properties": {
        "first": BOOLEAN,
        "index": {"type": "integer"},
        "index0": {"type": "integer"},
        "last": BOOLEAN,
        "length": {"type": "integer"},
    },
}
_NUMBERS: Final = frozenset({"integer", "number"})
_ORDERED: Final = _NUMBERS | {"string"}
_SUMS: Final = (_NUMBERS, frozenset({"string"}), frozenset({"array"}))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a template; `fragment` is the part of its source to point at."""

    kind: Kind
    message: str
    fragment: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a template gives, and what is wrong with it."""

    schema: Schema
    problems: tuple[Problem, ...]


def infer(source: Template | Expression, scope: Mapping[str, Schema]) -> Result:
    """The type of a checked template or condition, given the schemas of the names it may use."""
    typer = _Typer(scope)
    if source.shape == "jinja":
        schema = _of_tree(typer, source)
    else:
        found = [typer.path(reference.path, reference.fragment) for reference in source.references]
        schema = found[0] if source.shape == "path" else STRING
        if isinstance(source, Expression):
            typer.boolean(schema, source.source.strip())
    if source.shape == "static":
        schema = {"type": "string", "const": source.source}
    return Result(schema, tuple(dict.fromkeys(typer.problems)))


def _of_tree(typer: _Typer, source: Template | Expression) -> Schema:
    from engine.template import sandbox

    if isinstance(source, Template):
        return typer.of(sandbox.typed_tree(source.source))
    tree = sandbox.expression_tree(source.source)
    typer.condition(tree)
    return typer.of(tree)


class _Typer:
    """Walks a tree once, collecting problems on the way."""

    def __init__(self, scope: Mapping[str, Schema]) -> None:
        self.problems: list[Problem] = []
        self._scope = scope

    def of(self, node: Any) -> Schema:
        """The type of a node; statements give text."""
        rule: Callable[[Any], Schema] = getattr(self, f"_{type(node).__name__.lower()}", self._parts)
        return rule(node)

    def path(self, path: Sequence[str | int], fragment: str) -> Schema:
        """The type of what is at a path."""
        schema = self._root(str(path[0]))
        for depth, key in enumerate(path[1:], 1):
            schema = self._field(schema, key, place(path[:depth]), fragment)
        return schema

    def condition(self, node: Any) -> None:
        """What decides must be true or false, and not always the same."""
        name = type(node).__name__
        if name in {"And", "Or"}:
            self.condition(node.left)
            self.condition(node.right)
        elif name == "Not":
            self.condition(node.node)
        else:
            before = len(self.problems)
            schema = self.of(node)
            if len(self.problems) == before:
                self.boolean(schema, spelling(node))

    def boolean(self, schema: Schema, fragment: str) -> None:
        """Reports a condition of another type, or with one value only."""
        types, values = types_of(schema), choices(schema)
        if types and "boolean" not in types:
            self._tell(
                "not_boolean", f"{fragment} is {said(types)}; a condition must be true or false", fragment, "compare it with something"
            )
        elif values is not None and len(values) == 1:
            self._tell("constant_condition", f"{fragment} is always {str(values[0]).lower()}", fragment)

    def _tell(self, problem: Kind, message: str, fragment: str, hint: str | None = None) -> None:
        self.problems.append(Problem(problem, message, fragment, hint))

    def _root(self, name: str) -> Schema:
        if name not in self._scope:
            self._tell("undefined_name", f"there is no {name} here", name, nearest(name, self._scope))
        return self._scope.get(name, ANY)

    def _field(self, schema: Schema, key: str | int, above: str, fragment: str) -> Schema:
        found = field(schema, key, above)
        if isinstance(found, NoField):
            self._tell("no_such_field", found.message, fragment, found.hint)
            return ANY
        return found

    # statements

    def _parts(self, node: Any) -> Schema:
        for child in node.iter_child_nodes():
            self.of(child)
        return STRING

    def _if(self, node: Any) -> Schema:
        self._constant(node.test)
        return self._parts(node)

    def _for(self, node: Any) -> Schema:
        listed = self._take(node.iter, frozenset({"array"}), "a loop")
        outer, self._scope = self._scope, {**self._scope, node.target.name: items_of(listed), "loop": _LOOP}
        for part in (*([node.test] if node.test is not None else ()), *node.body):
            self.of(part)
        self._scope = outer
        for part in node.else_:
            self.of(part)
        return STRING

    def _constant(self, test: Any) -> None:
        values = choices(self.of(test))
        if values is not None and len(values) == 1 and isinstance(values[0], bool):
            self._tell("constant_condition", f"{spelling(test)} is always {str(values[0]).lower()}", spelling(test))

    # values

    def _const(self, node: Any) -> Schema:
        return {"type": kind(node.value), "const": node.value}

    def _name(self, node: Any) -> Schema:
        return self._root(node.name)

    def _getattr(self, node: Any) -> Schema:
        return self._field(self.of(node.node), node.attr, spelling(node.node), spelling(node))

    def _getitem(self, node: Any) -> Schema:
        base = self.of(node.node)
        index = self.of(node.arg)
        if type(node.arg).__name__ == "Slice":
            return base
        value = index.get("const")
        if isinstance(value, str | int) and not isinstance(value, bool):
            return self._field(base, value, spelling(node.node), spelling(node))
        return items_of(base) if "array" in types_of(base) else ANY

    def _list(self, node: Any) -> Schema:
        found = [self.of(item) for item in node.items]
        whole = found[0] if found else ANY
        for schema in found[1:]:
            whole = union(whole, schema)
        return {"type": "array", "items": whole}

    _tuple = _list

    def _dict(self, node: Any) -> Schema:
        return {"type": "object", "properties": {pair.key.value: self.of(pair.value) for pair in node.items}}

    # operators

    def _concat(self, node: Any) -> Schema:
        return self._parts(node)

    def _and(self, node: Any) -> Schema:
        return union(self.of(node.left), self.of(node.right))

    _or = _and

    def _not(self, node: Any) -> Schema:
        self.of(node.node)
        return BOOLEAN

    def _condexpr(self, node: Any) -> Schema:
        self._constant(node.test)
        return union(self.of(node.expr1), self.of(node.expr2))

    def _add(self, node: Any) -> Schema:
        left, right = self.of(node.left), self.of(node.right)
        types = (types_of(left), types_of(right))
        if all(types) and not any(types[0] & family and types[1] & family for family in _SUMS):
            self._tell(
                "type_mismatch",
                f"+ cannot join {said(types[0])} and {said(types[1])}",
                spelling(node.left),
                "`~` puts values together as text",
            )
            return ANY
        return of_types(types[0] | types[1]) if all(types) else ANY

    def _sub(self, node: Any) -> Schema:
        types = [types_of(self._take(side, _NUMBERS, "-")) for side in (node.left, node.right)]
        return of_types(types[0] | types[1] if all(types) else {"number"})

    def _neg(self, node: Any) -> Schema:
        value = self._take(node.node, _NUMBERS, "-")
        return {"type": kind(-value["const"]), "const": -value["const"]} if _is_number(value.get("const")) else of_types(types_of(value))

    def _take(self, node: Any, takes: frozenset[str], what: str) -> Schema:
        """The type of an operand, which must be one of some types."""
        schema = self.of(node)
        types = types_of(schema)
        if not overlap(types, takes):
            self._tell("type_mismatch", f"{what} takes {said(takes)}, and {spelling(node)} is {said(types)}", spelling(node))
        return schema

    # comparisons

    def _compare(self, node: Any) -> Schema:
        nodes = (node.expr, *(operand.expr for operand in node.ops))
        results = [
            self._pair({"lteq": "le", "gteq": "ge"}.get(operand.op, operand.op), left, right)
            for operand, left, right in zip(node.ops, nodes, nodes[1:], strict=False)
        ]
        return results[0] if len(results) == 1 else BOOLEAN

    def _pair(self, operator: str, left: Any, right: Any) -> Schema:
        first, second = self.of(left), self.of(right)
        if operator in {"in", "notin"}:
            return self._membership(operator, first, second, (left, right))
        types = (types_of(first), types_of(second))
        ordering = operator not in {"eq", "ne"}
        if not overlap(*types) or (ordering and not all(overlap(side, _ORDERED) for side in types)):
            self._tell(
                "type_mismatch",
                f"{spelling(left)} is {said(types[0])} and {spelling(right)} is {said(types[1])}: they cannot be compared",
                spelling(left),
            )
            return BOOLEAN
        return BOOLEAN if ordering else self._equality(operator, first, second, (left, right))

    def _equality(self, operator: str, first: Schema, second: Schema, nodes: tuple[Any, Any]) -> Schema:
        values, others = choices(first), choices(second)
        if values is None or others is None:
            return BOOLEAN
        if not any(value in others for value in values):
            if "const" in first and "const" in second:
                return {"type": "boolean", "const": operator == "ne"}
            self._never(first, second, nodes)
        elif len(values) == len(others) == 1:
            return {"type": "boolean", "const": operator == "eq"}
        return BOOLEAN

    def _never(self, first: Schema, second: Schema, nodes: tuple[Any, Any]) -> None:
        """A value compared with what it never is."""
        told, (one, other) = (first, nodes) if "const" not in first else (second, nodes[::-1])
        hint = nearest(spelling(other).strip('"'), map(str, choices(told) or ()))
        self._tell("impossible_comparison", f"{spelling(one)} is never {spelling(other)}", spelling(other), hint)

    def _membership(self, operator: str, first: Schema, second: Schema, nodes: tuple[Any, Any]) -> Schema:
        if type(nodes[1]).__name__ in {"List", "Tuple"}:
            return self._listed(operator, first, nodes)
        types, inner = types_of(second), types_of(items_of(second)) if "array" in types_of(second) else {"string"}
        if not overlap(types, {"array", "string", "object"}):
            self._tell("type_mismatch", f"{spelling(nodes[1])} is {said(types)}: nothing is in it", spelling(nodes[1]))
        elif types and not overlap(types_of(first), inner):
            message = f"{spelling(nodes[0])} is {said(types_of(first))}, and what is in {spelling(nodes[1])} is {said(inner)}"
            self._tell("type_mismatch", message, spelling(nodes[0]))
        return BOOLEAN

    def _listed(self, operator: str, first: Schema, nodes: tuple[Any, Any]) -> Schema:
        """`x in ["P1", "P2"]`: each of the list is compared with x."""
        before = len(self.problems)
        items = [choices(self.of(item)) for item in nodes[1].items]
        for item in nodes[1].items:
            self._pair("eq", nodes[0], item)
        values = choices(first)
        told = [value for item in items for value in item or ()]
        if len(self.problems) == before and values is not None and all(value in told for value in values):
            return {"type": "boolean", "const": operator == "in"}
        return BOOLEAN

    # filters and tests

    def _test(self, node: Any) -> Schema:
        from engine.template.predicates import TESTS

        if node.name in {"eq", "ne", "lt", "le", "gt", "ge", "in", "notin", "equalto"} and node.args:
            return self._pair({"equalto": "eq"}.get(node.name, node.name), node.node, node.args[0])
        self._apply(TESTS[node.name], node)
        return BOOLEAN

    def _filter(self, node: Any) -> Schema:
        from engine.inference.filter_types import RESULTS, Given
        from engine.template.filters import FILTERS

        function = FILTERS[node.name]
        base, given, named = self._apply(function, node)
        special = RESULTS.get(node.name)
        return of_types(function.gives) if special is None else special(self._picked, base, Given(node.name, given, named))

    def _apply(self, function: Any, node: Any) -> tuple[Schema, list[Schema], dict[str, Schema]]:
        """Types of what is piped in and of the arguments, each compared with what the function takes."""
        wanted = list(function.parameters.values())
        base = self._take(node.node, frozenset(wanted[0]), f"`{node.name}`")
        given = [self._take(argument, frozenset(types), f"`{node.name}`") for argument, types in zip(node.args, wanted[1:], strict=False)]
        named = {
            keyword.key: self._take(keyword.value, frozenset(function.parameters[keyword.key]), f"`{node.name}`") for keyword in node.kwargs
        }
        return base, given, named

    def _picked(self, items: Schema, attribute: Schema, fragment: str) -> Schema:
        """The type of the field of an item, at a dotted path given as a constant."""
        path = attribute.get("const")
        if not isinstance(path, str):
            return ANY
        for key in path.split("."):
            items = self._field(items, int(key) if key.isdecimal() else key, "the items", fragment)
        return items


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
