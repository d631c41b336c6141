"""A patient of one's own making."""

from types import SimpleNamespace

import pytest

from engine.config import Config


@pytest.fixture
def looked(tmp_path):
    """What an examination finds: the statuses."""

    def looked(examination, configuration=None, standings=(), offline=False):
        one = SimpleNamespace(configuration=configuration or Config(), standings=standings, offline=offline, state=tmp_path / "state")
        found = examination.examine(one)
        assert all(diagnosis.remedy for diagnosis in found if diagnosis.status == "problem")
        return [diagnosis.status for diagnosis in found]

    return looked
