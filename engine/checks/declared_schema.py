"""RB216: an input or an output whose own schema is wrong.

Each input and each output is a JSON Schema, draft-07. It is checked before any value is: an unknown type, a pattern that is no regular
expression, a default that breaks its own rules, a `$ref` (a declared schema stands alone), an output whose fixed value is not what it says.
A key that is no word of JSON Schema, and much like one, is a warning.

Bad:

```yaml
inputs:
  priority: {type: string, enum: [P1, P2, P3], default: P4}
  service: {type: string, pattern: "^[a-z"}
```

Good:

```yaml
inputs:
  priority: {type: string, enum: [P1, P2, P3], default: P3}
  service: {type: string, pattern: "^[a-z]+$"}
```

What to do: correct the schema; the types are string, integer, number, boolean, array, object and null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from engine import pattern as expressions
from engine.advice import did_you_mean
from engine.analysis.subject import Subject
from engine.errors import Finding
from engine.language.grammar import as_written
from engine.model import Path
from engine.schema import Problem, problems, spell_path

IDS: tuple[str, ...] = ("RB216",)

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_BELOW = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_NAMED = ("definitions", "dependencies", "patternProperties", "properties")
_LISTED = ("allOf", "anyOf", "items", "oneOf")


def check(subject: Subject) -> Iterator[Finding]:
    """Everything wrong with the schemas that the runbook declares."""
    for name, declared in subject.runbook.inputs.items():
        yield from _declared(subject, ("inputs", name), declared, "default")
    for name, declared in subject.runbook.outputs.items():
        yield from _declared(subject, ("outputs", name), declared, "value")


def _declared(subject: Subject, path: Path, declared: Mapping[str, Any], value: str) -> Iterator[Finding]:
    schema = {key: part for key, part in declared.items() if key != value}
    wrong = list(_wrong(schema))
    if not wrong and value in declared:
        rules = as_written(schema) if value == "value" else schema
        wrong = [Problem((value, *problem.path), problem.message, problem.hint) for problem in problems(declared[value], rules)]
    for problem in wrong:
        where = spell_path((*path, *problem.path)).lstrip(".")
        yield subject.document.finding("RB216", f"{where}: {problem.message}", (*path, *problem.path), key=problem.key, hint=problem.hint)
    for place, word in _misspelled(schema):
        message, hint = f"`{word}` is no word of JSON Schema", did_you_mean(word, _words())
        yield subject.document.finding("RB216", message, (*path, *place), key=True, severity="warning", hint=hint)


def _wrong(schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is no draft-07, and what that alone does not say."""
    for path, part in _parts(schema):
        yield from (_clearer(path, problem) for problem in problems(_own(part), _meta()))
        if "$ref" in part:
            yield Problem((*path, "$ref"), "a declared schema stands alone and has no $ref", key=True)
        reason = _pattern_fault(part.get("pattern"))
        if reason is not None:
            yield Problem((*path, "pattern"), reason)
        named = part.get("patternProperties")
        for pattern in named if isinstance(named, Mapping) else ():
            if not _compiles(pattern):
                yield Problem((*path, "patternProperties", pattern), "not a regular expression", key=True)


def _own(part: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without those inside it, which are looked at by themselves: what is wrong with them is said where it stands."""
    own = {key: value for key, value in part.items() if key not in _BELOW or not isinstance(value, Mapping)}
    for key in _NAMED:
        if isinstance(part.get(key), Mapping):
            own[key] = {name: value for name, value in part[key].items() if not isinstance(value, Mapping)}
    for key in _LISTED:
        if isinstance(part.get(key), list):
            own[key] = [{} if isinstance(value, Mapping) else value for value in part[key]]
    return own


def _clearer(path: Path, problem: Problem) -> Problem:
    where = (*path, *problem.path)
    if problem.path[:1] == ("type",):
        return Problem(where, "not a type of JSON Schema", f"the types are {', '.join(_TYPES)}")
    return Problem(where, problem.message, problem.hint, problem.key)


def _pattern_fault(pattern: Any) -> str | None:
    try:
        if isinstance(pattern, str):
            expressions.compiled(pattern)
    except ValueError as error:
        return str(error)
    return None


def _compiles(pattern: str) -> bool:
    """Whether the standard library takes it, which jsonschema uses for the names of properties."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _parts(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The schema and every schema inside it that is reached by name."""
    yield path, schema
    below: list[tuple[Path, Any]] = [((key,), schema.get(key)) for key in _BELOW]
    for word in _NAMED:
        named = schema.get(word)
        below += [((word, name), part) for name, part in named.items()] if isinstance(named, Mapping) else []
    for word in _LISTED:
        listed = schema.get(word)
        below += [((word, index), part) for index, part in enumerate(listed)] if isinstance(listed, list) else []
    for key, part in below:
        if isinstance(part, Mapping):
            yield from _parts(part, (*path, *key))


def _misspelled(schema: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path, part in _parts(schema):
        for word in part:
            if word not in _words() and len(word) > 4 and word[:2] != "x-" and get_close_matches(word, _words(), 1, 0.8):
                yield (*path, word), word


def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = _meta()["properties"]
    return words


def _meta() -> Mapping[str, Any]:
    from jsonschema import Draft7Validator

    meta: Mapping[str, Any] = Draft7Validator.META_SCHEMA
    return meta
