"""What the YAML parser says → what the author did and what to do about it.

The parser names the rule of its grammar that broke, often lines below the slip. Each function here looks at the source around the
two positions the parser gives and answers with a flaw at the slip itself, or None when it does not know the case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

SYNTAX = "RB002"
NOT_ALLOWED = "RB004"

_TEMPLATE = re.compile(r"(?:^|[:,\[-][ \t]*)(\{\{)")
_GLUED_KEY = re.compile(r"[ \t]*(?:-[ \t]+)*([\w.-]+:)(?=[^\s:/])")
_ONLY_INDENT = re.compile(r"[ \t]*(?:[-?][ \t]+)*\Z")
_LONGEST_KEY = 1024  # YAML's own limit
_QUOTE_IT = "put the whole value in quotes"
_SPACES = "indent with spaces only"


class Flaw(NamedTuple):
    """One thing wrong with a text: `start` counts characters from 0, `width` is what the caret underlines."""

    id: str
    message: str
    start: int
    width: int = 1
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A parser's complaint.

    Attributes:
        text: the whole file.
        words: what the parser says, its context first.
        at: where it gave up.
        since: where the construct it was reading began; `at` when it does not say.
    """

    text: str
    words: str
    at: int
    since: int

    @property
    def char(self) -> str:
        """The character at `at`, empty at the end of the file."""
        return self.text[self.at : self.at + 1]

    @property
    def before(self) -> str:
        """What stands on the line left of `at`."""
        return self.text[line_start(self.text, self.at) : self.at]

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return not self.text[self.at :].strip()


def line_start(text: str, index: int) -> int:
    """Where the line that holds `index` begins."""
    return text.rfind("\n", 0, index) + 1


def line_end(text: str, index: int) -> int:
    """Where the line that holds `index` ends, its line break left out."""
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return end - 1 if text.startswith("\r", end - 1) and end > index else end


def line_number(text: str, index: int) -> int:
    """The line that holds `index`, counted from 1."""
    return text.count("\n", 0, index) + 1


def unquoted_template(text: str, start: int) -> Flaw:
    """The flaw of a value that begins with `{{`, which YAML takes for a mapping."""
    close = text.find("}}", start, line_end(text, start))
    message = "a value that begins with {{ is a mapping to YAML, not a template"
    return Flaw(SYNTAX, message, start, close + 2 - start if close >= 0 else 2, f'{_QUOTE_IT}: "{{{{ … }}}}"')


def tag(start: int) -> Flaw:
    """The flaw of a value that begins with `!`."""
    message = "an unquoted value that begins with ! is a YAML tag, which is not allowed"
    return Flaw(NOT_ALLOWED, message, start, 1, f"{_QUOTE_IT}; a condition says `not x`")


def directive(text: str, start: int) -> Flaw:
    """The flaw of a line that begins with `%`."""
    message = "a line that begins with % is a YAML directive, which is not allowed"
    return Flaw(NOT_ALLOWED, message, start, line_end(text, start) - start or 1, "delete the line")


def escape(start: int) -> Flaw:
    """The flaw of a backslash in double quotes that escapes nothing, or half a surrogate pair."""
    hint = r"write \\ for a backslash, use single quotes, or write the character itself"
    return Flaw(SYNTAX, "not an escape that double quotes know", start, 1, hint)


def advise(trouble: Trouble) -> Flaw:
    """The flaw behind a parser's complaint."""
    for pattern, explain in _RULES:
        flaw = explain(trouble) if re.search(pattern, trouble.words) else None
        if flaw:
            return flaw
    return Flaw(SYNTAX, f"not YAML: {trouble.words or 'the parser gave up here'}", trouble.at)


def _template(trouble: Trouble) -> Flaw | None:
    for index in (trouble.at, trouble.since):
        begin = line_start(trouble.text, index)
        line = trouble.text[begin : line_end(trouble.text, index)]
        match = _TEMPLATE.search(line)
        quotes = line[: match.start()] if match else ""
        if match and quotes.count('"') % 2 == quotes.count("'") % 2 == 0:
            return unquoted_template(trouble.text, begin + match.start(1))
    return None


def _first_character(trouble: Trouble) -> Flaw:
    if trouble.char == "\t":
        return Flaw(SYNTAX, "a tab stands where YAML takes only spaces", trouble.at, hint=_SPACES)
    return Flaw(SYNTAX, f"an unquoted value cannot begin with {trouble.char}", trouble.at, hint=_QUOTE_IT)


def _tab(trouble: Trouble) -> Flaw:
    return Flaw(SYNTAX, "a tab stands where YAML takes only spaces", trouble.at, hint=_SPACES)


def _directive(trouble: Trouble) -> Flaw:
    return directive(trouble.text, line_start(trouble.text, trouble.since))


def _tag(trouble: Trouble) -> Flaw:
    return tag(trouble.since)


def _anchor(trouble: Trouble) -> Flaw:
    return Flaw(SYNTAX, "an unquoted value that begins with & or * names an anchor to YAML", trouble.since, hint=_QUOTE_IT)


def _escape(trouble: Trouble) -> Flaw:
    return escape(min(trouble.at, len(trouble.text) - 1))


