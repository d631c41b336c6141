"""Samples of the matrices of crashes, of a failing disk and of signals; `python tests/crash_points.py` and its like are the whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.control import CONSTRUCTS
from engine.modifiers import MODIFIERS
from tests.machine.scenarios import EVERY

SAMPLES = (
    ("crash_points.py", "every", 8),
    ("crash_points.py", "wire", 3),
    ("crash_points.py", "grown", 6),
    ("machine_faults.py", "stale-alerts", 10),
    ("machine_faults.py", "grown", 10),
    ("signal_points.py", "trouble", 8),
    ("signal_points.py", "slow", 2),
    ("signal_points.py", "starts", 1),
)


@pytest.mark.parametrize(("script", "scenario", "number"), SAMPLES)
def test_a_sample_of_what_may_befall_a_run_ends_as_if_nothing_had_happened(script, scenario, number):
    path = Path(__file__).with_name(script)
    command = [sys.executable, path, "--only", scenario, "--sample", str(number), "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout


@pytest.mark.parametrize("name", sorted({*CONSTRUCTS, *MODIFIERS}))
def test_every_construct_is_killed_and_resumed(name):
    assert f"{name}:" in EVERY
