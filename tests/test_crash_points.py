"""A sample of the crash matrix; `python tests/crash_points.py` is the whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_sample_of_crashes_ends_as_if_nothing_had_happened():
    script = Path(__file__).with_name("crash_points.py")
    done = subprocess.run([sys.executable, script, "--sample", "18"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
