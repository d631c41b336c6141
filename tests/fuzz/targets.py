"""What is fuzzed: text in, and an answer or a documented error out, within the time allowed."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine import checks, project, source, template
from engine.language import loader
from engine.catalog import Catalog
from engine.errors import Invalid, OpsbookError
from engine.analysis.subject import Subject

ROOT = Path(__file__).parents[2]
SLOWEST = 2.0
"""Seconds one input may take on a busy machine; most take a millisecond."""

_CATALOG = Catalog(project.PROVIDERS)
_NAMES = {
    "inputs": {"x": "text", "n": 3, "list": [1, "b", None, {"k": [True]}], "empty": ""},
    "steps": {"a": {"status": "succeeded", "outputs": {"id": "1", "items": [1, 2]}}},
    "run": {"id": "r"},
}


def yaml(text: str) -> None:
    """A YAML document: values with places, or findings with places."""
    try:
        document = source.read(text, "fuzz.yaml")
    except Invalid as invalid:
        assert all(finding.place is None or finding.place.line >= 1 for finding in invalid.findings)
        assert invalid.findings
        return
    document.finding("RB101", "x", ())


def templates(text: str) -> None:
    """A template and an expression: a value, or an error that says why. Half characters never come out of a file."""
    text = text.encode("utf-8", "replace").decode()
    for make in (template.text, template.expression):
        try:
            made = make(text)
            made.render(_NAMES) if isinstance(made, template.Template) else made.holds(_NAMES)
        except OpsbookError:
            continue


def runbook(text: str) -> None:
    """A whole runbook, as `validate` reads it: findings in files that are there."""
    try:
        document = source.read(text, "fuzz.yaml")
        read = loader.read(document, _CATALOG.find)
        findings = checks.findings(Subject(document, read, _CATALOG.find, lambda _step, _need: None))
    except Invalid as invalid:
        findings = list(invalid.findings)
    lines = text.count("\n") + 2
    assert all(finding.place is None or 1 <= finding.place.line <= lines for finding in findings)


TARGETS: dict[str, Callable[[str], None]] = {"runbook": runbook, "template": templates, "yaml": yaml}


def corpus() -> dict[str, list[str]]:
    """What mutations begin with: the shipped runbooks, and everything that was hostile before."""
    shipped = [path.read_text() for path in sorted((ROOT / "runbooks").glob("*.yaml"))]
    hostile = [path.read_bytes().decode(errors="replace") for path in sorted((ROOT / "tests/engine/hostile_yaml").glob("*.yaml"))]
    kept = [path.read_text() for path in sorted((Path(__file__).parent / "corpus").glob("*"))]
    small = [text for text in hostile if len(text) < 4000]
    return {"runbook": [*shipped, *kept], "template": [*TEMPLATES, *kept], "yaml": [*small, *shipped, *kept]}


TEMPLATES = [
    "{{ inputs.x }}", "{{ inputs.list | map(attribute='k') | list | tojson }}", "{% if inputs.n > 2 %}a{% else %}b{% endif %}",
    "{% for x in inputs.list %}{{ loop.index }}{{ x }}{% endfor %}", "inputs.x is matches('^t') and not (inputs.n in [1, 2])",
    "{{ steps.a.outputs['items'][0] + 1 }}", "{{ inputs.x[1:3] ~ 'é' | upper | default('z', true) }}", "{{ 10**(10**8) }}", "{{ ''.__class__ }}",
    "{{ inputs.x | truncate(3) | replace('t', '{{') | fromjson }}", "inputs.n if inputs.x else -inputs.n", "{{ inputs.list | selectattr('k') | sort | unique }}",
]  # fmt: skip

PIECES = [
    "{{", "}}", "{%", "%}", "{#", "#}", "[", "]", "{", "}", ": ", "- ", "\n", "\n  ", "\t", "'", '"', "|", ">", "&a ", "*a ", "!!str ", "<<: ", "---\n", "%YAML 1.1\n",
    "~", "null", "true", "0x1F", "1e999", "9" * 400, "-", "_", "__class__", ".", "..", "|tojson", " is matches('(a+)+$')", " if ", " else ", " for x in ", " and not ",
    "inputs", "steps", "loop", "now", "secrets", "run.id", "\0", "\x1b[31m", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "é", "😀", "\\u0000", "\\x41", "$ref", "[" * 70, "{a: " * 70, "(" * 60,
    "a" * 300, "uses: core.log", "with: {message: a}", "for_each: ", "until: ", "block: ", "rescue: ", "if: ", "id: a", "# noqa", "# noqa: RB101", "'" * 5,
]  # fmt: skip


ODD = [None, True, 0, -1, 1.5, 10**30, "", " ", "x" * 5000, [], {}, [[]], {"": ""}, "{{ now }}", "{{ steps }}", "{{ inputs.nope }}", "10m", "1d" * 50, "./book.yaml", "core.http",
       {"type": "nope"}, {"$ref": "#"}, {"pattern": "("}, {"enum": []}, {"condition": "1", "every": "0s"}, {"attempts": 10**9}, [{"uses": "core.log"}], "a.b.c | d", "not", "'"]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """The text with a few places cut, doubled, swapped or filled."""
    for _ in range(chance.randint(1, 5)):
        at, to = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        to = min(to, at + chance.choice((1, 4, 40, 400)))
        filled = (lambda: "", lambda: text[at:to] * 2, lambda: chance.choice(PIECES), lambda: text[at:to][::-1], lambda: _stray(chance))
        text = text[:at] + chance.choice(filled)() + text[to if chance.random() < 0.5 else at :]
    return text[:20_000]


def restructured(text: str, chance: random.Random) -> str:
    """A runbook that is still YAML, with a few of its parts changed for others, or for what does not belong there."""
    value = source.read(text, "seed.yaml").value
    for _ in range(chance.randint(1, 4)):
        places = list(_places(value))
        (above, key), (other, name) = chance.choice(places), chance.choice(places)
        odd = (other[name], chance.choice(ODD), mutated(str(above[key])[:200], chance), [other[name]] * 2, {"a": other[name]})
        above[key] = json.loads(json.dumps(chance.choice(odd)))
    return json.dumps(value)[:100_000]


def mutation(name: str, text: str, chance: random.Random) -> str:
    """One input for a target; runbooks are changed as text and as structure in turn."""
    return restructured(text, chance) if name == "runbook" and chance.random() < 0.7 else mutated(text, chance)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _stray(chance: random.Random) -> str:
    return "".join(
        chr(chance.choice((chance.randint(0, 0x7F), chance.randint(0x80, 0x2FFF), chance.randint(0xD700, 0xE100)))) for _ in range(3)
    )


def hostile_text(chance: random.Random) -> str:
    """What an alert might say to be taken for more than text: braces, markup, control characters and ordinary words."""
    words = [
        *PIECES,
        "<script>",
        "</td>",
        "<img src=x>",
        "&lt;",
        "&#x3c;",
        "]]>",
        "disk full on db-1",
        "ok",
        " ",
        "=1+1",
        "\r",
        "\b",
        "\x9b2J",
        "$(id)",
    ]
    return "".join(chance.choice(words) if chance.random() < 0.8 else _stray(chance) for _ in range(chance.randint(1, 8)))


def tried(name: str, text: str) -> str | None:
    """What is wrong with how a target takes a text, or None."""
    began = time.perf_counter()
    try:
        TARGETS[name](text)
    except Exception as error:  # noqa: BLE001 - whatever is raised is what is looked for
        return f"{type(error).__name__}: {error}"[:300]
    took = time.perf_counter() - began
    return f"took {took:.1f} s" if took > SLOWEST else None
