"""Jinja's environment with its own look-up, arithmetic, comparison, loops, filters and tests: one rule for types and sizes covers them all.

Comparisons, `~` and loops are rewritten in terms of the tests and filters of this project's tables before they are compiled.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NoReturn

from jinja2 import Undefined, nodes, pass_context
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from engine.template.allowed import MOST_NODES
from engine.template.filters import FILTERS
from engine.template.functions import Function
from engine.template.predicates import TESTS
from engine.template.unknown import Unknown, UnknownValue
from engine.template.values import ABSENT, LONGEST_LIST, LONGEST_TEXT, TemplateError, fault, kind, member, number, spelled

MOST_TOKENS: Final = 3 * MOST_NODES
MOST_ITERATIONS: Final = 10_000
MOST_SECONDS: Final = 1.0
BUDGET: Final = "_budget"
_EACH: Final = "each item"
_LOOP_FIELDS: Final = frozenset({"index", "index0", "first", "last", "length"})


class UsedAbsent(Exception):
    """Something absent was used."""

    def __init__(self, value: Absent) -> None:
        super().__init__()
        self.value = value


class Absent(Undefined):
    """A value that is not there: it may be looked into and given to `default` and `is defined`; every other use is an error."""

    __slots__ = ("name", "parent")

    def __init__(self, _hint: str | None = None, obj: Any = None, name: Any = None, **_: Any) -> None:
        super().__init__()
        self.name = name
        self.parent = obj

    def _refuse(self, *_: object) -> NoReturn:
        raise UsedAbsent(self)

    __str__ = __iter__ = __bool__ = __len__ = __eq__ = __ne__ = __contains__ = __getitem__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Budget:
    """What one render may use. CPU time is the last limit, for what the others let through; a paused machine does not use it up."""

    __slots__ = ("_ends", "_iterations")

    def __init__(self) -> None:
        self._ends = time.thread_time() + MOST_SECONDS
        self._iterations = MOST_ITERATIONS

    def check(self) -> None:
        """Raises StepError when the time is used up."""
        if time.thread_time() > self._ends:
            raise fault(f"the template computes for longer than {MOST_SECONDS} s")

    def iterate(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items, each taken from what all loops of the render may use together."""
        for item in items:
            self._iterations -= 1
            if self._iterations < 0:
                raise fault(f"the loops of the template go round more than {MOST_ITERATIONS} times")
            self.check()
            yield item


def _applied(function: Function, context: Context, /, *given: Any, **named: Any) -> Any:
    """What a filter or test gives, as Jinja calls it."""
    context.parent[BUDGET].check()
    first, *rest = given
    for value in (*rest, *named.values()) if function.lenient else (*given, *named.values()):
        present(value)
    result = function(ABSENT if isinstance(first, Absent) else first, *rest, **named)
    return Absent(name=function.name) if result is ABSENT else result


def present(value: Any) -> None:
    """Raises UsedAbsent when the value, or an item of it, is absent."""
    if isinstance(value, Absent):
        raise UsedAbsent(value)
    if isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, Absent):
                raise UsedAbsent(item)


@pass_context
def _each(context: Context, value: Any) -> Any:
    """The items of a loop, under the budget."""
    if isinstance(value, Unknown):
        raise UnknownValue(value.name)
    present(value)
    if kind(value) != "array":
        raise fault(f"a loop goes over a list, found {kind(value)}")
    return list(context.parent[BUDGET].iterate(value))


@pass_context
def _finalize(_: Context, value: Any) -> str:
    """A value in text. Taking the context keeps Jinja from computing constants while it compiles."""
    present(value)
    return spelled(value)


class _TokenLimit(Extension):
    """Ends parsing early: the parser takes far longer over a long source than the check takes over its tree."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens, up to the limit. Raises TemplateError."""
        for count, token in enumerate(stream):
            if count > MOST_TOKENS:
                raise TemplateError(f"the template is too large: at most {MOST_TOKENS} words and signs", hint="move parts of it to vars")
            yield token


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("+", "-"))
    intercepted_unops = frozenset(("-", "+"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Absent):
            return obj
        if isinstance(obj, LoopContext) and argument in _LOOP_FIELDS:
            return getattr(obj, argument)
        present(argument)
        found = member(obj, argument)
        return Absent(obj=obj, name=argument) if found is ABSENT else found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        del context
        for value in (left, right):
            present(value)
            if isinstance(value, Unknown):
                return Unknown(f"{value.name} {operator} …")
        return _add(left, right) if operator == "+" else number(_numeric(left) - _numeric(right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        del context, operator
        present(arg)
        return Unknown(f"-{arg.name}") if isinstance(arg, Unknown) else -_numeric(arg)

    def is_safe_callable(self, obj: Any) -> bool:
        del obj
        return False


def _numeric(value: Any) -> float:
    if kind(value) not in {"integer", "number"}:
        raise fault(f"+ and - take numbers, found {kind(value)}", "`~` puts texts together; `| int` makes text a number")
    found: float = value
    return found


def _add(left: Any, right: Any) -> Any:
    if kind(left) == kind(right) and kind(left) in {"string", "array"}:
        if len(left) + len(right) > (LONGEST_TEXT if isinstance(left, str) else LONGEST_LIST):
            raise fault("+ would make the value too long")
        return left + right if isinstance(left, str) else [*left, *right]
    return number(_numeric(left) + _numeric(right))


def _environment() -> _Environment:
    environment = _Environment(
        extensions=[_TokenLimit],
        finalize=_finalize,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        optimized=False,
        trim_blocks=True,
        undefined=Absent,
    )
    environment.globals = {}
    environment.filters = {**_callable(FILTERS), _EACH: _each}
    environment.tests = _callable(TESTS)
    return environment


def _callable(functions: Mapping[str, Function]) -> dict[str, Any]:
    return {name: pass_context(partial(_applied, function)) for name, function in functions.items()}


ENVIRONMENT: Final = _environment()


class Rewriter(NodeTransformer):
    """Comparisons become tests, `~` becomes join, and a loop goes over its budget."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Expr:  # noqa: N802 - Jinja's naming
        """Each pair is a test; a chain is their conjunction."""
        self.generic_visit(node)
        left, *rest = (node.expr, *(operand.expr for operand in node.ops))
        whole: nodes.Expr | None = None
        for operand, right in zip(node.ops, rest, strict=True):
            name = {"lteq": "le", "gteq": "ge"}.get(operand.op, operand.op)
            part = nodes.Test(left, name, [right], [], None, None)
            whole = part if whole is None else nodes.And(whole, part)
            left = right
        assert whole is not None
        return whole

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 - Jinja's naming
        """`a ~ b` is `[a, b] | join`."""
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes), "join", [], [], None, None)

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's naming
        """The loop goes over its items as the budget gives them."""
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _EACH, [], [], None, None)
        return node
