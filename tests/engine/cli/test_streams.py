"""Standard output and error that can always be written to, and what a command comes to whose output got lost."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import call, streams

ROOT = Path(__file__).parents[3]
BOOK = """
    steps:
      - {uses: core.log, with: {message: "\u00e9 \U0001f600"}}
      - {uses: core.write, with: {path: done.txt, content: done}}
"""


@pytest.fixture(autouse=True)
def _registered():
    streams.codecs.register_error(streams.ESCAPED, streams._escaped)


@pytest.fixture
def full():
    """A stream to a device that has no room, not written to any more when it is closed."""
    handle = os.open("/dev/full", os.O_WRONLY)
    yield streams._stream(handle, None)
    os.close(handle)


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "\\u2714 \\ud83d\\ude00"), ("latin-1", "\\u2714 \\ud83d\\ude00"), ("utf-8", "✔ 😀")]
)
def test_what_an_encoding_lacks_is_spelt_as_json_does(tmp_path, encoding, shown):
    with (tmp_path / "out").open("wb") as file:
        stream = streams._stream(file.fileno(), io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        stream.write('"✔ 😀"')
        stream.flush()
    written = (tmp_path / "out").read_text(encoding)
    assert written == f'"{shown}"'
    assert json.loads(written) == "✔ 😀"


def test_an_output_error_is_remembered_and_not_raised(full):
    for _ in range(3):
        print("x" * 100_000, file=full, flush=True)
    assert streams.lost(full) == "No space left on device"


def test_a_reader_that_had_enough_lost_nothing():
    read, write = os.pipe()
    os.close(read)
    stream = streams._stream(write, None)
    print("more", file=stream, flush=True)
    assert streams.lost(stream) is None
    os.close(write)


def test_a_descriptor_that_does_not_block_is_waited_for():
    read, write = os.pipe()
    os.set_blocking(write, False)
    with subprocess.Popen([sys.executable, "-c", "import sys; print(len(sys.stdin.read()))"], stdin=read, stdout=subprocess.PIPE) as reader:
        os.close(read)
        stream = streams._stream(write, None)
        print("x" * 300_000, file=stream, flush=True)
        os.close(write)
        assert reader.stdout.read().strip() == b"300001"
    assert streams.lost(stream) is None


@pytest.mark.parametrize("flags", [[], ["--json"], ["-v"], ["-q", "--json"]])
def test_a_run_is_carried_out_and_keeps_its_exit_code_whatever_becomes_of_its_output(command, fake, monkeypatch, capsys, full, flags):
    good, bad = command.runbook(BOOK, "good.yaml"), command.runbook("steps: [{uses: fake.fail}]", "bad.yaml")
    monkeypatch.setattr(sys, "stdout", full)
    assert [call(["run", book, "--emulator", *flags]) for book in (good, bad)] == [0, 1]
    assert [path.read_text() for path in command.folder.glob("state/runs/*/output/done.txt")] == ["done"]
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["steps", "list"], ["--help"], ["runs", "list", "--json"], ["completion", "bash"], ["schema"]])
def test_a_command_that_only_tells_fails_when_nobody_can_be_told(command, monkeypatch, capsys, full, words):
    monkeypatch.setattr(sys, "stdout", full)
    assert call(words) == 1
    assert "standard output could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "environment"),
    [(">&-", {}), (">&- 2>&- <&-", {}), ("", {"PYTHONIOENCODING": "ascii"}), (">/dev/full", {"PYTHONIOENCODING": "latin-1"})],
)
def test_the_whole_process(tmp_path, how, environment):
    (tmp_path / "book.yaml").write_text("apiVersion: runbook/v1\nname: x\n" + BOOK.replace("\n    ", "\n"), encoding="utf-8")
    own = {"PYTHONPATH": str(ROOT), "OPSBOOK_STATE": str(tmp_path / "state"), "OPSBOOK_CONFIG": "", **environment}
    script = f'exec "$0" -m engine run book.yaml --emulator {how}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable], cwd=tmp_path, env={**os.environ, **own}, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert [path.read_text() for path in tmp_path.glob("state/runs/*/output/done.txt")] == ["done"]
    assert all(line.startswith("{") for path in tmp_path.glob("state/runs/*/audit.jsonl") for line in path.read_text().splitlines())


def test_a_closed_standard_input_is_one_that_nobody_answers(tmp_path):
    own = {"OPSBOOK_STATE": str(tmp_path / "state"), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -m engine connect opsgenie <&-', sys.executable],
        cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, "are needed where nobody can be asked" in done.stderr) == (2, True), done.stderr