def _open_quote(trouble: Trouble) -> Flaw:
    quote = trouble.text[trouble.since]
    return Flaw(SYNTAX, f"this {quote} is never closed", trouble.since, hint=f"close it with {quote}; write '' for ' inside single quotes")


def _second_colon(trouble: Trouble) -> Flaw:
    if re.search(r":[ \t]", trouble.before):
        return Flaw(SYNTAX, "a second colon on the line: the value holds a colon and a space", trouble.at, hint=_QUOTE_IT)
    above = line_start(trouble.text, max(line_start(trouble.text, trouble.at) - 1, 0))
    glued = _glued_key(trouble.text, above)
    if glued:
        return glued
    begin = trouble.at - len(trouble.before.lstrip())
    if trouble.at - begin > _LONGEST_KEY:
        return Flaw(SYNTAX, f"a key of more than {_LONGEST_KEY} characters", begin, trouble.at - begin, "shorten it")
    message = "no key can stand here: the line above already has its value"
    return Flaw(SYNTAX, message, begin, trouble.at - begin or 1, "indent it like the keys beside it; quote a value of several lines")


def _glued_key(text: str, begin: int) -> Flaw | None:
    match = _GLUED_KEY.match(text, begin)
    if not match:
        return None
    return Flaw(SYNTAX, "no space after the colon: this is text, not a key", match.start(1), len(match[1]), "write `key: value`")


def _lone_text(trouble: Trouble) -> Flaw:
    glued = _glued_key(trouble.text, line_start(trouble.text, trouble.since))
    if glued:
        return glued
    width = max(line_end(trouble.text, trouble.since) - trouble.since, 1)
    hint = "write `key: value`; a key stands on one line"
    return Flaw(SYNTAX, "found text where a key and a colon were expected", trouble.since, width, hint)


def _list_item(trouble: Trouble) -> Flaw:
    return Flaw(SYNTAX, "no list item can stand here", trouble.at, hint="begin the list on a line of its own, or put the value in quotes")


def _question(trouble: Trouble) -> Flaw:
    return Flaw(SYNTAX, "an unquoted value cannot begin with ? and a space", trouble.at, hint=_QUOTE_IT)


def _block_header(trouble: Trouble) -> Flaw:
    return Flaw(SYNTAX, "only -, + or an indent from 1 to 9 may follow | or >", trouble.at, hint="begin the text on the next line")


def _flow(trouble: Trouble) -> Flaw:
    opener = trouble.text[trouble.since]
    closer = {"[": "]", "{": "}"}[opener]
    if trouble.ended or line_start(trouble.text, trouble.at) > line_start(trouble.text, trouble.since):
        last = line_number(trouble.text, len(trouble.text[: trouble.at].rstrip()))
        return Flaw(SYNTAX, f"this {opener} is not closed by the end of line {last}", trouble.since, hint=f"close it with {closer}")
    message = f"expected a comma or {closer} here"
    return Flaw(
        SYNTAX, message, trouble.at, hint=f"quote a value that holds any of [ ] {{ }} , or a colon and a space inside {opener} {closer}"
    )


def _misplaced(trouble: Trouble) -> Flaw:
    if not _ONLY_INDENT.match(trouble.before):
        return Flaw(SYNTAX, "the value has already ended: nothing may follow it on this line", trouble.at, hint=_QUOTE_IT)
    glued = _glued_key(trouble.text, line_start(trouble.text, trouble.at))
    if glued:
        return glued
    found, meant = len(trouble.before), trouble.since - line_start(trouble.text, trouble.since)
    above = f"line {line_number(trouble.text, trouble.since)}"
    if trouble.char == ":":
        return Flaw(SYNTAX, "a key is missing before this colon", trouble.at, hint="write `key: value`")
    if found == meant:
        message = f"what began on {above} is a list or a mapping; here it turns into the other"
        return Flaw(SYNTAX, message, trouble.at, hint="write items of a list with - and keys of a mapping without, not both side by side")
    message = f"this line is indented by {found}, and what began on {above} by {meant}"
    return Flaw(
        SYNTAX, message, trouble.at, hint="give items of one list and keys of one mapping the same indent; quote a value of several lines"
    )


def _no_content(trouble: Trouble) -> Flaw:
    if trouble.ended:
        return Flaw(SYNTAX, "the file ends where a value was expected", trouble.since)
    return Flaw(SYNTAX, f"an unquoted value cannot begin with {trouble.char}", trouble.at, hint=_QUOTE_IT)


# The first rule that knows the case speaks. The patterns meet the words of libyaml and of PyYAML's own parser.
_RULES: tuple[tuple[str, Callable[[Trouble], Flaw | None]], ...] = (
    ("", _template),
    ("cannot start any token", _first_character),
    ("tab character", _tab),
    ("directive", _directive),
    ("(?:scanning|parsing) a tag|tag handle", _tag),
    (r"scanning an (?:anchor|alias)", _anchor),
    ("escape|hexdecimal", _escape),
    ("quoted scalar", _open_quote),
    ("mapping values are not allowed", _second_colon),
    ("expected ':'", _lone_text),
    ("sequence entries are not allowed", _list_item),
    ("mapping keys are not allowed", _question),
    ("block scalar", _block_header),
    ("expected ',' or", _flow),
    (r"parsing a block (?:mapping|collection)", _misplaced),
    ("node content", _no_content),
)
