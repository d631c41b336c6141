"""The last filter before every sink: hides known secrets in every spelling, and makes text fit for a terminal.

Masking the literal value misses almost every real leak: a key reaches a log inside JSON, a URL, a shell command or a base64 header. Two
kinds of pattern cover them. Spellings that go character by character (URL, HTML, JSON, C, shell, quoted-printable and any mixture of them)
are one pattern in which each character may appear in any of its forms. Spellings that go by bits or bytes (base64, base32, hex, byte lists)
are matched by those of their characters that the secret alone determines, so they are found inside longer encoded text too.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from engine.secret import SHORTEST, Secret

MASK = "***"

_ESCAPE_LETTERS = dict(zip("\0\a\b\t\n\v\f\r\x1b\x85\xa0\u2028\u2029", "0abtnvfreN_LP", strict=True))  # the last four are YAML's
_BACKSLASHES = r"\\{1,8}"  # each layer of JSON or shell doubles them; bounded, so that hostile text costs no more than linear time
_SOFT_BREAK = r"(?:=\r?\n)?"  # quoted-printable
_FOLD = r"(?:\s|\\{1,8}[rn]){0,2}"  # encoders wrap long lines, and JSON spells the ends of lines
_BETWEEN_HEX = r"(?:[-:,._\s]|\\{1,8}[rn]){0,34}+(?:0x|\\x)?"  # od and openssl indent what they wrap; nothing is given back: linear time
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Redactor:
    """Masks every secret it has learnt with `***`; one object is passed to every sink. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._patterns: dict[str, re.Pattern[str]] = {}

    def learn(self, secret: Secret) -> None:
        """Hides this secret from now on, and each long enough line of it.

        Raises ValueError when it has fewer than 8 characters.
        """
        value = secret.reveal()
        if len(value) < SHORTEST:
            raise ValueError(f"the secret {secret.reference} has fewer than {SHORTEST} characters")
        with self._lock:
            new = {part: _compile(part) for part in (value, *_long_lines(value)) if part not in self._patterns}
            longest_first = sorted((self._patterns | new).items(), key=lambda known: -len(known[0]))
            self._patterns = dict(longest_first)  # replaced whole: `text` reads it without the lock

    def learn_told(self, secrets: Iterable[Secret]) -> None:
        """Hides the secrets that an answer told from now on; one that is too short to be told from ordinary words only stood there."""
        for secret in secrets:
            with suppress(ValueError):
                self.learn(secret)

    def text(self, s: str) -> str:
        """The text with every known secret masked; text that holds none comes back as it is."""
        if len(s) >= SHORTEST:  # no spelling is shorter than its secret
            for pattern in self._patterns.values():
                s = pattern.sub(MASK, s)
        return s

    def value(self, v: Any) -> Any:
        """A deep copy of a JSON value, keys included, with every known secret masked; what is no JSON is shown as its text."""
        if isinstance(v, str):
            return self.text(v)
        if v is None or isinstance(v, bool):
            return v
        if isinstance(v, (dict, Mapping)):  # dict first: asking the abstract class is slow
            return {self.text(str(key)): self.value(item) for key, item in v.items()}
        if isinstance(v, (list, tuple)):
            return [self.value(item) for item in v]
        shown = str(v)
        masked = self.text(shown)
        return v if masked == shown and isinstance(v, (int, float)) else masked


def clean(text: str) -> str:
    """The text fit for a terminal: control, format, bidi and line-separator characters, save newline and tab, as visible escapes."""
    if text.isprintable():
        return text
    return "".join(char if char in "\n\t" or unicodedata.category(char) not in _UNFIT else _visible(char) for char in text)


def clean_json(text: str) -> str:
    """JSON text fit for a terminal: the same characters as JSON's own escapes."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(char if char == "\n" or unicodedata.category(char) not in _UNFIT else json.dumps(char)[1:-1] for char in text)


def one_line(text: str) -> str:
    """As `clean`, with line feed and tab visible too: a value must not look like a line of ours."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _visible(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _long_lines(value: str) -> list[str]:
    """The lines that are masked on their own, since output is often shown line by line."""
    return [line for line in value.splitlines() if len(line) >= SHORTEST]


def _compile(value: str) -> re.Pattern[str]:
    """One alternation over the spellings of one secret; takes some 10 ms."""
    return re.compile("|".join(_spellings(value)))


