"""What is refused, wherever a secret lives."""

import re
from pathlib import Path

import pytest

from engine import secrets


@pytest.mark.parametrize("reference", ["0123456789abcdef", "vault:0123456789abcdef", "env:", ":0123456789abcdef", ""])
def test_what_is_no_reference_is_refused_and_not_echoed(reference, refused):
    said = refused(reference)
    assert "never the key itself" in said
    assert "0123456789" not in said


@pytest.mark.parametrize("value", ["s3cr3t", "        ", "0123\x074567", "01234567\n89", ""])
def test_what_could_not_be_masked_is_refused(monkeypatch, value, refused):
    monkeypatch.setenv("A_KEY", value)
    said = refused("env:A_KEY")
    assert "no usable key: shorter than 8 characters, of more than one line, or not plain text" in said
    assert not value.strip() or value.strip() not in said


def test_what_would_take_long_to_mask_is_refused(monkeypatch, refused):
    monkeypatch.setenv("A_KEY", "k" * (secrets.LONGEST + 1))
    assert f"longer than {secrets.LONGEST} characters" in refused("env:A_KEY")


@pytest.mark.parametrize(("word", "source"), secrets.SOURCES.items())
def test_a_source_says_how_it_is_written(word, source):
    assert source.FORM.startswith(f"{word}:")
    assert re.fullmatch(source.NAME, source.FORM.partition(":")[2])
    assert source.FORM in secrets.forms()
    assert f"`{source.FORM}`" in (Path(__file__).parents[3] / "docs" / "cli.md").read_text()


def test_the_sources_are_files_of_the_folder():
    assert sorted(path.stem for path in Path(secrets.__file__).parent.glob("[a-z]*.py")) == sorted(secrets.SOURCES)


def test_the_shortest_value_that_can_be_masked_is_taken(monkeypatch, resolve):
    monkeypatch.setenv("A_KEY", " 01234567\r\n")
    assert resolve("env:A_KEY").reveal() == "01234567"


def test_a_name_may_hold_colons(tmp_path, resolve):
    (tmp_path / "a:key:").write_text("0123456789")
    (tmp_path / "a:key:").chmod(0o600)
    assert resolve(f"file:{tmp_path}/a:key:").reveal() == "0123456789"


def test_the_forms_are_told_in_one_sentence():
    assert secrets.forms() == "cmd:PROGRAM ARGUMENTS, env:NAME, file:/path, keyring:SERVICE/USER or systemd:NAME"


def test_the_longest_value_is_taken(monkeypatch, resolve):
    monkeypatch.setenv("A_KEY", "k" * secrets.LONGEST)
    assert resolve("env:A_KEY").reveal() == "k" * 4096
