"""Writes the pages that are read off the source: docs/checks, one for each id a finding can have, and docs/steps, one an entity.

python docs/generate.py          writes them and deletes those of what is no more
python docs/generate.py --check  exits 1 when one is missing, stale or too many
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = ROOT / "docs" / "checks"
STEPS = ROOT / "docs" / "steps"


def fresh() -> dict[Path, str]:
    """Every page by its file."""
    from engine import checks
    from engine.catalog import Catalog, pages
    from engine.project import PROVIDERS

    found = {CHECKS / f"{name}.md": text for name, text in checks.pages().items()}
    return found | {STEPS / f"{name}.md": text for name, text in pages.pages(Catalog(PROVIDERS).steps()).items()}


def stale(wanted: dict[Path, str]) -> list[Path]:
    """The files that differ from what they should be, or should not be there."""
    present = {path: path.read_text(encoding="utf-8") for folder in (CHECKS, STEPS) for path in folder.glob("*.md")}
    return sorted(path for path in present.keys() | wanted.keys() if present.get(path) != wanted.get(path))


def main() -> int:
    """Writes or checks."""
    wanted = fresh()
    wrong = stale(wanted)
    if "--check" in sys.argv:
        return 1 if wrong else 0
    for path in wrong:
        path.parent.mkdir(exist_ok=True)
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
