"""core.write: whole files, in allowed places only."""

from __future__ import annotations

import csv
import io
import json
import os
from hashlib import sha256

import pytest
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from engine.errors import StepError
from engine.schema import problems
from steps.core import STEPS
from steps.core.write import _csv

WRITE = STEPS["core.write"]


def test_writes_text_for_the_owner_only_and_says_what(new_context):
    context = new_context()
    outputs = WRITE.perform({"path": "a/b.txt", "content": "grüß\n"}, context)
    path = context.folder / "a" / "b.txt"
    assert path.read_text() == "grüß\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert outputs == {"path": str(path), "bytes": 7, "sha256": sha256("grüß\n".encode()).hexdigest()}
    assert [entry.name for entry in path.parent.iterdir()] == ["b.txt"]


def test_json_is_pretty_and_keeps_its_order(new_context):
    context = new_context()
    WRITE.perform({"path": "x.json", "json": {"b": 1, "a": ["ü"]}}, context)
    assert (context.folder / "x.json").read_text() == '{\n  "b": 1,\n  "a": [\n    "ü"\n  ]\n}\n'


def test_csv_has_every_key_in_order_of_first_sight():
    rows = [{"a": 1, "b": None}, {"c": True, "a": "x,y"}]
    assert _csv(rows, None) == 'a,b,c\n1,,\n"x,y",,true\n'
    assert _csv(rows, ["c", "a"]) == 'c,a\n,1\ntrue,"x,y"\n'


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd", "'-2+3+cmd"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("+1-202-555-0100", "+1-202-555-0100"),
        ("-12.5", "-12.5"),
        (-5, "-5"),
        ("plain", "plain"),
    ],
)
def test_csv_cells_are_no_formulas_and_telephone_numbers_survive(cell, kept):
    assert list(csv.reader(io.StringIO(_csv([{"a": cell}], None))))[1] == [kept]


@settings(max_examples=80, deadline=None)
@example(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), min_size=1, max_size=4))
def test_csv_reads_back_and_no_cell_is_a_formula(cells):
    columns = [str(index) for index in range(len(cells))]
    [_, row] = csv.reader(io.StringIO(_csv([dict(zip(columns, cells, strict=True))], columns), newline=""))
    for cell, read in zip(cells, row, strict=True):
        assert read in (cell, "'" + cell)
        assert not read.startswith(("=", "@", "\t", "\r"))
        assert not (read.startswith(("+", "-")) and any(char.isalpha() for char in read))


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/opsbook-test", ".", "a\0b"])
def test_no_way_out_of_the_folder(new_context, path):
    context = new_context()
    with pytest.raises(StepError) as caught:
        WRITE.perform({"path": path, "content": ""}, context)
    assert caught.value.code == "path_refused"
    assert context.calls == []


def test_absolute_paths_need_an_allowed_folder(new_context, tmp_path):
    given = {"path": str(tmp_path / "out" / "x.txt"), "content": "x"}
    with pytest.raises(StepError):
        WRITE.perform(given, new_context(settings={"write": {"allow": [str(tmp_path / "outer")]}}))
    WRITE.perform(given, new_context(settings={"write": {"allow": [str(tmp_path / "out")]}}))
    assert (tmp_path / "out" / "x.txt").read_text() == "x"


def test_no_link_is_followed(new_context, tmp_path):
    context = new_context()
    context.folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "victim").write_text("old")
    (context.folder / "folder").symlink_to(tmp_path / "elsewhere")
    (context.folder / "file").symlink_to(tmp_path / "elsewhere" / "victim")
    with pytest.raises(StepError) as caught:
        WRITE.perform({"path": "folder/victim", "content": "new"}, context)
    assert caught.value.code == "write_failed"
    WRITE.perform({"path": "file", "content": "new"}, context)
    assert (tmp_path / "elsewhere" / "victim").read_text() == "old"
    assert not (context.folder / "file").is_symlink()


def test_a_failure_leaves_the_old_file_whole(new_context, monkeypatch):
    context = new_context()
    WRITE.perform({"path": "x", "content": "old"}, context)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StepError, match="No space left"):
        WRITE.perform({"path": "x", "content": "new"}, context)
    assert {entry.name: entry.read_text() for entry in context.folder.iterdir()} == {"x": "old"}


def test_is_written_again_after_a_crash(new_context):
    context = new_context(interrupted=1)
    WRITE.perform({"path": "x", "content": "new"}, context)
    assert (context.folder / "x").read_text() == "new"


@pytest.mark.parametrize("given", [{"content": "\ud800"}, {"json": float("nan")}])
def test_what_is_no_text_is_refused(new_context, given):
    with pytest.raises(StepError):
        WRITE.perform({"path": "x", **given}, new_context())


def test_a_plan_tells_the_place_and_writes_nothing(new_context, placeholder):
    context = new_context(planning=True)
    outputs = WRITE.perform({"path": "x", "content": placeholder}, context)
    assert (outputs["path"], outputs["bytes"].name) == (str(context.folder / "x"), "bytes")
    WRITE.perform({"path": placeholder, "content": "abc"}, context)
    assert [call.detail["path"] for call in context.calls] == [outputs["path"], placeholder]
    with pytest.raises(StepError):
        WRITE.perform({"path": "/etc/x", "content": placeholder}, context)
    assert not context.folder.exists()


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"content": ""}, True),
        ({"csv": []}, True),
        ({"csv": [], "columns": ["a"]}, True),
        ({"json": None}, True),
        ({}, False),
        ({"content": "", "json": 1}, False),
        ({"csv": [], "content": ""}, False),
        ({"json": 1, "columns": ["a"]}, False),
    ],
)
def test_schema_takes_exactly_one_kind_of_content(given, fits):
    assert Draft7Validator(json.loads(json.dumps(WRITE.inputs))).is_valid({"path": "x", **given}) is fits


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "content, csv or json is missing"),
        ({"content": "", "json": 1}, "content and json exclude each other: give one of them"),
        ({"csv": [], "json": 1}, "csv and json exclude each other: give one of them"),
        ({"json": 1, "columns": ["a"]}, "columns stands without csv"),
    ],
)
def test_what_does_not_go_together_is_named(given, told):
    assert [problem.message for problem in problems({"path": "x", **given}, WRITE.inputs)] == [told]
