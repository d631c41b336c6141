"""Keeps the examples in the README and the pages true: runs each `console` block and compares, or rewrites, what is printed.

    python docs/refresh.py          rewrites them
    python docs/refresh.py --check  exits 1 when an example is stale

A file an example needs stands in the page as a block right after a line `<!-- file: NAME -->`. What differs from run to run (ids,
hashes, times, folders) is printed as one fixed sample of itself.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "monitoring.md")
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"(<!-- run -->\n```console\n\$ )(.*?)\n(.*?)(```)", re.DOTALL)
SAMPLES = (
    (r"\d{8}T\d{6}-[0-9a-f]{8}", "20261123T061331-4f1c2a9e"),
    (r"head [0-9a-f]{16,64}", "head 9c1f0e7ab35d2e48"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-\d{13}", "0e5a7ce4-0d45-48ee-acbb-7effab96bfd9-1795415840105"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-11-23T06:13:31.000Z"),
    (r"(?<=  )(\d+m)?\d+(\.\d+)?m?s$", "5ms"),
    (r"(?<=  )(\d+m)?\d+(\.\d+)?m?s(?=  )", "5ms"),
    (r"started by \S+ ", "started by ana "),
)


def normal(text: str, state: str) -> str:
    """Output with everything that differs from run to run replaced by its sample."""
    text = text.replace(state, "~/.local/state/opsbook")
    for pattern, sample in SAMPLES:
        text = re.sub(pattern, sample, text, flags=re.MULTILINE)
    return text


def output(command: str, folder: Path, state: Path) -> str:
    """What a command prints, both streams together, as somebody at a terminal sees it."""
    words = shlex.split(command)
    assert words[0] == "opsbook", command
    own = {"OPSBOOK_STATE": str(state), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "COLUMNS": "110"}
    environment = {"PATH": os.environ["PATH"], **own}
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return normal(done.stdout, str(state))


def lay_out(text: str, folder: Path) -> None:
    """Puts the files that a page shows into a folder."""
    for name, content in FILE.findall(text):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def refreshed(text: str) -> str:
    """A page with each example as it is printed now."""
    with tempfile.TemporaryDirectory() as place:
        folder, state = Path(place, "project"), Path(place, "state")
        folder.mkdir()
        (folder / "runbooks").symlink_to(ROOT / "runbooks")
        lay_out(text, folder)
        return CONSOLE.sub(lambda match: match[1] + match[2] + "\n" + output(match[2], folder, state) + match[4], text)


def main() -> int:
    """Rewrites or checks."""
    fresh = {page: refreshed(page.read_text()) for page in PAGES}
    stale = {page: text for page, text in fresh.items() if page.read_text() != text}
    if "--check" in sys.argv:
        return 1 if stale else 0
    for page, text in stale.items():
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
