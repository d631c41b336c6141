"""JSON Schemas, as the engine reads them, and values that know where they stand in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.errors import Finding
from engine.model import Path as DocumentPath

DRAFT = "http://json-schema.org/draft-07/schema#"

Schema = Mapping[str, Any]
"""A JSON Schema, draft-07. The engine adds these annotations:

`format: "expression"`  the value is a bare boolean expression; the step receives True or False.
`format: "duration"`    text such as `10m`, `1h30m`.
`x-binds: {name: schema}`  the value is handed to the step unrendered, as a `Deferred`, for the step to resolve with those names.
`x-literal: true`       the value is never a template.
`x-before-last: schema` every item of the list but the last must fit it.
`x-rule: "text"`        what people are told when a value breaks this schema, instead of the rule's own words.
`x-secret: true`        the value may be `{{ secrets.NAME }}`, whole; the step gets a `SecretName`. With `not: {}`: nothing else.
`x-path: true`          in the configuration of a connection: the value is a path, relative to the file it stands in.
`x-reference: true`     in the configuration: the value says where a secret lives; engine.secrets knows how.
"""


class FromFile(dict[str, Any]):
    """A mapping that was read from a file, and knows where each part of it stands; a copy of it need not."""

    def __init__(
        self,
        value: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        finding: Callable[[str, str, DocumentPath], Finding] | None = None,
    ) -> None:
        super().__init__(value)
        self._finding = finding

    def finding(self, id: str, message: str, path: DocumentPath) -> Finding:  # noqa: A002 - the name that Finding has
        """An error about the part at `path`, with its place where that is known."""
        return self._finding(id, message, path) if self._finding else Finding(id, "error", message)
