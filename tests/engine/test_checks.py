from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import checks, source
from engine.language import loader
from engine.project import PROVIDERS
from engine.catalog import Catalog
from engine.errors import Invalid, UsageError
from engine.analysis.subject import Subject

ROOT = Path(__file__).parents[2]
CATALOG = Catalog(PROVIDERS)
IDS = [name for check in checks.CHECKS.values() for name in check.IDS]
WORDS = st.sampled_from(
    [
        *("type", "enum", "const", "default", "pattern", "format", "properties", "items", "additionalProperties", "required", "x-binds"),
        *("x-literal", "$ref", "anyOf", "patternProperties", "y", "z", "minimum", "(", "if", "maxLenght"),
    ]
)
EXAMPLE = re.compile(r"^(Bad|Good):\n\n```yaml\n(.*?)```", re.M | re.S)


def found(text):
    head = "apiVersion: runbook/v1\nname: example\n"
    body = text if "steps:" in text else text + "steps:\n  - uses: core.log\n    with: {message: hello}\n"
    document = source.read(head + body, "example.yaml")
    return checks.findings(Subject(document, loader.read(document, CATALOG.find), CATALOG.find))


def found_ids(text):
    try:
        return {finding.id for finding in found(text)}
    except Invalid as invalid:
        return {finding.id for finding in invalid.findings}


def test_files_table_tests_and_pages_are_the_same():
    assert list(checks.CHECKS) == sorted(checks.CHECKS)
    files = {path.stem for path in (ROOT / "engine/checks").glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests/engine/checks").glob("test_*.py")}
    assert files == tests == set(checks.CHECKS)
    assert len(IDS) == len(set(IDS))
    assert {path.stem for path in (ROOT / "docs/checks").glob("*.md")} == set(checks.pages())


def test_every_id_in_the_source_has_a_page():
    source_text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py"))
    assert set(re.findall(r'"(RB\d{3})"', source_text)) == set(checks.pages())


@pytest.mark.parametrize("name", sorted(checks.pages()))
def test_a_page_says_what_and_what_to_do(name):
    page = checks.explain(name.lower())
    assert page.startswith(f"# {name}: ")
    assert "\nWhat to do: " in page


@pytest.mark.parametrize("name", [name for name in IDS if name != "RB204"])
def test_the_examples_of_a_page_are_true(name):
    examples = dict(EXAMPLE.findall(checks.explain(name)))
    assert name in found_ids(examples["Bad"])
    assert found_ids(examples["Good"]) <= {"RB203", "RB215"} - {name}


@pytest.mark.parametrize("name", ["RB002", "RB003", "RB004", "RB101", "RB102", "RB103", "RB104"])
def test_the_examples_of_a_loader_page_are_true(name):
    examples = dict(EXAMPLE.findall(checks.explain(name)))
    head = "" if "apiVersion" in examples["Bad"] + examples["Good"] else "apiVersion: runbook/v1\n"
    for kind, expected in (("Bad", True), ("Good", False)):
        text = head + examples[kind]
        text += "" if "\nname:" in "\n" + text else "name: example\n"
        text = text if "steps:" in text or name == "RB101" else text + "steps:\n  - uses: core.log\n    with: {message: hello}\n"
        try:
            loader.read(source.read(text, "example.yaml"), CATALOG.find)
            ids = set()
        except Invalid as invalid:
            ids = {finding.id for finding in invalid.findings}
        assert (name in ids) == expected


def test_an_unknown_id_is_refused():
    with pytest.raises(UsageError, match="RB999"):
        checks.explain("RB999")


def test_findings_come_in_the_order_of_the_file():
    places = [finding.place for finding in found("inputs: {b: {type: string}, a: {type: string}}\nvars: {c: d, e: '{{ x'}\n")]
    assert len(places) == 5
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("comment", "ids"),
    [("", {"RB215"}), ("  # noqa", set()), ("  # noqa: RB215", set()), ("  # noqa: RB201, RB215", set()), ("  # noqa: RB201", {"RB215"})],
)
def test_noqa(comment, ids):
    assert found_ids(f"inputs:\n  team: {{type: string}}{comment}\n") == ids


def test_noqa_speaks_for_its_own_line_only():
    assert [finding.place.line for finding in found("inputs:\n  a: {}  # noqa\n  b: {}\n")] == [5]


def test_importing_the_checks_imports_no_jinja():
    code = "import sys, engine.checks; assert not {'jinja2', 'jsonschema', 'regex', 'httpx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "string", "object", "array", "(", "{{ inputs.x }}", "{{ inputs.x.y[0] }}"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(WORDS, JSON, max_size=5), st.dictionaries(WORDS, JSON, max_size=5), JSON)
def test_no_schema_that_an_author_may_write_breaks_a_check(declared, promised, value):
    raw = {
        "apiVersion": "runbook/v1",
        "name": "example",
        "inputs": {"x": declared},
        "vars": {"y": value},
        "steps": [
            {"id": "a", "uses": "core.http", "with": {"method": "GET", "url": "https://example.com", "outputs": promised}},
            {
                "if": "inputs.x.y == 'a' and inputs.x in [1]",
                "uses": "core.log",
                "with": {"message": "{{ inputs.x }} {{ inputs.x | map(attribute='y') }}"},
            },
            {"for_each": "{{ steps.a.outputs.data }}", "uses": "core.log", "with": {"message": "{{ item.z.y[0] }}"}},
        ],
        "outputs": {"z": {**promised, "value": value}},
    }
    document = source.read(json.dumps(raw), "example.yaml")
    try:
        runbook = loader.read(document, CATALOG.find)
    except Invalid:
        return
    for finding in checks.findings(Subject(document, runbook, CATALOG.find)):
        assert finding.place is not None
