"""docs/monitoring.md beyond its examples: its snippets for other programs, its tables, its claims."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from engine import config, project
from engine.catalog import Catalog
from engine.telling import log, trace

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_other_programs_are_understood(line):
    words = line.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run([*words, "--no-pager"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode in (0, 1) and "Failed to parse" not in done.stderr and "unrecognized" not in done.stderr


def test_the_logrotate_snippet_is_understood(tmp_path):
    if shutil.which("logrotate") is None:
        pytest.skip("logrotate is not installed")
    (snippet,) = re.findall(r"```\n(/var/log.*?)```", PAGE, re.S)
    (tmp_path / "opsbook").write_text(snippet)
    (tmp_path / "opsbook").chmod(0o644)
    done = subprocess.run(["logrotate", "--debug", str(tmp_path / "opsbook")], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 and "error:" not in done.stderr


def test_each_configuration_on_the_page_is_one(tmp_path):
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S) if "apiVersion" not in block]
    assert len(blocks) == 2
    for block in blocks:
        config.checked(block.encode(), tmp_path / "opsbook.yaml", project.connection_schema(Catalog(project.PROVIDERS)))


def test_every_exit_code_has_a_meaning_for_monitors():
    documented = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "cli.md").read_text(), re.M)) - {"2", "10"}  # of the command line alone
    table = PAGE.partition("## Exit codes for monitors")[2].partition("## The log")[0]
    told = {code for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in row.split(", ")}
    assert told == documented


def test_settings_and_attributes_are_those_of_the_code():
    assert all(f"OPSBOOK_LOG_{name.upper()}" in PAGE and f"`--log-{name}`" in PAGE for name in log.SETTINGS)
    named = set(re.findall(r"`((?:opsbook|http|url|server|error)\.[a-z_.]+)`", PAGE.partition("## Traces")[2]))
    source = Path(trace.__file__).read_text()
    steps = {f"opsbook.{name}" for name in ("step", "uses", "item")}
    assert [name for name in sorted(named - steps) if f'"{name}"' not in source] == []
    assert trace.FLUSH == 2.0, "two seconds at most"
