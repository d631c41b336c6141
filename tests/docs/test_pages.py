"""Every command in a page does what it should: its blocks are carried out, in order, in a project of its own, with an Opsgenie of its own.

```sh                       the commands must end with 0
<!-- exit 4 -->             … the commands of the next block with 4
<!-- terminal -->           the next block is what stands on a terminal: a command, and each question with its answer
<!-- Opsgenie: revoke K --> what people do in Opsgenie's own pages meanwhile: the key that the environment calls K is taken away
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
PAGES = ("audit", "connect", "cron", "keys", "missed-runs", "systemd")
BLOCK = re.compile(
    r"^<!-- Opsgenie: revoke (?P<revoked>\w+) -->|^(?:<!-- (?P<how>exit \d+|terminal) -->\n)?```(?:sh|console)\n(?P<text>.*?)^```",
    re.S | re.M,
)
KEYS = ("team", "integration", "account", "heartbeat", "integration")
PROGRAMS = {
    "opsbook": f'exec {sys.executable} -P -m tests.docs.on_loopback "$@"',
    "crontab": 'case "$1" in -l) cat "$KEPT" 2>/dev/null || { echo "no crontab for me" >&2; exit 1; } ;; -) cat > "$KEPT" ;; esac',
    "systemctl": "exit 0",
    "op": '[ "$*" = "read op://ops/opsgenie/key" ] && cat "$HOME/stored"',
    "pass": '[ "$*" = "show ops/opsgenie" ] && cat "$HOME/stored"',
    "vault": '[ "$*" = "kv get -field=key secret/opsgenie" ] && cat "$HOME/stored"',
    "aws": '[ "$*" = "secretsmanager get-secret-value --secret-id opsgenie --query SecretString --output text" ] && cat "$HOME/stored"',
}


class Project:
    """A folder, programs, an account, and the keys that somebody has made in it: `OPSGENIE_TEAM_KEY`, … and `OPSGENIE_INTEGRATION_KEY_2`."""

    def __init__(self, home, account):
        self.account, self.folder, programs = account, home / "project", home / "bin"
        self.folder.mkdir()
        programs.mkdir()
        for name, body in PROGRAMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        (home / "stored").write_text(account.key("integration"))
        own = {"OPSBOOK_STATE": str(home / "state"), "PYTHONPATH": str(ROOT), "HOME": str(home), "KEPT": str(home / "crontab")}
        keyring = {"PYTHON_KEYRING_BACKEND": "tests.docs.keyring_in_file.InFile"}
        self.environment = {"PATH": f"{programs}:{os.environ['PATH']}", "SERVED": account.url, **own, **keyring}
        self.keys = account.emulator.keys
        for key in self.keys:
            name = f"OPSGENIE_{key.kind.upper()}_KEY"
            self.environment[f"{name}_2" if name in self.environment else name] = key.value

    def carry_out(self, revoked, how, text):
        if revoked:
            emulator = self.account.emulator
            emulator.keys = tuple(key for key in emulator.keys if key.value != self.environment[revoked])
        elif how == "terminal":
            self._at_terminal(*text.splitlines())
        else:
            self._run(text, int((how or "exit 0").split()[1]))

    def _run(self, text, code):
        done = subprocess.run(
            ["/bin/sh", "-e"], input=text, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, start_new_session=True
        )  # fmt: skip
        assert done.returncode == code, f"{text}\n{done.stdout}{done.stderr}"
        self._keeps_quiet(done.stdout + done.stderr)

    def _at_terminal(self, command, *questions):
        terminal = Terminal(["/bin/sh", "-c", command.removeprefix("$ ")], self.folder, self.environment)
        for line in questions:
            question, _, answer = line.rpartition(": ")
            terminal.until(f"{question}: ")
            terminal.type(self.environment.get(answer.strip("()"), answer))
        assert terminal.end() == 0, terminal.shown.decode()
        self._keeps_quiet(terminal.shown.decode())

    def _keeps_quiet(self, shown):
        assert [key.kind for key in self.keys if key.value in shown] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(page, tmp_path, served, refresh):
    text = (ROOT / "docs" / f"{page}.md").read_text()
    account = served(keys=[{"kind": kind} for kind in KEYS])
    project = Project(tmp_path, account)
    refresh.lay_out(text, project.folder)
    blocks = [match.group("revoked", "how", "text") for match in BLOCK.finditer(text)]
    assert len(blocks) >= 1
    for block in blocks:
        project.carry_out(*block)


def test_every_page_with_commands_is_carried_out(refresh):
    with_commands = {path.stem for path in (ROOT / "docs").glob("*.md") if re.search(r"^```(sh|console)$", path.read_text(), re.M)}
    assert with_commands - {"monitoring"} == set(PAGES), "monitoring shows what is printed; see test_refresh and test_monitoring"
