"""The command of a line or a unit: what it must carry with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.schedule import command as module
from engine.schedule.command import command


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("OPSBOOK_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSBOOK_STATE", "state")
    return tmp_path


def words(found, entry):
    return list(found.words(entry, "cron", if_due=False))


def test_everything_is_absolute(place, entry):
    found = command(None)
    assert found.folder == place and found.variables["OPSBOOK_STATE"] == str(place / "state")
    assert found.config is None and "--config" not in words(found, entry())
    assert Path(found.program[0]).is_absolute()


@pytest.mark.parametrize(("given", "variable"), [("own.yaml", None), (None, "own.yaml"), ("own.yaml", "other.yaml")])
def test_a_configuration_that_was_named_is_named_again(place, entry, monkeypatch, given, variable):
    if variable:
        monkeypatch.setenv("OPSBOOK_CONFIG", variable)
    assert words(command(given), entry())[-2:] == ["--config", str(place / "own.yaml")]


def test_no_configuration_is_kept_as_none(entry):
    assert words(command(""), entry())[-2:] == ["--config", ""]


def test_a_configuration_that_cron_would_not_find_is_told(place, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place))
    assert "XDG_CONFIG_HOME" not in command(None).variables, "there is nothing of ours"
    (place / "opsbook").mkdir()
    assert command(None).variables["XDG_CONFIG_HOME"] == str(place)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert command(None).variables["XDG_CONFIG_HOME"] == str(place)


def test_the_program(place, monkeypatch):
    (place / "opsbook").write_text("")
    monkeypatch.setattr(sys, "executable", str(place / "python"))
    assert command(None).program == (str(place / "opsbook"),), "beside the interpreter"
    (place / "bin").mkdir()
    (place / "bin" / "opsbook").write_text("")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setattr(sys, "argv", ["bin/opsbook"])
    assert command(None).program == (str(place / "bin" / "opsbook"),), "as it was called"
    monkeypatch.setattr(sys, "argv", ["pytest"])
    found = command(None)
    assert found.program == ("/nowhere/python", "-P", "-m", "engine")
    assert found.variables["PYTHONPATH"] == str(Path(module.__file__).parents[2])
