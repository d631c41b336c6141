"""Templates and expressions: safe, strict, sandboxed Jinja.

Only the runbook's own text is ever a template; it is rendered once, and what comes out is a value. Text without
statements whose holes are all dotted paths is rendered here; everything else goes to `engine.template.sandbox`, which alone imports
Jinja, since most runs need no more than paths. Inside text, values are spelled as JSON: `true`, `null`, `[1, 2]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NoReturn, Protocol

from engine.template.unknown import Unknown, UnknownValue
from engine.template.values import LONGEST_TEXT, Path, Reference, TemplateError, fault, follow, kind, spelled

__all__ = ["Expression", "Reference", "Template", "TemplateError", "Unknown", "UnknownValue", "expression", "reads_secrets", "text", "walk"]

Shape = Literal["static", "path", "paths", "jinja"]

LONGEST_SOURCE: Final = 8 * 1024

_PATH: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*){0,30}")
_HOLE: Final = re.compile(r"\{\{[ \t\n]*(" + _PATH.pattern + r")[ \t\n]*\}\}")
_MARKS: Final = re.compile(r"\{\{|\{%|\{#")
_WORDS: Final = frozenset({"and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "self", "true", "True"})


class _Program(Protocol):
    @property
    def references(self) -> tuple[Reference, ...]:
        """What it reads of the context."""

    def render(self, context: Mapping[str, Any]) -> Any:
        """The value. Raises StepError."""


class _Verbatim:
    """Text that is no template."""

    references: tuple[Reference, ...] = ()

    def __init__(self, source: str) -> None:
        self._source = source

    def render(self, _: Mapping[str, Any]) -> str:
        return self._source


class _Dotted:
    """Exactly one dotted path: its value keeps its type."""

    def __init__(self, path: str) -> None:
        self._path = path.split(".")
        self.references = (Reference(tuple(self._path), path, guarded=False),)

    def render(self, context: Mapping[str, Any]) -> Any:
        return follow(context, self._path)


class _Pieces:
    """Text with dotted paths in it."""

    def __init__(self, source: str) -> None:
        found = _HOLE.split(source)
        self._parts = [part.split(".") if index % 2 else part for index, part in enumerate(found)]
        self.references = tuple(Reference(tuple(path.split(".")), path, guarded=False) for path in found[1::2])

    def render(self, context: Mapping[str, Any]) -> str:
        rendered = "".join([part if isinstance(part, str) else spelled(follow(context, part)) for part in self._parts])
        if len(rendered) > LONGEST_TEXT:
            raise fault(f"the text is longer than {LONGEST_TEXT} characters")
        return rendered


class _Refusal:
    """In the place of what reads a secret: none is ever part of a text, a condition or a value."""

    references: tuple[Reference, ...] = ()

    def render(self, _: Mapping[str, Any]) -> NoReturn:
        raise fault("a secret can only be the whole value of a field that takes one", "core.http takes one in auth, core.command in env")


def reads_secrets(references: Iterable[Reference]) -> bool:
    """Whether a secret is among what a template reads."""
    return any(reference.path[0] == "secrets" for reference in references)


class Template:
    """A checked template.

    Attributes:
        source: as written.
        shape: `static` text that renders to itself, one dotted `path` that keeps its type, text with `paths` in it, or `jinja`.
        references: what it reads of the context.
    """

    __slots__ = ("_program", "references", "shape", "source")

    def __init__(self, source: str, program: _Program, shape: Shape) -> None:
        self.source = source
        self.shape = shape
        self.references = program.references
        self._program = _Refusal() if reads_secrets(program.references) else program

    @property
    def is_static(self) -> bool:
        """Whether nothing in it is a template."""
        return self.shape == "static"

    def render(self, context: Mapping[str, Any]) -> Any:
        """The value of the one expression it is, blanks around it aside; else text.

        Gives Unknown when the value is one, or hangs on one.

        Raises:
            StepError: code `template`; the message says which name is absent, or what does not fit.
        """
        return self._program.render(context)


class Expression:
    """A checked bare expression.

    Attributes:
        source: as written.
        shape: one dotted `path`, or `jinja`.
        references: what it reads of the context.
        guards: paths that are surely there when it holds.
    """

    __slots__ = ("_program", "guards", "references", "shape", "source")

    def __init__(self, source: str, program: _Program, shape: Shape, guards: tuple[Path, ...] = ()) -> None:
        self.source = source
        self.shape = shape
        self.references = program.references
        self.guards = guards
        self._program = _Refusal() if reads_secrets(program.references) else program

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """The value, of any type. Raises StepError."""
        return self._program.render(context)

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Whether it is true.

        Raises:
            StepError: it is neither true nor false, or cannot be computed.
            UnknownValue: only a real run would know.
        """
        value = self._program.render(context)
        if isinstance(value, bool):
            return value
        if isinstance(value, Unknown):
            raise UnknownValue(value.name)
        raise fault(f"the condition `{_short(self.source)}` must be true or false, found {kind(value)}", "compare the value with something")


@lru_cache(4096)
def text(source: str) -> Template:
    """The template of a text, parsed and checked. Raises TemplateError."""
    source = str(source)
    if not _MARKS.search(source):
        return Template(source, _Verbatim(source), "static")
    _limit(source)
    alone = _HOLE.fullmatch(source.strip())
    if alone and _is_plain(alone[1]):
        return Template(source, _Dotted(alone[1]), "path")
    if not _MARKS.search(_HOLE.sub("", source)) and all(map(_is_plain, _HOLE.findall(source))):
        return Template(source, _Pieces(source), "paths")
    from engine.template import sandbox

    return Template(source, sandbox.text(source), "jinja")


@lru_cache(4096)
def expression(source: str) -> Expression:
    """The expression of a bare condition, parsed and checked. Raises TemplateError."""
    source = str(source)
    _limit(source)
    bare = source.strip()
    if bare.startswith(("{{", "{%")):
        raise TemplateError("a condition is written without braces", bare[:2], hint=f"write {_short(bare.strip('{}% '))}")
    if not bare:
        raise TemplateError("the condition is empty")
    if _PATH.fullmatch(bare) and _is_plain(bare):
        return Expression(source, _Dotted(bare), "path")
    from engine.template import sandbox

    program = sandbox.expression(source)
    return Expression(source, program, "jinja", program.guards)


def walk(value: Any, context: Mapping[str, Any]) -> Any:
    """A structure with every text in it rendered; keys and everything that is no text stay as they are. Raises TemplateError, StepError."""
    if isinstance(value, str):
        return text(value).render(context)
    if isinstance(value, Mapping):
        return {key: walk(part, context) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [walk(part, context) for part in value]
    return value


def _is_plain(path: str) -> bool:
    """Whether the path's first part is a name, and no word of the expression language."""
    return path.split(".", 1)[0] not in _WORDS


def _limit(source: str) -> None:
    if len(source.encode()) > LONGEST_SOURCE:
        raise TemplateError(f"the template is longer than {LONGEST_SOURCE} bytes", hint="move parts of it to vars")


def _short(source: str) -> str:
    return source if len(source) <= 80 else source[:79] + "…"
