"""What a template may be made of: its Jinja tree is measured and compared with a list of nodes before anything compiles it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from jinja2 import nodes

from engine.advice import closest
from engine.template.filters import FILTERS
from engine.template.functions import Function
from engine.template.predicates import TESTS
from engine.template.values import LARGEST_INTEGER, TemplateError, nearest

MOST_NODES: Final = 400
DEEPEST: Final = 32


def check(tree: nodes.Node) -> None:
    """Refuses every tree that is too large or holds what the list does not name. Raises TemplateError."""
    waiting, count = [(tree, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MOST_NODES:
            raise TemplateError(f"the template is too large: at most {MOST_NODES} parts", hint="move parts of it to vars")
        if depth > DEEPEST:
            raise TemplateError(f"the template is nested deeper than {DEEPEST}", hint="move parts of it to vars")
        rule = _RULES.get(type(node))
        if rule is None:
            raise TemplateError(*_REFUSED.get(type(node), ("this construct cannot stand in a template", None)))
        rule(node)
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())


def _free(_: Any) -> None:
    """Nothing to check beyond the parts."""


def _name(node: Any) -> None:
    if node.name.startswith("_"):
        raise TemplateError("a name cannot start with an underscore", node.name)
    if node.name == "self":
        raise TemplateError("`self` is no name of a runbook", "self")


def _attribute(node: nodes.Getattr) -> None:
    if node.attr.startswith("_"):
        raise TemplateError("a field after a dot cannot start with an underscore", f".{node.attr}", hint='write it as x["_id"]')


def _item(node: nodes.Getitem) -> None:
    key = node.arg
    if isinstance(key, nodes.Const) and isinstance(key.value, str) and key.value.startswith("__"):
        raise TemplateError("a key cannot start with two underscores", key.value)


def _constant(node: nodes.Const) -> None:
    value = node.value
    if (isinstance(value, int) and abs(value) > LARGEST_INTEGER) or (isinstance(value, float) and not math.isfinite(value)):
        raise TemplateError("the number is too large")


def _pair(node: nodes.Pair) -> None:
    if not isinstance(node.key, nodes.Const) or not isinstance(node.key.value, str):
        raise TemplateError("the keys of an object must be text in quotes")


def _choice(node: nodes.CondExpr) -> None:
    if node.expr2 is None:
        raise TemplateError("a conditional needs both values", "if", hint='write: a if condition else ""')


def _loop(node: nodes.For) -> None:
    if not isinstance(node.target, nodes.Name):
        raise TemplateError("a loop has one name: {% for item in list %}", "for")
    if not isinstance(node.iter, nodes.Name | nodes.Getattr | nodes.Getitem | nodes.Filter):
        raise TemplateError("a loop goes over a value that is there already: a name, a field or what a filter gives", "for")
    if node.recursive:
        raise TemplateError("a loop cannot be recursive", "recursive")


def _applied(what: str, functions: Mapping[str, Function], node: nodes.Filter | nodes.Test) -> None:
    if node.name not in functions:
        raise TemplateError(f"there is no {what} `{node.name}`", node.name, hint=nearest(node.name, functions))
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise TemplateError(f"`{node.name}` takes its arguments one by one", node.name)
    named = {str(keyword.key) for keyword in node.iter_child_nodes() if isinstance(keyword, nodes.Keyword)}
    reason = functions[node.name].misuse(len(node.args), named)
    if reason is not None:
        raise TemplateError(f"the {what} `{node.name}` cannot be used like this: {reason}", node.name)
    _inner(node)


def _inner(node: nodes.Filter | nodes.Test) -> None:
    """`map("upper")` and `selectattr("x", "matches")` name a filter or a test as text: it is looked up now where it is a constant."""
    place = {"map": (0, FILTERS), "select": (0, TESTS), "reject": (0, TESTS), "selectattr": (1, TESTS), "rejectattr": (1, TESTS)}.get(
        node.name
    )
    if place is None or len(node.args) <= place[0]:
        return
    name = node.args[place[0]]
    if isinstance(name, nodes.Const) and isinstance(name.value, str) and name.value not in {*place[1], "==", "!=", "<", "<=", ">", ">="}:
        close = closest(name.value, place[1])
        raise TemplateError(f"`{node.name}` knows no `{name.value[:40]}`", name.value, hint=f"did you mean {close}?" if close else None)


_RULES: Final[Mapping[type[nodes.Node], Callable[[Any], None]]] = {
    nodes.Add: _free,
    nodes.And: _free,
    nodes.Compare: _free,
    nodes.Concat: _free,
    nodes.CondExpr: _choice,
    nodes.Const: _constant,
    nodes.Dict: _free,
    nodes.Filter: partial(_applied, "filter", FILTERS),
    nodes.For: _loop,
    nodes.Getattr: _attribute,
    nodes.Getitem: _item,
    nodes.If: _free,
    nodes.Keyword: _free,
    nodes.List: _free,
    nodes.Name: _name,
    nodes.Neg: _free,
    nodes.Not: _free,
    nodes.Operand: _free,
    nodes.Or: _free,
    nodes.Output: _free,
    nodes.Pair: _pair,
    nodes.Slice: _free,
    nodes.Sub: _free,
    nodes.Template: _free,
    nodes.TemplateData: _free,
    nodes.Test: partial(_applied, "test", TESTS),
    nodes.Tuple: _free,
}

_REFUSED: Final[Mapping[type[nodes.Node], tuple[str, str | None]]] = {
    nodes.Assign: ("a template cannot set a name; use vars", "set"),
    nodes.AssignBlock: ("a template cannot set a name; use vars", "set"),
    nodes.Call: ("a template cannot call anything; use a filter", "("),
    nodes.Div: ("a template cannot divide", "/"),
    nodes.Extends: ("a template stands alone", "extends"),
    nodes.FilterBlock: ("a filter follows a value: {{ x | upper }}", "filter"),
    nodes.FloorDiv: ("a template cannot divide", "//"),
    nodes.Import: ("a template stands alone", "import"),
    nodes.Include: ("a template stands alone", "include"),
    nodes.Macro: ("a template cannot define macros", "macro"),
    nodes.Mod: ("a template cannot format or divide with %", "%"),
    nodes.Mul: ("a template cannot multiply", "*"),
    nodes.Pow: ("a template cannot multiply", "**"),
}
