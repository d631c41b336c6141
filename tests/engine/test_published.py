"""The published schemas are valid, fresh, and written where they are looked for."""

import json
import sys

import pytest
from jsonschema import Draft7Validator

from engine import published
from engine.project import PROVIDERS
from engine.catalog import Catalog


@pytest.mark.parametrize("name", published.NAMES)
def test_each_is_valid_draft_07(name):
    document = json.loads(json.dumps(published.document(name, Catalog(PROVIDERS))))
    Draft7Validator.check_schema(document)
    assert document["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_files_are_fresh():
    assert [path.name for path, text in published.files().items() if path.read_text() != text] == []


def test_stale_files_are_named_and_written_anew(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(published, "folder", lambda _: tmp_path)
    monkeypatch.setattr(sys, "argv", ["published", "--check"])
    assert published.main() == 1
    assert "runbook.schema.json is stale" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["published"])
    assert published.main() == 0
    monkeypatch.setattr(sys, "argv", ["published", "--check"])
    assert (published.main(), capsys.readouterr().out) == (0, "")
