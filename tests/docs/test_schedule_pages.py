"""Every command in the pages about schedules does what it should: each `sh` block is carried out, in order, in a project of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("cron", "missed-runs", "systemd")
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAMS = {
    "opsbook": f'exec {sys.executable} -P -m engine "$@"',
    "crontab": 'case "$1" in -l) cat "$KEPT" 2>/dev/null || { echo "no crontab for me" >&2; exit 1; } ;; -) cat > "$KEPT" ;; esac',
    "systemctl": "exit 0",
}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(page, tmp_path):
    text = (ROOT / "docs" / f"{page}.md").read_text()
    project, programs = tmp_path / "project", tmp_path / "bin"
    for name, content in FILE.findall(text):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    programs.mkdir()
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    own = {"OPSBOOK_STATE": str(tmp_path / "state"), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "KEPT": str(tmp_path / "crontab")}
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", **own}
    blocks = BLOCK.findall(text)
    assert len(blocks) >= 1
    for block in blocks:
        done = subprocess.run(
            ["/bin/sh", "-e"], input=block, cwd=project, env=environment, capture_output=True, text=True, timeout=60, start_new_session=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
