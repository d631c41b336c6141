"""A patient of one's own making."""

from types import SimpleNamespace

import pytest

from engine.app import App
from engine.config import Config


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What an examination finds."""
    monkeypatch.setenv("OPSBOOK_STATE", str(tmp_path / "state"))

    def found(examination, configuration=None, standings=(), offline=False):
        one = SimpleNamespace(
            configuration=configuration or Config(), standings=standings, offline=offline, state=tmp_path / "state", app=App()
        )
        told = examination.examine(one)
        assert all(diagnosis.remedy for diagnosis in told if diagnosis.status == "problem")
        return told

    return found


@pytest.fixture
def looked(found):
    """The statuses of what an examination finds."""
    return lambda *given, **more: [diagnosis.status for diagnosis in found(*given, **more)]
