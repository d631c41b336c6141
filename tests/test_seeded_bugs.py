"""The patches of seeded bugs still fit, and the command tells a bug that is caught from one that lives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import seeded_bugs
from tests.seeded_bugs import ROOT, Bug

BUGS = seeded_bugs.bugs()
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git puts the patches in")


def test_there_are_enough_over_many_modules():
    patched = {line for bug in BUGS for line in bug.path.read_text().splitlines() if line.startswith("+++ ")}
    assert len(BUGS) >= 20 and len(patched) >= 12


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_patch_applies_and_names_its_tests(bug):
    assert seeded_bugs.applies(bug, ROOT, "--check")
    assert bug.why and bug.tests and all((ROOT / test).exists() for test in bug.tests)


def test_one_is_caught():
    done = subprocess.run([sys.executable, ROOT / "tests" / "seeded_bugs.py", "secret_shown"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 of 1 seeded bugs caught"), done.stdout + done.stderr


def test_what_nobody_notices_lives_and_what_does_not_fit_is_told(tmp_path):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "duration.py").write_text("one = 1\n")
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    assert True\n")
    patch = tmp_path / "bug.patch"
    patch.write_text(
        "Why: w\nTests: test_nothing.py\n--- a/engine/duration.py\n+++ b/engine/duration.py\n@@ -1 +1 @@\n-one = 1\n+one = 2\n"
    )
    assert seeded_bugs.verdict(Bug(patch, "w", ("test_nothing.py",)), tmp_path) == "LIVES"
    assert (tmp_path / "engine" / "duration.py").read_text() == "one = 1\n"
    (tmp_path / "engine" / "duration.py").write_text("two = 2\n")
    assert seeded_bugs.verdict(Bug(patch, "w", ("test_nothing.py",)), tmp_path) == "DOES NOT APPLY"


def test_an_unknown_name_is_refused():
    assert seeded_bugs.main(["nobody"]) == 2
