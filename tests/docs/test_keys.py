"""What docs/connect.md and docs/keys.md say is what the code says."""

import json
import re
import shutil
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


@pytest.fixture
def long_run(command, served):
    """A run of two reads whose key is revoked after the first; what happens to the key's file meanwhile is a command."""
    account = served(keys=[{"kind": "integration"}, {"kind": "integration"}])
    old, new = account.emulator.keys
    for name, key in (("ops.key", old), ("new.key", new)):
        Path(command.write(name, key.value)).chmod(0o600)

    def revoke(_line):
        account.emulator.keys = (new,)

    command.write(
        "opsbook.yaml", f'connections: {{opsgenie: {{url: "{account.url}", keys: [{{kind: integration, secret: "file:ops.key"}}]}}}}\n'
    )

    def long_run(meanwhile):
        account.emulator.watch = revoke
        book = command.runbook(f"""
            steps:
              - {{id: first, uses: opsgenie.alert.list}}
              - {{id: meanwhile, uses: core.command, with: {{argv: {json.dumps(meanwhile)}, cwd: "{command.folder}"}}}}
              - {{id: second, uses: opsgenie.alert.list}}
        """)
        done = command("run", book)
        assert not any(key.value in done.both for key in (old, new))
        return done

    return long_run


def test_a_run_goes_on_with_a_key_that_was_changed_meanwhile(long_run, command):
    assert long_run(["cp", "-p", "new.key", "ops.key"]).code == 0
    told = json.loads(command("audit", "show", "--json").out)
    resolved = [event["fingerprint"] for event in told if event["event"] == "secret.resolved"]
    assert len(resolved) == len(set(resolved)) == 2


@pytest.mark.parametrize("meanwhile", [["true"], ["rm", "ops.key"]], ids=["the same key", "no key"])
def test_a_run_whose_key_was_revoked_fails_and_is_retried_with_a_new_one(long_run, command, meanwhile):
    done = long_run(meanwhile)
    assert (done.code, "ops.key" in done.both) == (4, True), done.both
    shutil.copy(command.folder / "new.key", command.folder / "ops.key")
    (run,) = json.loads(command("runs", "list", "--json").out)
    again = command("retry", run["run_id"])
    assert again.code == 0, again.both
