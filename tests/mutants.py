"""Changes the core modules one little thing at a time, and counts how many of the changes their own tests notice.

    python tests/mutants.py                        every module: some two hours on one core
    python tests/mutants.py redaction secrets      some of them
    python tests/mutants.py source --keep FOLDER   keeps mutmut's folder; called again, it tries the survivors once more
    python tests/mutants.py source --show          prints each survivor as a diff
    python tests/mutants.py template --only '*[37]'  a fifth: those whose number ends in 3 or 7

mutmut makes the mutants and runs, for each, the tests that reach it, with hypothesis neither random nor shrinking what it finds. What
survives is explained in tests/mutants.md. Exits with 1 when fewer than 90 % of a module's mutants are killed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOAL = 0.9
KILLED = ("killed", "timeout", "segfault")
COPIED = ("engine", "steps", "tests", "schemas", "runbooks", "docs", "README.md", "pyproject.toml")


@dataclass(frozen=True)
class Module:
    """A part of the source and the tests that are to notice a change in it.

    Attributes:
        timed: what stands in the names of tests that measure: mutmut's own detours make all code slower.
    """

    source: tuple[str, ...]
    tests: tuple[str, ...]
    timed: str = "in_time"


MODULES = {
    "journal": Module(
        ("engine/audit/journal.py", "engine/audit/chain.py", "engine/audit/segments.py"),
        ("tests/engine/audit/test_journal.py", "tests/engine/audit/test_chain.py", "tests/engine/audit/test_segments.py"),
    ),
    "redaction": Module(("engine/redaction.py",), ("tests/engine/test_redaction.py",)),
    "secrets": Module(("engine/secret.py", "engine/secrets/*.py"), ("tests/engine/test_secret.py", "tests/engine/secrets")),
    "source": Module(("engine/source/*.py",), ("tests/engine/test_source.py",), "in_time or read_at_once or memory"),
    "template": Module(
        ("engine/template/*.py",),
        (
            "tests/engine/test_template.py",
            "tests/engine/test_template_words.py",
            "tests/engine/test_template_edges.py",
            "tests/engine/test_filters.py",
        ),
    ),
    "transport": Module(("steps/transport.py", "steps/deadline.py"), ("tests/steps/test_transport.py", "tests/steps/test_deadline.py")),
}


def configuration(module: Module) -> str:
    """mutmut's part of pyproject.toml."""
    settings = {
        "source_paths": ["engine", "steps"],
        "only_mutate": module.source,
        "also_copy": ["schemas", "runbooks", "docs", "README.md"],
        "pytest_add_cli_args": [
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.mutants_plugin",
            "--hypothesis-profile=mutants",
            "-k",
            f"not ({module.timed})",
        ],
        "pytest_add_cli_args_test_selection": module.tests,
        "timeout_constant": 2.0,
        "timeout_multiplier": 4.0,
        "use_git_change_detection": False,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


def prepare(module: Module, folder: Path) -> None:
    """A copy of the tree for mutmut to work in; what it knows from an earlier call stays, save which test reaches what."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    with (folder / "pyproject.toml").open("a") as project:
        project.write(configuration(module))
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def verdicts(folder: Path) -> dict[str, str]:
    """Each mutant's name and what became of it."""
    from mutmut.stats import status_by_exit_code

    known = [json.loads(file.read_text())["exit_code_by_key"] for file in sorted((folder / "mutants").rglob("*.py.meta"))]
    return {name: status_by_exit_code[code] for codes in known for name, code in codes.items()}


def mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mutmut", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def tried(name: str, folder: Path, only: str, *, show: bool) -> bool:
    """Whether enough of a module's mutants are killed; prints the counts."""
    prepare(MODULES[name], folder)
    alive = [mutant for mutant, verdict in verdicts(folder).items() if verdict not in KILLED and fnmatchcase(mutant, only)]
    done = mutmut(folder, "run", "--max-children", "1", *(alive or [only]))
    if done.returncode:
        print(*(done.stdout + done.stderr).splitlines()[-20:], sep="\n")
        return False
    found = {mutant: verdict for mutant, verdict in verdicts(folder).items() if fnmatchcase(mutant, only)}
    counts = Counter(found.values())
    killed = sum(counts[verdict] for verdict in KILLED)
    for mutant, verdict in found.items() if show else ():
        print(mutmut(folder, "show", mutant).stdout if verdict not in KILLED else "", end="")
    told = ", ".join(f"{verdict} {count}" for verdict, count in counts.most_common())
    print(f"{name}: {killed} of {len(found)} killed, {killed / len(found):.1%} ({told})", flush=True)
    return killed >= GOAL * len(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    unknown = set(asked.modules) - set(MODULES)
    if unknown:
        parser.error(f"there is no module {', '.join(sorted(unknown))}")
    os.nice(10)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        results = [tried(name, folder / name, asked.only, show=asked.show) for name in asked.modules or MODULES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
