"""Where a trigger's runbook lies, however that is written."""

from __future__ import annotations

import pytest

from engine.schedule.entry import located


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "a.yaml").touch()
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("written", ["books/a.yaml", "./books//a.yaml", "deep/../books/a.yaml", "books/../books/./a.yaml"])
def test_one_file_has_one_place(place, written):
    assert located(written) == place / "books" / "a.yaml"
    assert located(place / written) == place / "books" / "a.yaml"


def test_what_a_link_leads_to_is_left_to_the_link(place):
    assert located("link") == place / "link"
    assert located("link/..") == place / "deep"


def test_what_is_gone_has_a_place_too(place):
    assert located("books/../books/gone.yaml") == place / "books" / "gone.yaml"
