"""`cmd:PROGRAM ARGUMENTS`."""

import os
import sys
import time
from pathlib import Path

import pytest

from engine import secrets
from engine.errors import KeyProblem
from engine.secrets import cmd

KEY = "7f3c9a10-kept-by-a-program"


@pytest.fixture
def program(tmp_path):
    """The reference to a program of these lines of shell."""

    def program(lines, arguments=""):
        path = tmp_path / "tell key"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return f"cmd:'{path}' {arguments}".strip()

    return program


def test_what_a_program_writes(program, resolve):
    assert resolve(program(f"echo {KEY}")).reveal() == KEY


def test_arguments_are_split_as_a_shell_would_and_no_shell_reads_them(program, resolve):
    reference = program('for word; do printf "[%s]" "$word"; done', "a 'b c' \"$HOME\" '*' ; id")
    assert resolve(reference).reveal() == "[a][b c][$HOME][*][;][id]"


def test_arguments_are_told_to_nobody(program, resolve, refused):
    """One may be a password itself."""
    argument = "hunter2-is-a-password"
    secret = resolve(program(f"echo {KEY}", argument))
    assert secret.reference.startswith("cmd:")
    assert secret.reference.endswith("…")
    for lines in ("exit 3", "echo short", "kill -9 $$", f"yes {KEY}"):
        assert argument not in refused(program(lines, argument))
    assert argument not in refused(f"cmd:absent-program-of-opsbook {argument}")
    assert argument not in refused(f"cmd:program '{argument}")
    assert argument not in refused(f"cmd:./program {argument}")


def test_a_program_alone_is_told_whole(refused):
    assert "cmd:absent-program-of-opsbook gives no key" in refused("cmd:absent-program-of-opsbook")


def test_it_reads_nothing(program, resolve):
    assert resolve(program(f"cat; echo {KEY}")).reveal() == KEY


def test_it_sees_the_environment_it_needs_and_no_other(program, resolve, monkeypatch):
    for name in ("OPSGENIE_KEY", "GRAFANA_TOKEN", "OPSBOOK_STATE", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, "another-secret")
    seen = {
        name: f"value-of-{name}" for name in ("VAULT_ADDR", "OP_SERVICE_ACCOUNT_TOKEN", "AWS_PROFILE", "SOPS_AGE_KEY_FILE", "GNUPGHOME")
    }
    for name, value in seen.items():
        monkeypatch.setenv(name, value)
    names = set(resolve(program("env | cut -d= -f1 | sort | tr '\\n' ' '")).reveal().split())
    assert names >= {"PATH", *seen}
    allowed = {*cmd.PASSED_ON, "PWD", "OLDPWD", "SHLVL", "_"}  # the last four are the shell's own
    assert {name for name in names if name not in allowed and not name.startswith(cmd.PASSED_ON_PREFIXES)} == set()


def test_what_it_sees_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    assert [name for name in (*cmd.PASSED_ON, *cmd.PASSED_ON_PREFIXES) if f"`{name}`" not in page] == []


def test_it_runs_in_an_empty_environment(program, resolve, monkeypatch):
    """As cron and systemd start it."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    assert resolve(program(f"echo {KEY}")).reveal() == KEY


@pytest.mark.parametrize(("lines", "said"), [("exit 1", "exit code 1"), ("exit 3", "exit code 3"), ("kill -TERM $$", "signal 15")])
def test_a_program_that_fails_gives_no_key_whatever_it_wrote(program, refused, lines, said):
    told = refused(program(f"echo {KEY}; echo {KEY} >&2; {lines}"))
    assert f"the program ended with {said} {cmd._BY_HAND}" in told
    assert KEY not in told


def test_its_standard_error_is_not_shown(program, capfd, resolve):
    assert resolve(program(f"echo {KEY}-told >&2; echo {KEY}")).reveal() == KEY
    assert capfd.readouterr() == ("", "")


def test_a_late_program_is_ended_with_all_it_started(program, refused, monkeypatch, tmp_path):
    monkeypatch.setattr(cmd, "TIME_LIMIT", 0.2)
    began = time.monotonic()
    told = refused(program(f"sleep 60 & echo $! > {tmp_path}/child; echo {KEY}; wait"))
    assert "did not end within 0.2 s" in told
    assert KEY not in told
    assert time.monotonic() - began < 5
    child, deadline = int((tmp_path / "child").read_text()), time.monotonic() + 5
    while _runs(child):
        assert time.monotonic() < deadline


def _runs(process):
    """Whether a process is there, and more than a name that nobody has asked about yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_writes_without_end_is_stopped(refused):
    assert "wrote more than 65536 bytes" in refused("cmd:yes some-words")


def test_a_program_that_cannot_be_started(tmp_path, refused):
    (tmp_path / "script").write_text("no program")
    (tmp_path / "script").chmod(0o600)
    assert "absolute path: cron" in refused("cmd:absent-program-of-opsbook read x")
    assert "may be executed" in refused(f"cmd:{tmp_path}/script")


@pytest.mark.parametrize("reference", ["cmd:'open", "cmd:op read \\"])
def test_what_is_no_command_line(refused, reference):
    assert refused(reference).endswith("is no command line close its quotes")


@pytest.mark.parametrize("reference", ["cmd:./key", "cmd:bin/key x", "cmd:../key"])
def test_a_relative_path_is_refused(refused, reference):
    said = refused(reference)
    assert "relative path" in said
    assert said.endswith(" give its absolute path, or a name that PATH finds")


def test_the_home_folder_may_be_written_short(program, resolve, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    program(f"echo {KEY}")
    assert resolve("cmd:'~/tell key'").reveal() == KEY


def test_a_folder_that_is_gone(tmp_path, monkeypatch, resolve):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert resolve("cmd:echo 0123456789").reveal() == "0123456789"


def test_nobody_without_a_home(monkeypatch, refused):
    """A container's user may be in no list."""
    monkeypatch.delenv("HOME", raising=False)
    assert "relative path" in refused("cmd:~nobody-of-this-name/key")


@pytest.mark.parametrize("lines", ["printf 'one-line-of-it\\nanother-line'", "printf 'not-text-\\377\\376'", "true"])
def test_what_is_no_key(program, refused, lines):
    assert "is no usable key" in refused(program(lines))


def test_no_error_hangs_on_another_that_holds_output(program):
    with pytest.raises(KeyProblem) as caught:
        secrets.resolve(program(f"yes {KEY}"), lambda _: None)
    error = caught.value
    while error is not None:
        assert KEY not in repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


def test_it_is_started_once_for_each_resolution(tmp_path, resolve):
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x'); print({KEY!r})"
    for times in (1, 2):
        resolve(f'cmd:{sys.executable} -c "{code}"')
        assert count.read_text() == "x" * times
