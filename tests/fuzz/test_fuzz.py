"""A bounded run of the fuzzer, and the kept corpus; the whole is `python tests/fuzz/run.py`."""

from __future__ import annotations

import pytest

from tests.fuzz.run import fuzz
from tests.fuzz.targets import TARGETS, corpus, tried


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name):
    counts, broken = fuzz(1.5, 20261123, [name], most=400)
    assert broken == []
    assert counts[name] > 20


@pytest.mark.parametrize("name", TARGETS)
def test_corpus(name):
    assert [(text[:60], wrong) for text in corpus()[name] if (wrong := tried(name, text))] == []


def test_a_target_that_breaks_is_seen(monkeypatch):
    monkeypatch.setitem(TARGETS, "yaml", lambda _text: 1 / 0)
    assert "ZeroDivisionError" in tried("yaml", "a: b")