def _spellings(value: str) -> Iterator[str]:
    """Every spelling of one secret."""
    for quoted in _requoted(value):
        yield _by_character(quoted)
    yield f"(?i:{re.escape(value)})"  # names of hosts and of headers come back in small letters
    yield re.escape(value[::-1])
    utf8 = value.encode("utf-8", "surrogatepass")
    little, big = value.encode("utf-16-le", "surrogatepass"), value.encode("utf-16-be", "surrogatepass")
    yield r",\s{0,9}".join(str(byte) for byte in utf8)
    yield f"(?i:{_BETWEEN_HEX.join(f'{byte:02x}' for byte in utf8)})"
    yield f"(?i:{little.hex()}|{big.hex()})"
    yield from _base64(utf8, _FOLD)
    yield from _base64(little, "")
    yield from _base32(utf8)


def _requoted(value: str) -> list[str]:
    """The value, and as it stands within quotes that cannot be escaped: shell, SQL and YAML, CSV."""
    forms = [value, value.replace("'", "'\"'\"'"), value.replace("'", "'\\''"), value.replace("'", "''"), value.replace('"', '""')]
    return sorted(set(forms), key=len, reverse=True)


def _by_character(value: str) -> str:
    # A run of backslashes is one unit: taken one by one they could share out a longer run in exponentially many ways.
    return _SOFT_BREAK.join(_forms(unit) for unit in re.findall(r"\\+|[^\\]", value))


def _forms(unit: str) -> str:
    """Every form of one character, or of a run of backslashes; no two match the same text, so that a near miss fails fast."""
    char, count = unit[0], len(unit)
    escaped = "|".join([_entity(char), *_byte_escapes(char), *_unicode_escapes(char)])
    if char == "\\":
        return rf"(?:\\{{{count},{8 * count}}}|(?:{escaped}){{{count}}})"
    return f"(?:{'|'.join(_literal_forms(char))}|{escaped})"


def _literal_forms(char: str) -> Iterator[str]:
    yield char if char.isalnum() else r"\\{0,8}" + re.escape(char)
    if char == " ":
        yield r"\+"
    if char in _ESCAPE_LETTERS:
        yield _BACKSLASHES + _ESCAPE_LETTERS[char]


def _entity(char: str) -> str:
    """HTML and XML: decimal, hexadecimal or named, escaped any number of times."""
    from html.entities import codepoint2name

    code = ord(char)
    names = [codepoint2name[code]] if code in codepoint2name else ["apos"] if char == "'" else []
    return rf"&(?:amp;)*(?:{'|'.join([f'#0*{code}', f'(?i:#x0*{code:x})', *names])});"


def _byte_escapes(char: str) -> Iterator[str]:
    """Percent-encoding (any number of times), quoted-printable, and the escapes of bytes in C, shell and Python."""
    data = char.encode("utf-8", "surrogatepass")
    yield _SOFT_BREAK.join(f"(?i:[%=](?:25)*{byte:02x})" for byte in data)
    yield "".join(rf"{_BACKSLASHES}(?:(?i:x{byte:02x})|0?{byte:03o})" for byte in data)


def _unicode_escapes(char: str) -> Iterator[str]:
    """JSON, JavaScript, Python and YAML: by code point, and by UTF-16 unit beyond the basic plane."""
    code = ord(char)
    yield rf"{_BACKSLASHES}(?i:u\{{?0*{code:x}\}}?|x\{{0*{code:x}\}})"
    if 0x7F < code < 0x100:
        yield rf"{_BACKSLASHES}(?i:x{code:x})"
    if code > 0xFFFF:
        units = char.encode("utf-16-be").hex()
        yield rf"{_BACKSLASHES}(?i:u{units[:4]}){_BACKSLASHES}(?i:u{units[4:]})"


def _base64(data: bytes, fold: str) -> Iterator[str]:
    """Standard and URL-safe, also percent-encoded or folded, at the three places in a group of bytes where the secret may begin."""
    forms = {"+": r"(?:[-+ ]|%2[Bb])", "/": r"(?:[/_]|\\{1,2}/|%2[Ff])"}
    for offset in range(3):
        core, tail = _determined(base64.b64encode(bytes(offset) + data).decode(), offset, len(data), 6)
        yield fold.join(forms.get(char, char) for char in core) + (r"(?:[-+/\w]=?=?)?" if tail else "")


def _base32(data: bytes) -> Iterator[str]:
    """In either case, at the five places in a group of bytes where the secret may begin."""
    for offset in range(5):
        core, tail = _determined(base64.b32encode(bytes(offset) + data).decode(), offset, len(data), 5)
        yield f"(?i:{_FOLD.join(core)}{'(?:[a-z2-7]={0,6})?' if tail else ''})"


def _determined(encoded: str, offset: int, length: int, bits: int) -> tuple[str, bool]:
    """The characters whose bits all come from the secret, and whether one more holds its last bits."""
    first = -(-8 * offset // bits)
    last, rest = divmod(8 * (offset + length), bits)
    return encoded[first:last], rest > 0
