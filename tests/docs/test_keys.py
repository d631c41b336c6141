"""What docs/connect.md and docs/keys.md say is what the code says."""

import re
from pathlib import Path

import pytest

from engine import secrets
from engine.doctor import connections
from engine.secrets import cmd
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.settings import API_ENDS, RIGHTS

ROOT = Path(__file__).parents[2]
CONNECT, KEYS = ((ROOT / "docs" / f"{page}.md").read_text() for page in ("connect", "keys"))
SOURCE = "".join(
    (ROOT / file).read_text()
    for file in (
        "engine/secrets/env.py", "engine/secrets/file.py", "engine/cli/standing.py",
        "steps/opsgenie/connecting.py", "steps/opsgenie/standing.py", "steps/opsgenie/commands/connect.py",
    )
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_is_told_as_the_command_tells_it(kind):
    found = KINDS[kind]
    assert f"| `{kind}` | {found.purpose} | {found.menu} | {found.makers} |" in KEYS
    assert found.narrow.startswith(found.menu)


def test_each_right_is_told():
    assert re.findall(r"^\| `(\w+)` \| [A-Z]", KEYS, re.M) == list(RIGHTS)


def test_each_place_for_a_key_is_told():
    assert sorted(re.findall(r"^\| `([^`]+)` \| ", CONNECT, re.M)) == sorted(source.FORM for source in secrets.SOURCES.values())
    assert f"for {cmd.TIME_LIMIT:.0f} seconds at most" in CONNECT


def test_the_end_of_the_api_is_told():
    assert f"it ends on {API_ENDS:%-d %B %Y}" in CONNECT
    assert f"warns from {connections.SOON} days on" in CONNECT


def test_what_is_said_when_it_does_not_work_is_said_so():
    said = re.findall(r"^\| \d+ \| (.*?) \|", CONNECT, re.M)
    parts = [part.strip() for one in said for part in re.split("…|;", one) if part.strip()]
    assert len(parts) >= 10
    assert [part for part in parts if part not in SOURCE] == []
