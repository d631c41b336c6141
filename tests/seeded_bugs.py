"""Puts one bug at a time into a copy of the source, and asks the tests that should notice.

    python tests/seeded_bugs.py                   every bug of tests/seeded_bugs/: some minutes
    python tests/seeded_bugs.py note_sent_twice   some of them

A bug is a patch with two lines above it: why it is one, and which tests are to catch it. Exits with 1 when a patch no longer applies, or
when its tests pass.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATCHES = Path(__file__).with_suffix("")
COPIED = (
    "engine",
    "steps",
    "tests",
    "schemas",
    "runbooks",
    "docs",
    "benchmarks",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "pyproject.toml",
)
TESTS_FAILED = 1
"""pytest's exit code; any other says that they could not be run."""


@dataclass(frozen=True)
class Bug:
    """One patch."""

    path: Path
    why: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.stem


def bugs() -> list[Bug]:
    """Every bug there is."""
    found = []
    for path in sorted(PATCHES.glob("*.patch")):
        why, tests, *_ = path.read_text().splitlines()
        found.append(Bug(path, why.removeprefix("Why: "), tuple(tests.removeprefix("Tests: ").split())))
    return found


def copied(folder: Path) -> Path:
    """A copy of what the tests need."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def applies(bug: Bug, tree: Path, *how: str) -> bool:
    """Whether the patch fits the tree; unless `--check` says otherwise, it is then in it."""
    done = subprocess.run(["git", "apply", *how, str(bug.path)], cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode == 0


def verdict(bug: Bug, tree: Path) -> str:
    """`caught`, or what is wrong."""
    if not applies(bug, tree):
        return "DOES NOT APPLY"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *bug.tests]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    applies(bug, tree, "-R")
    if done.returncode == TESTS_FAILED:
        return "caught"
    return "LIVES" if done.returncode == 0 else f"CANNOT BE TRIED: {done.stdout.strip().splitlines()[-1]}"


def main(names: list[str]) -> int:
    chosen = [bug for bug in bugs() if not names or bug.name in names]
    unknown = set(names) - {bug.name for bug in chosen}
    if unknown:
        print(f"there is no bug {', '.join(sorted(unknown))}")
        return 2
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        for bug in chosen:
            told = verdict(bug, tree)
            caught += told == "caught"
            print(f"{bug.name}: {told} ({bug.why})", flush=True)
    print(f"{caught} of {len(chosen)} seeded bugs caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
