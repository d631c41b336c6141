"""YAML events → plain values and the span of each, within limits.

Events, not PyYAML's loaders: those recurse (200 KB of `[` end the process), let a few hundred bytes of merges grow for seconds, and
pass duplicate keys. Here nothing recurses and every node is counted before it is built.

Events are Any here: PyYAML's stubs call every mark optional, and both parsers always set it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from engine.source.scalars import NULLS, typed
from engine.source.troubles import NOT_ALLOWED, SYNTAX, Flaw, Trouble, advise, directive, escape, tag, unquoted_template

DUPLICATE = "RB003"
LIMIT = "RB005"

_SURROGATE = re.compile("[\ud800-\udfff]")
_MORE = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+(\S)")
_DIRECTIVE = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+(%)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may hold.

    Attributes:
        size: bytes.
        depth: lists and mappings inside each other, aliases expanded.
        nodes: keys, scalars, lists and mappings, aliases expanded; 30,000 are read in 0.1 s and are 10,000 lines.
        aliases: uses of an anchor.
        findings: how many are reported before reading stops.
    """

    size: int = 1 << 20
    depth: int = 64
    nodes: int = 30_000
    aliases: int = 20
    findings: int = 50


class Flawed(Exception):
    """The text cannot be read; carries its flaws in the order of the text."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__()
        self.flaws = sorted(set(flaws), key=lambda flaw: flaw.start)


class Span:
    """Where a node stands: characters from `start` up to `end`, `line` from 1, with the spans of what is in it."""

    __slots__ = ("children", "end", "keys", "line", "start")

    def __init__(self, start: int, end: int, line: int) -> None:
        self.start = start
        self.end = end
        self.line = line
        self.children: Any = None  # a dict or a list of spans, as the value is; None in a scalar
        self.keys: Any = None  # the spans of a mapping's keys; None elsewhere


class _Node(NamedTuple):
    """A node that has an anchor: `nodes` and `height` count what is in it, aliases expanded."""

    value: Any
    span: Span
    nodes: int
    height: int


class _Open:
    """A list or mapping that is being filled; `key` waits for its value, and is None while a mapping waits for a key."""

    __slots__ = ("anchor", "height", "key", "nodes_before", "span", "value")

    def __init__(self, value: Any, span: Span, anchor: str | None, nodes_before: int) -> None:
        self.value = value
        self.span = span
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.height = 1
        self.key = "" if span.keys is None else None


class Reading:
    """One pass over a text's events.

    Attributes:
        literals: where block scalars and quoted scalars of several lines stand: `#` is no comment there.
    """

    def __init__(self, text: str, limits: Limits) -> None:
        self.literals: list[tuple[int, int]] = []
        self._text = text
        self._limits = limits
        whole = Span(0, 0, 1)
        whole.children = []
        self._top = _Open([], whole, None, 0)
        self._above: list[_Open] = []
        self._anchors: dict[str, _Node] = {}
        self._nodes = 0
        self._aliases = 0
        self._last: Any = None
        self._flaws: list[Flaw] = []

    @property
    def value(self) -> Any:
        """The document's value; None for an empty file. Aliases of one anchor share one object."""
        return self._top.value[0] if self._top.value else None

    @property
    def root(self) -> Span:
        """The value's span; an alias has the span of its anchor's value, which is the text to look at and to change."""
        return self._top.span.children[0] if self._top.value else self._top.span

    def run(self) -> None:
        """Reads it all. Raises Flawed."""
        self._refuse_directives()
        handlers = self._HANDLERS
        for event in self._events():
            handler = handlers.get(type(event).__name__)
            if handler and handler(self, event):
                break
        if self._flaws:
            raise Flawed(self._flaws)

    def _events(self) -> Iterator[Any]:
        import yaml

        try:
            yield from yaml.parse(self._text, Loader=getattr(yaml, "CLoader", yaml.Loader))
        except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: PyYAML's own parser on "\UFFFFFFFF"
            at = getattr(error, "problem_mark", None) or self._last
            since = getattr(error, "context_mark", None) or at
            words = " ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", "bad escape"))))
            self._stop(advise(Trouble(self._text, words, self._index(at), self._index(since))))

    def _index(self, mark: Any) -> int:
        return min(mark.index, len(self._text)) if mark else 0

    def _flaw(self, flaw: Flaw) -> None:
        self._flaws.append(flaw)
        if len(self._flaws) >= self._limits.findings:
            raise Flawed(self._flaws)

    def _stop(self, flaw: Flaw) -> None:
        raise Flawed([*self._flaws, flaw])

    def _refuse_directives(self) -> None:
        # before the parser sees them: libyaml compares each %TAG with all others, 1 MiB of them took 5 s
        match = _DIRECTIVE.match(self._text)
        if match:
            self._stop(directive(self._text, match.start(1)))

    def _scalar(self, event: Any) -> None:
        span = self._node(event)
        value = event.value
        if event.style:
            self._check_quoted(event, span)
        if self._top.key is None:
            self._check_key(event, span)
        elif not event.style:
            value = self._typed(value, span)
        if event.anchor:
            self._anchors[event.anchor] = _Node(value, span, 1, 0)
        self._put(value, span, 0)

    def _check_quoted(self, event: Any, span: Span) -> None:
        if event.style == '"' and not event.value.isascii() and _SURROGATE.search(event.value):
            self._flaw(escape(span.start))
        if event.end_mark.line >= span.line:
            first = self._text.find("\n", span.start) if event.style in "|>" else span.start
            self.literals.append((first, span.end))

    def _typed(self, text: str, span: Span) -> Any:
        try:
            return typed(text)
        except OverflowError as error:
            self._flaw(Flaw(LIMIT, str(error), span.start, span.end - span.start, "put it in quotes if it is text"))
            return 0

    def _node(self, event: Any) -> Span:
        """Counts the node and refuses its tag."""
        start = event.start_mark
        self._last = end = event.end_mark
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            self._refuse_nodes(start.index)
        span = Span(start.index, end.index, start.line + 1)
        if getattr(event, "tag", None):
            self._flaw(tag(span.start))
        return span

    def _refuse_nodes(self, start: int) -> None:
        self._stop(Flaw(LIMIT, f"more than {self._limits.nodes} values, aliases counted each time", start, 1, "split the file"))

    def _check_key(self, event: Any, span: Span) -> None:
        keys = self._top.span.keys
        plain, width = not event.style, max(span.end - span.start, 1)
        if plain and event.value in NULLS:
            self._flaw(Flaw(SYNTAX, "a key must be text, found nothing", span.start, width, "name the key, or put it in quotes"))
        elif plain and event.value == "<<":
            self._flaw(Flaw(NOT_ALLOWED, "merge keys (<<) are not allowed", span.start, width, "write the fields out"))
        elif event.value in keys:
            message = f"this key stands twice in one mapping, first on line {keys[event.value].line}"
            self._flaw(Flaw(DUPLICATE, message, span.start, width, "delete one of the two"))

    def _open(self, event: Any) -> None:
        nodes_before = self._nodes
        span = self._node(event)
        self._check_depth(1, span.start)
        if self._top.key is None:
            self._refuse_collection_as_key(span.start)
        if event.anchor:
            self._anchors.pop(event.anchor, None)  # until it is whole, an alias of it would be endless
        value: Any
        if type(event).__name__ == "MappingStartEvent":
            value, span.children, span.keys = {}, {}, {}
        else:
            value, span.children = [], []
        self._above.append(self._top)
        self._top = _Open(value, span, event.anchor, nodes_before)

    def _check_depth(self, more: int, start: int) -> None:
        if len(self._above) + more > self._limits.depth:
            self._stop(Flaw(LIMIT, f"lists and mappings more than {self._limits.depth} deep", start, 1, "write it flatter"))

    def _refuse_collection_as_key(self, start: int) -> None:
        braces = self._text.find("{{", max(start - 1, 0), start + 2)
        if braces >= 0:
            self._flaw(unquoted_template(self._text, braces))
        else:
            self._flaw(Flaw(SYNTAX, "a key must be text, found a list or a mapping", start, 1, "put text with [ or { in quotes"))

    def _close(self, event: Any) -> None:
        done, self._top = self._top, self._above.pop()
        done.span.end = event.end_mark.index
        if done.anchor:
            self._anchors[done.anchor] = _Node(done.value, done.span, self._nodes - done.nodes_before, done.height)
        self._put(done.value, done.span, done.height)

    def _alias(self, event: Any) -> None:
        span = self._node(event)
        width = span.end - span.start
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            self._stop(Flaw(LIMIT, f"more than {self._limits.aliases} aliases", span.start, width, "write the values out"))
        if self._top.key is None:
            self._flaw(Flaw(NOT_ALLOWED, "a key cannot be an alias", span.start, width, "write the key out"))
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            message = "this alias has no anchor that ends before it"
            self._flaw(Flaw(NOT_ALLOWED, message, span.start, width, "put text that begins with * in quotes"))
            anchored = _Node(None, span, 1, 0)
        self._check_depth(anchored.height, span.start)
        self._nodes += anchored.nodes - 1
        if self._nodes > self._limits.nodes:
            self._refuse_nodes(span.start)
        self._put(anchored.value, anchored.span, anchored.height)

    def _put(self, value: Any, span: Span, height: int) -> None:
        """Puts a whole node where it belongs: into the list, under the key that waits, or as that key."""
        top = self._top
        if height >= top.height:
            top.height = height + 1
        if top.span.keys is None:
            top.value.append(value)
            top.span.children.append(span)
        elif top.key is None:
            top.key = value if isinstance(value, str) else ""  # what is no text was refused before
            top.span.keys.setdefault(top.key, span)
        else:
            top.value[top.key] = value
            top.span.children[top.key] = span
            top.key = None

    def _end(self, event: Any) -> bool:
        """Looks past the end itself, since the parser would first read the next document's directives."""
        end = event.end_mark.index
        more = _MORE.match(self._text, end)
        if not more:
            return True
        start = more.start(1)
        if self._text[end - 3 : end] == "..." or self._text.startswith("---", start):
            self._flaw(Flaw(NOT_ALLOWED, "a second document begins here; a file holds one", start, 1, "put it in a file of its own"))
        elif more[1] == "%":
            self._flaw(directive(self._text, start))
        else:
            self._flaw(Flaw(SYNTAX, "the value has already ended: nothing may follow it", start, 1, "put the whole value in quotes"))
        return True

    _HANDLERS: ClassVar[dict[str, Callable[[Reading, Any], bool | None]]] = {
        "AliasEvent": _alias,
        "DocumentEndEvent": _end,
        "MappingEndEvent": _close,
        "MappingStartEvent": _open,
        "ScalarEvent": _scalar,
        "SequenceEndEvent": _close,
        "SequenceStartEvent": _open,
    }
