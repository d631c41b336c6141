"""What a template may apply to a value: plain Python functions, their argument types read off their annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import StepError
from engine.template.unknown import Unknown
from engine.template.values import ABSENT, LONGEST_LIST, LONGEST_TEXT, fault, kind

LONGEST_ARGUMENT: Final = 4 * LONGEST_TEXT

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "Any": (),
    "None": ("null",),
    "bool": ("boolean",),
    "dict[str, Any]": ("object",),
    "float": ("number", "integer"),
    "int": ("integer",),
    "list[Any]": ("array",),
    "str": ("string",),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A filter or a test.

    Attributes:
        parameters: JSON types each parameter takes, by name, the piped value first; empty means any.
        gives: JSON types of the result; empty means any.
        lenient: an absent value may be piped in; the function sees ABSENT.
    """

    name: str
    call: Callable[..., Any]
    parameters: Mapping[str, tuple[str, ...]]
    gives: tuple[str, ...]
    lenient: bool

    def misuse(self, positional: int, named: set[str]) -> str | None:
        """Why it cannot be given so many arguments of these names, or None."""
        try:
            inspect.signature(self.call).bind(None, *[None] * positional, **dict.fromkeys(named))
        except TypeError as error:
            return str(error)
        return None

    def __call__(self, *given: Any, **named: Any) -> Any:
        """The result, or Unknown when an argument is. Raises StepError."""
        arguments = (*given, *named.values())
        unknown = next(filter(None, map(_unknown, arguments)), None)
        if unknown is not None:
            return Unknown(f"{unknown} | {self.name}")
        types = (*tuple(self.parameters.values())[: len(given)], *(self.parameters[name] for name in named))
        for argument, wanted in zip(arguments, types, strict=True):
            self._check(argument, wanted)
        try:
            result = self.call(*given, **named)
        except (StepError, RecursionError):
            raise
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise fault(f"`{self.name}` cannot take this value") from error
        _fits(result, self.name, LONGEST_TEXT)
        return result

    def _check(self, argument: Any, wanted: tuple[str, ...]) -> None:
        if argument is ABSENT:
            if self.lenient:
                return
            raise fault(f"`{self.name}` found no value: the field is absent")
        found = kind(argument)
        if wanted and found not in wanted:
            raise fault(f"`{self.name}` takes {' or '.join(dict.fromkeys(wanted))}, found {found}")
        _fits(argument, self.name, LONGEST_ARGUMENT)


def _unknown(argument: Any) -> str | None:
    if isinstance(argument, Unknown):
        return argument.name
    if isinstance(argument, list | tuple):
        return next((item.name for item in argument if isinstance(item, Unknown)), None)
    return None


def _fits(value: Any, name: str, longest: int) -> None:
    if (isinstance(value, str) and len(value) > longest) or (isinstance(value, list | tuple) and len(value) > LONGEST_LIST):
        raise fault(f"too much for `{name}`: at most {longest} characters or {LONGEST_LIST} items")


def table(functions: Mapping[str, Callable[..., Any]], lenient: frozenset[str] = frozenset()) -> dict[str, Function]:
    """Functions by the name a template uses, sorted."""
    return {name: _read(name, call, lenient=name in lenient) for name, call in sorted(functions.items())}


def _read(name: str, call: Callable[..., Any], *, lenient: bool) -> Function:
    annotations = dict(call.__annotations__)
    gives = _types(annotations.pop("return"))
    return Function(name, call, {parameter: _types(text) for parameter, text in annotations.items()}, gives, lenient)


def _types(annotation: str) -> tuple[str, ...]:
    return tuple(name for part in annotation.split(" | ") for name in _TYPES[part])
