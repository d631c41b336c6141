"""A sample of the fault matrix: every fault that does not wait, each on another operation, and some that do."""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict

import pytest

from tests.faults.faults import FAULTS, STORMS
from tests.faults.matrix import EVERY, GRACE, MEMORY, Bench, Cell, cells, peak_memory, possible
from tests.faults.operations import CASES

SLOW = ("continue_for_ever/after/once × create", "no_answer/after/once × add_note", "slow_body/after/once × list")

RACES = ("kept_connection_closed/after/ever × close_with_note", "second_answer/after/once × ensure_contact")
"""Where what a kept connection brings races with the next request."""

STILL = tuple(STORMS)[4:]
"""Storms that are left to the whole matrix."""


def sample() -> list[Cell]:
    """For each fault one form and one operation, all forms and operations in turn; each operation that is then left, under a fault."""
    forms = defaultdict(lambda: defaultdict(list))
    for cell in cells():
        forms[cell.fault][cell.moment, cell.ever].append(cell)
    turns = itertools.count()
    chosen = [
        _in_turn(_in_turn(list(of.values()), turn), turn * 7)
        for fault, of in forms.items()
        if not EVERY[fault].slow and fault not in STILL
        for turn in [next(turns)]
    ]
    touched = {cell.case for cell in chosen}
    left = [cell for cell in cells() if cell.case not in touched and str(cell).startswith("500/after/once")]
    return possible([*chosen, *left, *(cell for cell in cells() if str(cell) in (*SLOW, *RACES))])


def _in_turn(choice, turn):
    return choice[turn % len(choice)]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    for name in ("OPSBOOK_CONFIG", "OPSBOOK_STATE", "OPSBOOK_FAULTS_KEY"):
        monkeypatch.setenv(name, "")  # so that what a cell sets is undone
    with Bench(str(tmp_path)).installed() as bench:
        yield bench


@pytest.mark.parametrize("cell", sample(), ids=str)
def test_nothing_is_done_twice_and_no_success_is_reported_that_is_none(bench, cell):
    verdict = bench.judge(cell)
    assert verdict.problems == []
    assert verdict.overrun <= GRACE


def test_the_sample_touches_every_fault_and_every_operation():
    chosen = sample()
    assert {cell.case for cell in chosen} == set(CASES)
    assert {cell.fault for cell in chosen} >= {name for name, fault in FAULTS.items() if not fault.slow} - {"wrong_certificate"}
    assert len(FAULTS) >= 32


@pytest.mark.skipif(sys.platform != "linux", reason="measured by /proc")
def test_a_bomb_does_not_fill_the_memory():
    status, peak = peak_memory(CASES["get"], FAULTS["gzip_bomb"])
    assert (status, peak <= MEMORY) == (0, True)
