"""Golden runbooks: those in ok/ have no finding; each in err/ has exactly those of the file `.expected` beside it.

python tests/test_runbooks.py       writes the files anew; read the difference before you keep it
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import checks, source
from engine.language import loader
from engine.project import PROVIDERS
from engine.catalog import Catalog
from engine.errors import Invalid
from engine.analysis.subject import Subject

FOLDER = Path(__file__).parent / "runbooks"
OK = sorted(FOLDER.glob("ok/*.yaml"))
ERR = sorted(FOLDER.glob("err/*.yaml"))
CATALOG = Catalog(PROVIDERS)


def findings(file):
    try:
        document = source.read(file.read_bytes(), file.name)
        runbook = loader.read(document, CATALOG.find, list(CATALOG.steps()))
    except Invalid as invalid:
        return list(invalid.findings)
    return checks.findings(Subject(document, runbook, CATALOG.find))


def lines(file):
    found = sorted(findings(file), key=lambda finding: (finding.place.line, finding.place.column))
    return "".join(f"{finding.place.line}:{finding.place.column} {finding.id} {finding.message}\n" for finding in found)


@pytest.mark.parametrize("file", OK, ids=lambda file: file.stem)
def test_good_runbooks_have_no_finding(file):
    assert lines(file) == ""


@pytest.mark.parametrize("file", ERR, ids=lambda file: file.stem)
def test_bad_runbooks_have_the_findings_expected(file):
    assert lines(file) == file.with_suffix(".expected").read_text(encoding="utf-8")


def test_there_is_an_expectation_for_each_bad_runbook_and_no_other():
    assert sorted(FOLDER.glob("err/*.expected")) == [file.with_suffix(".expected") for file in ERR]
    assert len(OK) >= 10
    assert len(ERR) >= 25


if __name__ == "__main__":
    for file in ERR:
        file.with_suffix(".expected").write_text(lines(file), encoding="utf-8")
