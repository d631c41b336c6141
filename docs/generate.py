"""Writes the pages that are read off the source: docs/checks/<ID>.md, one for each id a finding can have.

python docs/generate.py          writes them and deletes those of ids that are no more
python docs/generate.py --check  exits 1 when one is missing, stale or too many
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "checks"


def fresh() -> dict[Path, str]:
    """Every page by its file."""
    from engine.checks import pages

    return {FOLDER / f"{name}.md": text for name, text in pages().items()}


def stale(wanted: dict[Path, str]) -> list[Path]:
    """The files that differ from what they should be, or should not be there."""
    present = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(path for path in present.keys() | wanted.keys() if present.get(path) != wanted.get(path))


def main() -> int:
    """Writes or checks."""
    wanted = fresh()
    wrong = stale(wanted)
    if "--check" in sys.argv:
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for path in wrong:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
