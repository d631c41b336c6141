"""The search language of lists: `status: open AND (priority: P1 OR count > 3) AND NOT tag: noise`.

Documented: `field: value`, `< <= > >=`, AND, OR, parentheses, and the fields' names. In common use and taken here, though
unconfirmed: NOT, a `*` at the end of a value, a group of values after a field, quoted values, words without a field (they search the
free-text fields), terms side by side, which must all hold, and operators in lower case. `&&`, `||` and `field=value` are no queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "word", "number", "flag"]
"""text is found by the words in it; word by its whole value; number (also epoch milliseconds) can be compared; flag is true or false."""

Predicate = Callable[[Mapping[str, Any]], bool]

MAX_LENGTH = 1000
MAX_DEPTH = 32

_TOKEN = re.compile(
    r"""\s*(?:
        "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<sign><=|>=|<|>|:)
      | (?P<paren>[()])
      | (?P<word>(?:[^\s()"<>:\\]|\\.)+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    ":": lambda left, right: left == right,
}


class QueryError(ValueError):
    """The text is not a query: bad syntax, an unknown field, or a value that does not fit its field."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


_END = _Token("end", "")


def parse(text: str, fields: Mapping[str, Kind], free: tuple[str, ...]) -> Predicate:
    """What decides whether a document (field name → value, or list of values) matches. Raises QueryError.

    An empty query matches everything. `free` names the fields that a word without a field searches.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"query can not be longer than {MAX_LENGTH} characters")
    tokens = _tokens(text)
    if not tokens:
        return lambda _document: True
    parser = _Parser(tokens, fields, free)
    predicate = parser.either(None)
    parser.end()
    return predicate


def _tokens(text: str) -> list[_Token]:
    found, position, text = [], 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise QueryError(f"query can not be parsed at character {position + 1}")
        kind = match.lastgroup or ""
        found.append(_Token(kind, _unescaped(match[kind]) if kind in ("quoted", "word") else match[kind]))
        position = match.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class _Parser:
    """Recursive descent; each method takes the field whose values are being grouped, or None."""

    def __init__(self, tokens: list[_Token], fields: Mapping[str, Kind], free: tuple[str, ...]) -> None:
        self._tokens = tokens
        self._fields = fields
        self._free = free
        self._at = 0
        self._depth = 0

    def either(self, field: str | None) -> Predicate:
        found = [self._all(field)]
        while self._peek().is_word("OR"):
            self._take()
            found.append(self._all(field))
        return found[0] if len(found) == 1 else lambda document: any(one(document) for one in found)

    def end(self) -> None:
        if self._peek() is not _END:
            raise QueryError(f"query has an unexpected '{self._peek().text}'")

    def _all(self, field: str | None) -> Predicate:
        found = [self._one(field)]
        while True:
            if self._peek().is_word("AND"):
                self._take()
            elif self._peek() is _END or self._peek().text == ")" or self._peek().is_word("OR"):
                return found[0] if len(found) == 1 else lambda document: all(one(document) for one in found)
            found.append(self._one(field))

    def _one(self, field: str | None) -> Predicate:
        negated = False
        while self._peek().is_word("NOT"):
            self._take()
            negated = not negated
        found = self._group(field) if self._peek() == _Token("paren", "(") else self._term(field)
        return (lambda document: not found(document)) if negated else found

    def _group(self, field: str | None) -> Predicate:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError("query is nested too deeply")
        self._take()
        found = self.either(field)
        if self._take() != _Token("paren", ")"):
            raise QueryError("query lacks a closing parenthesis")
        self._depth -= 1
        return found

    def _term(self, field: str | None) -> Predicate:
        token = self._value()
        if self._peek().kind != "sign":
            return self._matches(field, ":", token)
        if field is not None or token.kind != "word":
            raise QueryError("query has a comparison where a value is expected")
        sign = self._take().text
        if token.text not in self._fields:
            raise QueryError(f"query field '{token.text}' is not known")
        if self._peek() == _Token("paren", "("):
            return self._grouped(token.text, sign)
        return self._matches(token.text, sign, self._value())

    def _grouped(self, field: str, sign: str) -> Predicate:
        if sign != ":":
            raise QueryError("query compares with a group")
        return self._group(field)

    def _matches(self, field: str | None, sign: str, value: _Token) -> Predicate:
        if field is not None:
            return _predicate(field, self._fields[field], sign, value)
        if value.kind == "word" and "=" in value.text:
            raise QueryError("query compares with '=' where ':' is meant")
        anywhere = [_predicate(name, self._fields[name], sign, value) for name in self._free]
        return lambda document: any(one(document) for one in anywhere)

    def _value(self) -> _Token:
        token = self._take()
        if token.kind not in ("word", "quoted") or token.is_word("AND", "OR", "NOT"):
            raise QueryError(f"query has {repr(token.text) if token.text else 'its end'} where a value is expected")
        if token.is_word("&&", "||"):
            raise QueryError(f"query has '{token.text}' where AND or OR is meant")
        return token

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token


def _predicate(field: str, kind: Kind, sign: str, value: _Token) -> Predicate:
    test = _number_test(field, sign, value.text) if kind == "number" else _text_test(field, kind, sign, value)

    def holds(document: Mapping[str, Any]) -> bool:
        found = document.get(field)
        return any(test(one) for one in (found if isinstance(found, list) else [found]) if one is not None)

    return holds


def _number_test(field: str, sign: str, text: str) -> Callable[[Any], bool]:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise QueryError(f"query field '{field}' needs a whole number")
    wanted, compare = int(text), _COMPARE[sign]
    return lambda found: compare(int(found), wanted)


def _text_test(field: str, kind: Kind, sign: str, value: _Token) -> Callable[[Any], bool]:
    if sign != ":":
        raise QueryError(f"query field '{field}' can not be compared with '{sign}'")
    wanted = value.text.casefold()
    if kind == "flag":
        if wanted not in ("true", "false"):
            raise QueryError(f"query field '{field}' needs true or false")
        return lambda found: found == (wanted == "true")
    if value.kind == "word" and wanted.endswith("*"):
        return _prefix_test(kind, wanted.rstrip("*"))
    if kind == "text":
        return lambda found: _has_phrase(str(found).casefold(), wanted)
    return lambda found: str(found).casefold() == wanted


def _prefix_test(kind: Kind, wanted: str) -> Callable[[Any], bool]:
    if kind == "text":
        return lambda found: any(word.startswith(wanted) for word in [str(found).casefold(), *str(found).casefold().split()])
    return lambda found: str(found).casefold().startswith(wanted)


def _has_phrase(text: str, phrase: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text) is not None
