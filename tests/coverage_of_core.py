"""Measures how much of the core modules their own tests reach, in lines and branches.

    python tests/coverage_of_core.py              every module
    python tests/coverage_of_core.py source       some of them

Prints what is not reached, and exits with 1 unless all is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.mutants import MODULES, ROOT, Module  # noqa: E402


def missing(module: Module, folder: Path) -> dict[str, list[str]] | None:
    """By file, the lines and branches that its tests do not reach; None when the tests fail."""
    data, told = folder / "data", folder / "told.json"
    include = ",".join(module.source)
    measured = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "--branch",
        f"--include={include}",
        f"--data-file={data}",
        "-m",
        "pytest",
        "-q",
        "-x",
    ]
    tests = subprocess.run([*measured, *module.tests], cwd=ROOT, capture_output=True, text=True, check=False)
    if tests.returncode:
        print(*tests.stdout.splitlines()[-15:], sep="\n")
        return None
    subprocess.run([sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}", "-o", told], cwd=ROOT, check=True)
    files = json.loads(told.read_text())["files"]
    found = {path: [*map(str, file["missing_lines"]), *(f"{a}→{b}" for a, b in file["missing_branches"])] for path, file in files.items()}
    return found | {path: ["every line"] for path in sources(module) if path not in found}


def sources(module: Module) -> list[str]:
    """The module's files that hold code."""
    return [str(path.relative_to(ROOT)) for pattern in module.source for path in sorted(ROOT.glob(pattern)) if path.stat().st_size]


def main(names: list[str]) -> int:
    whole = True
    for name in names or MODULES:
        with tempfile.TemporaryDirectory() as folder:
            found = missing(MODULES[name], Path(folder))
        short = {path: places for path, places in (found or {}).items() if places}
        whole = whole and found is not None and not short
        print(
            f"{name}: {'every line and branch' if found is not None and not short else 'not all'} of {len(found or ())} files", flush=True
        )
        for path, places in short.items():
            print(f"  {path}: {', '.join(places)}")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
