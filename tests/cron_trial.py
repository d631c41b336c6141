"""An installed line under a real cron daemon: two quiet minutes, then a runbook that fails, then one that is broken.

    python tests/cron_trial.py

Needs root, `cron` and `crontab`; takes about five minutes. The user's crontab is put back as it was. cron starts each command by a shell
that writes down what would be mailed, and with which exit code the command ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
BOOK = """\
apiVersion: runbook/v1
name: trial
triggers: [{cron: "* * * * *"}]
steps:
  - uses: core.assert
    with: {that: 'run.trigger == "%s"', message: the disk is full}
"""
SHELL = """\
#!/bin/sh
out=$(/bin/sh -c "$2" 2>&1)
code=$?
printf '%%s\\n' "$code" "$out" "HOME=$HOME PATH=$PATH" > %s/$(date +%%s).mail
"""
PATIENCE = 150


class Trial:
    """One folder with a runbook, and what cron would have mailed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mails = folder, folder / "mails"
        self.mails.mkdir()
        self.shell = folder / "shell"
        self.shell.write_text(SHELL % self.mails)
        self.shell.chmod(0o755)

    def opsbook(self, *words: str) -> str:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OPSBOOK_STATE": str(self.folder / "state")}
        command = [sys.executable, "-P", "-m", "engine", *words]
        return subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True).stdout

    def write(self, text: str) -> None:
        (self.folder / "trial.yaml").write_text(text)

    def next_mail(self, fits: Callable[[str, str], bool]) -> tuple[str, str]:
        """Exit code and output of the next command that cron starts from now on and that fits."""
        seen, ends = set(self.mails.iterdir()), time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            for path in sorted(set(self.mails.iterdir()) - seen):
                time.sleep(0.2)
                code, _, rest = path.read_text().partition("\n")
                if fits(code, rest):
                    return code, rest.rpartition("\nHOME=")[0]
            time.sleep(0.5)
        raise AssertionError("cron did not start what was expected in time")


def crontab(text: bytes | None = None) -> bytes:
    words = ["crontab", "-l"] if text is None else ["crontab", "-"]
    return subprocess.run(words, input=text, capture_output=True, check=False).stdout


@contextmanager
def daemon():
    """A cron daemon of our own, unless there is one."""
    running = "cron" in map(called, Path("/proc").glob("[0-9]*"))
    process = None if running else subprocess.Popen(["cron", "-f"])
    time.sleep(2)  # a crontab that is written in the second in which cron starts goes unseen
    try:
        yield
    finally:
        if process is not None:
            process.terminate()
            process.wait()


def called(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text().strip()
    return ""


def carry_out(trial: Trial) -> None:
    trial.write(BOOK % "cron")
    print(trial.opsbook("schedule", "install", "trial.yaml"), end="")
    for _ in range(2):
        code, output = trial.next_mail(lambda _code, _rest: True)
        assert (code, output) == ("0", ""), (code, output)
    assert trial.opsbook("runs", "list").count("succeeded") >= 2
    print("two minutes, two runs, not a word")
    trial.write(BOOK % "somebody")
    code, output = trial.next_mail(lambda code, _rest: code != "0")
    assert code == "1" and "the disk is full" in output, (code, output)
    print("a step failed: exit code 1, and the whole log")
    trial.write(BOOK.replace("steps", "stesp") % "cron")
    code, output = trial.next_mail(lambda code, _rest: code not in ("0", "1"))
    assert code == "3" and "RB101" in output and "stesp" in output, (code, output)
    print("the runbook is broken: exit code 3, and the line that is wrong")


def main() -> int:
    if os.geteuid() != 0 or not all(map(shutil.which, ("cron", "crontab"))):
        print("skipped: needs root, cron and crontab")
        return 0
    before = crontab()
    with tempfile.TemporaryDirectory() as place, daemon():
        trial = Trial(Path(place))
        own = f"SHELL={trial.shell}\n# mine, without an end".encode() + b"\n"
        try:
            crontab(own)
            carry_out(trial)
            trial.opsbook("schedule", "remove")
            assert crontab() == own, "the user's own lines are as they were"
        finally:
            crontab(before)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
