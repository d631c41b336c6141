"""Jinja behind a fence: text is parsed, its tree checked, and only then compiled; each render has one budget."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser

from engine.errors import StepError
from engine.template import allowed, references
from engine.template.jinja import BUDGET, ENVIRONMENT, Absent, Budget, Rewriter, UsedAbsent, present
from engine.template.unknown import Unknown, UnknownValue
from engine.template.values import ABSENT, LONGEST_TEXT, Path, Reference, TemplateError, absent, fault, member, nearest

_Tree = TypeVar("_Tree")


class Program(ABC):
    """A checked tree, compiled when it is first rendered.

    Attributes:
        references: what it reads of the context.
        guards: what is surely there when it holds.
    """

    def __init__(self, tree: nodes.Template | nodes.Expr, source: str) -> None:
        self.references: tuple[Reference, ...] = references.collect(tree, source)
        self.guards: tuple[Path, ...] = references.guards(tree)
        self._tree = Rewriter().visit(tree)

    def render(self, context: Mapping[str, Any]) -> Any:
        """The value. Raises StepError; gives Unknown when it hangs on a value that is."""
        try:
            return self._run({**context, BUDGET: Budget()})
        except UnknownValue as error:
            return Unknown(error.name)
        except UsedAbsent as error:
            raise self._absence(error.value, context) from None
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            raise fault("the template cannot be computed: an operation does not fit its values") from error

    @abstractmethod
    def _run(self, names: dict[str, Any]) -> Any:
        """The value, with whatever Jinja raises."""

    def _absence(self, value: Absent, context: Mapping[str, Any]) -> StepError:
        """The error that names the path: the one whose walk ends where the value was missed."""
        name, parent = value.name, value.parent
        for reference in self.references:
            depth, above = _missing(reference.path, context)
            if depth is not None and reference.path[depth] == name and (above is parent or above is context):
                return absent(reference.path, depth, above)
        known = nearest(str(name), parent) if isinstance(parent, Mapping) else "the value before it has no such field or index"
        return fault(f"`{name}` is not there", known)


def _missing(path: Path, context: Mapping[str, Any]) -> tuple[int | None, Any]:
    value: Any = context
    for depth, key in enumerate(path):
        found = member(value, key)
        if found is ABSENT:
            return depth, value
        value = found
    return None, None


class Value(Program):
    """One expression: its value keeps its type."""

    @cached_property
    def _compiled(self) -> TemplateExpression:
        result = nodes.Assign(nodes.Name("result", "store"), self._tree)
        return TemplateExpression(ENVIRONMENT.from_string(nodes.Template([result])), undefined_to_none=False)

    @cached_property
    def _builds(self) -> bool:
        literals = (nodes.List, nodes.Dict, nodes.Tuple)
        return isinstance(self._tree, literals) or any(self._tree.find(literal) for literal in literals)

    def _run(self, names: dict[str, Any]) -> Any:
        value = self._compiled(names)
        if self._builds:
            return _whole(value)
        present(value)
        return value


def _whole(value: Any) -> Any:
    """The value with tuples as lists and nothing absent in it."""
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    present(value)
    return value


class Text(Program):
    """Text with expressions and statements in it."""

    @cached_property
    def _compiled(self) -> Any:
        return ENVIRONMENT.from_string(self._tree)

    def _run(self, names: dict[str, Any]) -> str:
        parts, length = [], 0
        for part in self._compiled.root_render_func(self._compiled.new_context(names)):
            parts.append(part)
            length += len(part)
            if length > LONGEST_TEXT:
                raise fault(f"the text is longer than {LONGEST_TEXT} characters")
        return "".join(parts)


def text(source: str) -> Program:
    """A template that Jinja has to render. Raises TemplateError."""
    tree = text_tree(source)
    alone = _only_expression(tree)
    return Value(alone, source) if alone is not None else Text(tree, source)


def expression(source: str) -> Value:
    """A bare expression. Raises TemplateError."""
    return Value(expression_tree(source), source)


def text_tree(source: str) -> nodes.Template:
    """The checked tree of a template. Raises TemplateError."""
    tree = _parsed(lambda: ENVIRONMENT.parse(source))
    allowed.check(tree)
    if "raw" in source and any(token == "raw_begin" for _, token, _ in ENVIRONMENT.lex(source)):  # noqa: S105 - a token of text
        raise TemplateError("a template cannot hold raw blocks", "raw", hint='write {{ "{{" }} for two braces')
    return tree


def expression_tree(source: str) -> nodes.Expr:
    """The checked tree of a bare expression. Raises TemplateError."""
    tree = _parsed(lambda: _whole_expression(source))
    allowed.check(tree)
    return tree


def typed_tree(source: str) -> nodes.Node:
    """The tree of a template whose type is its result's: the one expression it is, else all of it."""
    tree = text_tree(source)
    return _only_expression(tree) or tree


def _whole_expression(source: str) -> nodes.Expr:
    parser = Parser(ENVIRONMENT, source, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        left = str(parser.stream.current.value)
        raise TemplateError(f"the expression should end before `{left[:20]}`", left, hint="compare with ==" if left == "=" else None)
    return tree


def _only_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression of a template that is nothing else, apart from blanks around it."""
    parts = [part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes]
    told = [part for part in parts if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    alone = len(told) == 1 and not isinstance(told[0], nodes.TemplateData) and all(isinstance(part, nodes.Output) for part in tree.body)
    return told[0] if alone else None


def _parsed(parse: Callable[[], _Tree]) -> _Tree:
    try:
        return parse()
    except TemplateSyntaxError as error:
        raise TemplateError(f"the template cannot be read: {error.message}", hint=_hint(error)) from None
    except RecursionError:
        raise TemplateError("the template is nested too deep", hint="move parts of it to vars") from None
    except ValueError:
        raise TemplateError("the template holds a number that is too large") from None


def _hint(error: TemplateSyntaxError) -> str | None:
    message = error.message or ""
    wrong = {
        "'&'": "write and",
        "'|'": "write or",
        "'!'": "write not",
        "'?'": "write: a if condition else b",
        "got '='": "compare with ==",
    }
    return next((hint for sign, hint in wrong.items() if sign in message), None)
