import re
from pathlib import Path

import pytest

from engine import source
from engine.language import loader
from engine.project import PROVIDERS
from engine.catalog import Catalog

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```yaml\n(apiVersion: runbook/v1\n.*?)```", re.S)
EXAMPLES = [(page.name, text) for page in sorted((ROOT / "docs").glob("*.md")) for text in BLOCK.findall(page.read_text())]


@pytest.mark.parametrize(("page", "examples"), [("README.md", 4), ("docs/monitoring.md", 3)])
def test_a_page_shows_what_is_printed(refresh, page, examples):
    text = (ROOT / page).read_text()
    assert ROOT / page in refresh.PAGES and text.count("<!-- run -->") >= examples
    assert refresh.refreshed(text) == text, "run python docs/refresh.py"


def test_what_differs_from_run_to_run_is_made_equal(refresh):
    one = refresh.normal("run 20250101T000000-aaaaaaaa  ✔ a  core.log  12ms", "/state")
    two = refresh.normal("run 20260202T111111-bbbbbbbb  ✔ a  core.log  1.2s", "/state")
    assert one == two


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=[f"{page}-{number}" for number, (page, _) in enumerate(EXAMPLES)])
def test_every_runbook_in_the_docs_is_valid(page, text):
    from engine import checks
    from engine.analysis.subject import Subject

    catalog = Catalog(PROVIDERS)
    document = source.read(text, page)
    runbook = loader.read(document, catalog.find)
    assert [finding for finding in checks.findings(Subject(document, runbook, catalog.find)) if finding.severity == "error"] == []
