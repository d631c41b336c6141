"""Steps by name, their providers imported late."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine import project
from engine.catalog import Catalog
from engine.errors import UsageError


def test_a_step_is_found_by_its_prefix(fake):
    catalog = Catalog(project.PROVIDERS)
    assert catalog.get("fake.say").name == "fake.say"
    assert catalog.find("fake.nothing") is None
    assert catalog.find("nowhere.say") is None
    assert catalog.prefixes == ("core", "opsgenie", "fake")


def test_a_step_that_is_not_there_is_wrong_usage():
    with pytest.raises(UsageError, match="no step 'core.nothing'"):
        Catalog(project.PROVIDERS).get("core.nothing")


def test_every_step_is_listed_once_sorted_under_its_own_name():
    steps = Catalog(project.PROVIDERS).steps()
    assert list(steps) == sorted(steps)
    assert all(step.name == name for name, step in steps.items())
    assert {"core.log", "opsgenie.alert.create", "opsgenie.alert.route"} <= set(steps)


def test_strangers_are_found_by_entry_point(monkeypatch, fake):
    import importlib.metadata
    from types import SimpleNamespace

    from engine import catalog

    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group, name: (
            [SimpleNamespace(value="opsbook_fake.steps:PROVIDER")] if (group, name) == ("opsbook.steps", "stranger") else []
        ),
    )
    catalog._offered.cache_clear()
    assert catalog.Catalog({}).provider("stranger") is fake
    assert catalog.Catalog({}).provider("nobody") is None
    catalog._offered.cache_clear()


def test_a_step_of_one_provider_does_not_import_another():
    code = "import sys; from engine.project import PROVIDERS; from engine.catalog import Catalog; Catalog(PROVIDERS).get('core.log'); print('steps.opsgenie' in sys.modules, 'httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
